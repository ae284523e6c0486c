// An ESM consumer in TypeScript. Compiled, not run.

import {
  type AuthTokenInfo,
  type Credentials,
  type CredentialsFunction,
  type InvalidateOptions,
  type LogLevel,
  type LogRecord,
  type PresignOptions,
  presign,
  RdsTokenError,
  type RdsTokenErrorCode,
  Signer,
  type SignerOptions,
  type SignerStats,
  setLogger,
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

// A provider of the AWS SDK.
const provider = async (_properties?: Record<string, unknown>) => frozen;
const sync: CredentialsFunction = () => credentials;
new Signer({ ...options, credentials: provider });
new Signer({ ...options, credentials: sync });
new Signer({
  ...options,
  roleArn: 'r',
  roleSessionName: 's',
  externalId: 'e',
  minValidity: 1,
  align: 1,
  cache: false,
  advisoryWindow: 1,
  mandatoryWindow: 1,
  warnHostname: false,
});
const password: () => Promise<string> = signer.password;
const expiry: Date | undefined = signer.expiresAt;
const stats: SignerStats = signer.stats();
const signed: number = stats.signed;
const lastError: RdsTokenErrorCode | undefined = stats.lastError;
const invalidation: InvalidateOptions = { credentials: true };
signer.invalidate(invalidation);
signer.invalidate();
const level: LogLevel = 'debug';
setLogger((record: LogRecord) => record.message + record.level, level);
setLogger(null);

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
// @ts-expect-error: the function gives no credentials
new Signer({ ...options, credentials: () => 'a' });
// @ts-expect-error: no such level
setLogger(null, 'trace');
// @ts-expect-error: it cannot be set
signer.password = () => 'a';
// @ts-expect-error: functions are not taken
presign({ ...request, credentials: () => credentials });
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

export { code, code2, expiry, lastError, password, secret, signed, wrong };
