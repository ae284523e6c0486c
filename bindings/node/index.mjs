export {
  checkLength,
  limits,
  presign,
  RdsTokenError,
  Signer,
  setLogger,
  version,
} from './index.cjs';

/**
 * @typedef {import('./index.cjs').AuthTokenInfo} AuthTokenInfo
 * @typedef {import('./index.cjs').ConnectionStringOptions} ConnectionStringOptions
 * @typedef {import('./index.cjs').Credentials} Credentials
 * @typedef {import('./index.cjs').CredentialsFunction} CredentialsFunction
 * @typedef {import('./index.cjs').InvalidateOptions} InvalidateOptions
 * @typedef {import('./index.cjs').Limit} Limit
 * @typedef {import('./index.cjs').LogLevel} LogLevel
 * @typedef {import('./index.cjs').LogRecord} LogRecord
 * @typedef {import('./index.cjs').PresignOptions} PresignOptions
 * @typedef {import('./index.cjs').RdsTokenErrorCode} RdsTokenErrorCode
 * @typedef {import('./index.cjs').SignerOptions} SignerOptions
 * @typedef {import('./index.cjs').SignerStats} SignerStats
 */
