// The Signer and where it finds credentials and region.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { presign, Signer } from 'rdstoken';
import {
  CREDENTIALS,
  directory,
  environment,
  failure,
  fresh,
  LOGIN,
  loopback,
  parameters,
  signingTime,
  silentEndpoint,
} from './helpers.mjs';

const ENVIRONMENT = {
  AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
  AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
  AWS_SESSION_TOKEN: CREDENTIALS.sessionToken,
};
const CUSTOM = { ...LOGIN, hostname: 'db.example.com' };

/** The token is the one that presign makes of the same. */
function assertSigned(token, options) {
  assert.equal(token, presign({ ...options, signingTime: signingTime(token) }));
  const age = Date.now() - signingTime(token).getTime();
  assert.ok(age >= 0 && age < 60_000, `${age} ms old`);
}

/** The shared config and credentials files, with this content. */
function files(t, { config = '', credentials = '' }) {
  const path = directory(t);
  writeFileSync(join(path, 'config'), config);
  writeFileSync(join(path, 'credentials'), credentials);
  environment(t, {
    AWS_CONFIG_FILE: join(path, 'config'),
    AWS_SHARED_CREDENTIALS_FILE: join(path, 'credentials'),
  });
}

const PROFILES = {
  config: '[profile reporting]\nregion = eu-north-1\n',
  credentials: `
    [default]
    aws_access_key_id = AKIDDEFAULT
    aws_secret_access_key = default-secret
    [reporting]
    aws_access_key_id = AKIDREPORTING
    aws_secret_access_key = reporting-secret
    `.replaceAll(/^ +/gmu, ''),
};
const REPORTING = { accessKeyId: 'AKIDREPORTING', secretAccessKey: 'reporting-secret' };

test('given credentials', async () => {
  const options = { ...LOGIN, credentials: CREDENTIALS };
  assertSigned(await new Signer(options).getAuthToken(), options);
});

test('given region and expiry', async () => {
  const options = { ...CUSTOM, region: 'eu-west-3', expiresIn: 60, credentials: CREDENTIALS };
  const { value, expiresAt } = await new Signer(options).getAuthTokenInfo();
  assertSigned(value, options);
  assert.ok(expiresAt instanceof Date);
  assert.equal(expiresAt.getTime(), signingTime(value).getTime() + 60_000);
});

test('900 seconds unless given', async () => {
  const signer = new Signer({ ...LOGIN, credentials: CREDENTIALS });
  const { value, expiresAt } = await signer.getAuthTokenInfo();
  assert.equal(parameters(value)['X-Amz-Expires'], '900');
  assert.equal(expiresAt.getTime(), signingTime(value).getTime() + 900_000);
});

test('the token does not outlive the credentials', async () => {
  const expiration = new Date(Date.now() + 61_234);
  const credentials = { ...CREDENTIALS, expiration };
  const { value, expiresAt } = await new Signer({ ...LOGIN, credentials }).getAuthTokenInfo();
  assert.equal(parameters(value)['X-Amz-Expires'], '900');
  assert.equal(expiresAt.getTime(), expiration.getTime());
});

test('credentials are copied', async () => {
  const credentials = { ...CREDENTIALS };
  const signer = new Signer({ ...LOGIN, credentials });
  Object.assign(credentials, { accessKeyId: 'AKIDOTHER', sessionToken: 'other' });
  assertSigned(await signer.getAuthToken(), { ...LOGIN, credentials: CREDENTIALS });
});

test('the environment', async (t) => {
  environment(t, ENVIRONMENT);
  const options = { ...LOGIN, credentials: CREDENTIALS };
  assertSigned(await fresh(LOGIN).getAuthToken(), options);
});

test('the environment is read at the call', async (t) => {
  const signer = fresh(LOGIN);
  environment(t, ENVIRONMENT);
  assertSigned(await signer.getAuthToken(), { ...LOGIN, credentials: CREDENTIALS });
});

