// A CommonJS consumer in TypeScript. Compiled, not run.

import { presign, RdsTokenError, type RdsTokenErrorCode, type Signer, version } from 'rdstoken';

import rdstoken = require('rdstoken');

const options: rdstoken.SignerOptions = { hostname: 'h', port: 5432, username: 'u' };
const signer: Signer = new rdstoken.Signer(options);
const same: rdstoken.Signer = signer;
const pending: Promise<string> = same.getAuthToken();
const info: Promise<rdstoken.AuthTokenInfo> = signer.getAuthTokenInfo();
const token: string = presign({
  ...options,
  credentials: { accessKeyId: 'a', secretAccessKey: 's' },
  signingTime: new Date(),
});

function code(error: unknown): RdsTokenErrorCode | undefined {
  return error instanceof RdsTokenError ? error.code : undefined;
}

// @ts-expect-error: there is no default export
const wrong = rdstoken.default;

export = { code, info, pending, text: token + version, wrong };
