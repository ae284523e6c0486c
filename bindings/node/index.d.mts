export type AuthTokenInfo = import("./index.cjs").AuthTokenInfo;
export type Credentials = import("./index.cjs").Credentials;
export type PresignOptions = import("./index.cjs").PresignOptions;
export type RdsTokenErrorCode = import("./index.cjs").RdsTokenErrorCode;
export type SignerOptions = import("./index.cjs").SignerOptions;
export { presign, RdsTokenError, Signer, version } from "./index.cjs";
