export { presign, RdsTokenError, Signer, version } from './index.cjs';

/**
 * @typedef {import('./index.cjs').AuthTokenInfo} AuthTokenInfo
 * @typedef {import('./index.cjs').Credentials} Credentials
 * @typedef {import('./index.cjs').PresignOptions} PresignOptions
 * @typedef {import('./index.cjs').RdsTokenErrorCode} RdsTokenErrorCode
 * @typedef {import('./index.cjs').SignerOptions} SignerOptions
 */
