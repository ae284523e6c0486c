// An ESM consumer in TypeScript. Compiled, not run.

import {
  type AuthTokenInfo,
  type Credentials,
  type PresignOptions,
  presign,
  RdsTokenError,
  type RdsTokenErrorCode,
  Signer,
  type SignerOptions,
  version,
} from 'rdstoken';

const credentials: Credentials = { accessKeyId: 'a', secretAccessKey: 's' };
const temporary: Credentials = { ...credentials, sessionToken: 't', expiration: new Date() };
const options: SignerOptions = { hostname: 'h', port: 5432, username: 'u' };
const unset: SignerOptions = { ...options, region: undefined, profile: null, credentials: null };
const full: SignerOptions = { ...unset, credentials: temporary, expiresIn: 60, timeout: 1000 };
const signer: Signer = new Signer(full);
const token: string = await signer.getAuthToken();
const info: AuthTokenInfo = await signer.getAuthTokenInfo();
const expiresAt: Date = info.expiresAt;
const request: PresignOptions = { ...options, credentials, signingTime: expiresAt };
const text: string = presign(request) + token + info.value + version;

// As the AWS SDK's own type has it.
const frozen: { readonly accessKeyId: string; readonly secretAccessKey: string } = credentials;
new Signer({ ...options, credentials: frozen });

function code(error: unknown): RdsTokenErrorCode | undefined {
  if (error instanceof RdsTokenError) {
    const field: string | undefined = error.field;
    const asError: Error = error;
    return field === asError.message ? undefined : error.code;
  }
  return text === '' ? 'Timeout' : undefined;
}

// What must not compile.

// @ts-expect-error: the user is missing
new Signer({ hostname: 'h', port: 5432 });
// @ts-expect-error: a port is a number
new Signer({ ...options, port: '5432' });
// @ts-expect-error: the host is called hostname
new Signer({ host: 'h', port: 5432, username: 'u' });
// @ts-expect-error: functions are not taken
new Signer({ ...options, credentials: () => credentials });
// @ts-expect-error: the credentials are missing
presign({ ...options, signingTime: new Date() });
// @ts-expect-error: a time is a Date
presign({ ...request, signingTime: 0 });
// @ts-expect-error: it is a promise
const wrong: string = signer.getAuthToken();
// @ts-expect-error: no such code
const code2: RdsTokenErrorCode = 'BufferTooSmall';
// @ts-expect-error: the options are not there to be read
const secret = signer.credentials;

export { code, code2, secret, wrong };