test('the region of the environment', async (t) => {
  const signer = new Signer({ ...CUSTOM, credentials: CREDENTIALS });
  await assert.rejects(signer.getAuthToken(), failure('RegionNotFound'));
  environment(t, { AWS_REGION: 'ap-south-2' });
  const options = { ...CUSTOM, region: 'ap-south-2', credentials: CREDENTIALS };
  assertSigned(await signer.getAuthToken(), options);
});

test('the default profile', async (t) => {
  files(t, PROFILES);
  const credentials = { accessKeyId: 'AKIDDEFAULT', secretAccessKey: 'default-secret' };
  assertSigned(await fresh(LOGIN).getAuthToken(), { ...LOGIN, credentials });
});

test('a named profile, with its region, before the environment', async (t) => {
  files(t, PROFILES);
  environment(t, ENVIRONMENT);
  const signer = fresh({ ...CUSTOM, profile: 'reporting' });
  const options = { ...CUSTOM, region: 'eu-north-1', credentials: REPORTING };
  assertSigned(await signer.getAuthToken(), options);
});

test('a profile that is not there', async (t) => {
  files(t, PROFILES);
  const signer = fresh({ ...LOGIN, profile: 'nobody' });
  await assert.rejects(signer.getAuthToken(), failure('CredentialsNotFound'));
});

test('a container, with an expiry', async (t) => {
  const Expiration = new Date(Math.ceil(Date.now() / 1000) * 1000 + 120_000);
  const port = await loopback(t, (socket) => {
    socket.once('data', () => {
      const body = JSON.stringify({
        AccessKeyId: CREDENTIALS.accessKeyId,
        SecretAccessKey: CREDENTIALS.secretAccessKey,
        Token: CREDENTIALS.sessionToken,
        Expiration,
      });
      socket.end(
        `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
      );
    });
  });
  environment(t, { AWS_CONTAINER_CREDENTIALS_FULL_URI: `http://127.0.0.1:${port}/` });
  const { value, expiresAt } = await fresh(LOGIN).getAuthTokenInfo();
  assertSigned(value, { ...LOGIN, credentials: CREDENTIALS });
  assert.equal(expiresAt.getTime(), Expiration.getTime());
});

test('a source that fails', async (t) => {
  files(t, { config: '[profile broken]\ncredential_process = false\n' });
  const signer = fresh({ ...LOGIN, profile: 'broken' });
  await assert.rejects(signer.getAuthToken(), failure('CredentialsFailed'));
});

test('credentials nowhere: soon, and with the names of the sources', async () => {
  const start = performance.now();
  await assert.rejects(fresh(LOGIN).getAuthToken(), (error) => {
    failure('CredentialsNotFound')(error);
    for (const source of ['AWS_ACCESS_KEY_ID', 'profile', 'web identity', 'ECS', 'EC2']) {
      assert.ok(error.message.includes(source), `${source}: ${error.message}`);
    }
    return true;
  });
  assert.ok(performance.now() - start < 5000);
});

test('many calls at once', async () => {
  const options = { ...LOGIN, credentials: CREDENTIALS };
  const signer = new Signer(options);
  const tokens = await Promise.all(Array.from({ length: 200 }, () => signer.getAuthToken()));
  for (const token of tokens) {
    assertSigned(token, options);
  }
});

test('a signer is collected, and not under a call', async (t) => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc');
  let collected = 0;
  const registry = new FinalizationRegistry(() => {
    collected += 1;
  });
  function call(what) {
    const signer = fresh(what);
    registry.register(signer, undefined);
    return signer.getAuthToken();
  }

  await silentEndpoint(t);
  const pending = call({ ...LOGIN, timeout: 500 });
  collect();
  await assert.rejects(pending, failure('Timeout'));

  const options = { ...LOGIN, credentials: CREDENTIALS };
  await Promise.all(Array.from({ length: 100 }, () => call(options)));
  collect();
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.ok(collected >= 100, `${collected} of 100`);
});
