// A function of the caller's as the source of credentials.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { inspect } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import {
  fromIni,
  fromNodeProviderChain,
  fromTemporaryCredentials,
} from '@aws-sdk/credential-providers';
import { presign, Signer } from 'rdstoken';
import {
  CREDENTIALS,
  directory,
  environment,
  failure,
  LOGIN,
  loopback,
  PACKAGE,
  parameters,
  run,
  signingTime,
} from './helpers.mjs';

function assertSigned(token, credentials) {
  assert.equal(token, presign({ ...LOGIN, credentials, signingTime: signingTime(token) }));
}

const later = (seconds) => new Date(Date.now() + seconds * 1000);
const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

for (const [what, credentials] of [
  ['a function', () => CREDENTIALS],
  ['an async function', async () => CREDENTIALS],
  ['a slow one', () => sleep(50).then(() => CREDENTIALS)],
  // biome-ignore lint/suspicious/noThenProperty: a thenable is what is tested
  ['a thenable', () => ({ then: (resolve) => resolve(CREDENTIALS) })],
  ['null for what is not there', () => ({ ...CREDENTIALS, expiration: null })],
]) {
  test(what, async () => {
    assertSigned(await new Signer({ ...LOGIN, credentials }).getAuthToken(), CREDENTIALS);
  });
}

test('it is called without arguments, and without a receiver', async () => {
  let seen;
  function credentials(...args) {
    seen = { args, receiver: this };
    return CREDENTIALS;
  }
  await new Signer({ ...LOGIN, credentials }).getAuthToken();
  assert.deepEqual(seen, { args: [], receiver: undefined });
});

test('the token does not outlive its credentials', async () => {
  const expiration = later(400);
  const credentials = () => ({ ...CREDENTIALS, expiration });
  const { expiresAt } = await new Signer({ ...LOGIN, credentials }).getAuthTokenInfo();
  assert.equal(expiresAt.getTime(), expiration.getTime());
});

test('expired credentials', async () => {
  const credentials = () => ({ ...CREDENTIALS, expiration: later(-1) });
  const signer = new Signer({ ...LOGIN, credentials });
  await assert.rejects(signer.getAuthToken(), failure('CredentialsExpired'));
});

test('200 calls at once: one question, one signature', async () => {
  let calls = 0;
  const credentials = async () => {
    calls += 1;
    await sleep(50);
    return { ...CREDENTIALS, expiration: later(3600) };
  };
  const signer = new Signer({ ...LOGIN, credentials });
  const tokens = await Promise.all(Array.from({ length: 200 }, () => signer.getAuthToken()));
  assert.equal(new Set(tokens).size, 1);
  assert.equal(calls, 1);
  const { signed, reused, renewals, failures } = signer.stats();
  assert.deepEqual(
    { signed, reused, renewals, failures },
    { signed: 1, reused: 199, renewals: 1, failures: 0 },
  );
});

test('without a cache, each of the calls is signed for, with one question', async () => {
  let calls = 0;
  const credentials = async () => {
    calls += 1;
    await sleep(20);
    return CREDENTIALS;
  };
  const signer = new Signer({ ...LOGIN, credentials, cache: false });
  await Promise.all(Array.from({ length: 20 }, () => signer.getAuthToken()));
  assert.equal(calls, 1);
  assert.equal(signer.stats().signed, 20);
});

test('signers with the same function share what it gives', async () => {
  let calls = 0;
  const credentials = () => {
    calls += 1;
    return { ...CREDENTIALS, expiration: later(3600) };
  };
  const [one, other] = [1111, 2222].map((port) => new Signer({ ...LOGIN, port, credentials }));
  await one.getAuthToken();
  await other.getAuthToken();
  assert.equal(calls, 1);
  one.invalidate({ credentials: true });
  await other.getAuthToken();
  assert.equal(calls, 2);
});

class SourceError extends Error {
  name = 'SourceError';
}
const SECRET = CREDENTIALS.secretAccessKey;
const liar = Object.defineProperty(new Error(SECRET), 'name', {
  get() {
    throw new Error(SECRET);
  },
});

for (const [what, credentials, expected] of [
  [
    'throws',
    () => {
      throw new SourceError(SECRET);
    },
    /failed with SourceError$/u,
  ],
  ['rejects', () => Promise.reject(new RangeError(SECRET)), /failed with RangeError$/u],
  [
    'throws a string',
    () => {
      throw SECRET;
    },
    /failed with a value of type string$/u,
  ],
  ['rejects with nothing', () => Promise.reject(), /failed with a value of type undefined$/u],
  [
    'has an error with a secret for its name',
    () => {
      throw Object.assign(new Error('a'), { name: SECRET });
    },
    /failed with an Error$/u,
  ],
  [
    'has an error that throws',
    () => {
      throw liar;
    },
    /failed with a value of type object$/u,
  ],
  [
    'gives nothing',
    () => undefined,
    /unusable credentials: credentials: expected an object, got undefined$/u,
  ],
  ['gives a string', () => SECRET, /unusable credentials: credentials: expected an object/u],
  [
    'gives an empty object',
    async () => ({}),
    /unusable credentials: accessKeyId: expected a string/u,
  ],
  [
    'gives a number for a key',
    () => ({ ...CREDENTIALS, secretAccessKey: 1 }),
    /secretAccessKey: expected a string, got number$/u,
  ],
  [
    'gives a key with a line end',
    () => ({ ...CREDENTIALS, secretAccessKey: `${SECRET}\n` }),
    /unusable credentials: secretAccessKey: expected visible ASCII/u,
  ],
  [
    'gives a text for the expiry',
    () => ({ ...CREDENTIALS, expiration: SECRET }),
    /expiration: expected a Date, got string$/u,
  ],
  [
    'gives a getter that throws',
    () => ({
      get accessKeyId() {
        throw new SourceError(SECRET);
      },
    }),
    /unusable credentials: SourceError$/u,
  ],
]) {
  test(`a function that ${what}`, async () => {
    const signer = new Signer({ ...LOGIN, credentials });
    await assert.rejects(signer.getAuthToken(), (error) => {
      failure('CredentialsFailed')(error);
      assert.match(error.message, expected);
      assert.ok(!inspect(error, { depth: 9, showHidden: true }).includes(SECRET));
      return true;
    });
    const { failures, lastError } = signer.stats();
    assert.deepEqual({ failures, lastError }, { failures: 1, lastError: 'CredentialsFailed' });
  });
}

test('a function that never settles: the deadline holds, also when it is collected', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc');
  const start = performance.now();
  const signer = new Signer({
    ...LOGIN,
    timeout: 400,
    credentials: () => new Promise(() => undefined),
  });
  const pending = signer.getAuthToken();
  const collecting = setInterval(collect, 20);
  await assert.rejects(pending, failure('Timeout'));
  clearInterval(collecting);
  const took = performance.now() - start;
  assert.ok(took >= 390 && took < 650, `${took} ms`);
});

test('a late answer is dropped, and a later call asks again', async () => {
  let calls = 0;
  const credentials = async () => {
    calls += 1;
    await sleep(calls === 1 ? 300 : 0);
    return { ...CREDENTIALS, accessKeyId: `AKID${calls}` };
  };
  const signer = new Signer({ ...LOGIN, timeout: 100, credentials });
  await assert.rejects(signer.getAuthToken(), failure('Timeout'));
  await sleep(1300); // the pause after a failure
  const token = await signer.getAuthToken();
  assert.ok(parameters(token)['X-Amz-Credential'].startsWith('AKID2/'));
});

test('a token that is still valid is handed out while the function fails', async () => {
  let credentials = () => ({ ...CREDENTIALS, expiration: later(50) });
  const signer = new Signer({ ...LOGIN, credentials: () => credentials(), minValidity: 0 });
  const token = await signer.getAuthToken();
  credentials = () => {
    throw new SourceError('down');
  };
  assert.equal(await signer.getAuthToken(), token);
  assert.equal(signer.stats().failures, 1);
});

test("the AWS SDK's providers", async (t) => {
  const path = directory(t);
  const filepath = join(path, 'credentials');
  writeFileSync(filepath, '[app]\naws_access_key_id = AKIDAPP\naws_secret_access_key = app\n');
  environment(t, { AWS_ACCESS_KEY_ID: 'AKIDENV', AWS_SECRET_ACCESS_KEY: 'env' });
  const app = { accessKeyId: 'AKIDAPP', secretAccessKey: 'app' };
  const ini = new Signer({ ...LOGIN, credentials: fromIni({ profile: 'app', filepath }) });
  assertSigned(await ini.getAuthToken(), app);
  const chain = new Signer({ ...LOGIN, credentials: fromNodeProviderChain() });
  assertSigned(await chain.getAuthToken(), { accessKeyId: 'AKIDENV', secretAccessKey: 'env' });
});

/** STS as far as AssumeRole goes; resolves the requests' bodies. */
async function sts(t, expiration) {
  const bodies = [];
  const port = await loopback(t, (socket) => {
    let request = '';
    socket.on('data', (data) => {
      request += data;
      const [head, body] = request.split('\r\n\r\n');
      const length = Number(head.match(/content-length: (\d+)/iu)?.[1]);
      if (body === undefined || body.length < length) {
        return;
      }
      bodies.push(new URLSearchParams(body));
      const answer = `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult>
        <AssumedRoleUser><AssumedRoleId>A:b</AssumedRoleId><Arn>arn:aws:sts::123456789012:assumed-role/app/x</Arn></AssumedRoleUser>
        <Credentials><AccessKeyId>AKIDROLE</AccessKeyId><SecretAccessKey>${CREDENTIALS.secretAccessKey}</SecretAccessKey>
        <SessionToken>${CREDENTIALS.sessionToken}</SessionToken><Expiration>${expiration.toISOString()}</Expiration></Credentials>
        </AssumeRoleResult></AssumeRoleResponse>`;
      socket.end(
        `HTTP/1.1 200 OK\r\ncontent-type: text/xml\r\nconnection: close\r\ncontent-length: ${answer.length}\r\n\r\n${answer}`,
      );
    });
  });
  return { bodies, endpoint: `http://127.0.0.1:${port}` };
}
const ROLE = 'arn:aws:iam::123456789012:role/app';
const OF_ROLE = { ...CREDENTIALS, accessKeyId: 'AKIDROLE' };

test("the AWS SDK's fromTemporaryCredentials", async (t) => {
  const { bodies, endpoint } = await sts(t, later(3600));
  const credentials = fromTemporaryCredentials({
    masterCredentials: { accessKeyId: 'AKIDMASTER', secretAccessKey: 'master' },
    params: { RoleArn: ROLE, RoleSessionName: 'sdk' },
    clientConfig: { region: 'us-east-1', endpoint },
  });
  const signer = new Signer({ ...LOGIN, credentials });
  await Promise.all(Array.from({ length: 50 }, () => signer.getAuthToken()));
  assertSigned(await signer.getAuthToken(), OF_ROLE);
  assert.equal(bodies.length, 1);
  assert.equal(bodies[0].get('RoleSessionName'), 'sdk');
});

test('a role on top of the function', async (t) => {
  const { bodies, endpoint } = await sts(t, later(3600));
  environment(t, { AWS_ENDPOINT_URL_STS: endpoint });
  const credentials = async () => ({ accessKeyId: 'AKIDBASE', secretAccessKey: 'base' });
  const options = { roleArn: ROLE, roleSessionName: 'ours', externalId: 'ext-1' };
  assertSigned(await new Signer({ ...LOGIN, credentials, ...options }).getAuthToken(), OF_ROLE);
  const [body] = bodies;
  assert.deepEqual(
    ['RoleArn', 'RoleSessionName', 'ExternalId'].map((name) => body.get(name)),
    [ROLE, 'ours', 'ext-1'],
  );
});

test('functions that need the libuv pool do not starve, with more signers than it has threads', async () => {
  const script = `
    import { readFile } from 'node:fs/promises';
    import { lookup } from 'node:dns/promises';
    import { isMainThread } from 'node:worker_threads';
    import { Signer } from 'rdstoken';
    const signers = Array.from({ length: 8 }, (_, number) => new Signer({
      ...${JSON.stringify(LOGIN)},
      port: 1000 + number,
      credentials: async () => {
        await readFile('package.json');
        await lookup('localhost');
        return { ...${JSON.stringify(CREDENTIALS)}, accessKeyId: isMainThread ? 'AKIDMAIN' : 'AKIDOTHER' };
      },
    }));
    const tokens = await Promise.all(signers.map((signer) => signer.getAuthToken()));
    console.log(tokens.filter((token) => token.includes('AKIDMAIN')).length);
  `;
  const start = performance.now();
  const ran = await run(process.execPath, ['--input-type=module', '--eval', script], {
    cwd: PACKAGE,
    env: { ...process.env, UV_THREADPOOL_SIZE: '4' },
  });
  assert.deepEqual(ran, { status: 0, stdout: '8\n', stderr: '' });
  assert.ok(performance.now() - start < 4000, 'a deadline had to end it');
});

test('a signer and its function are collected', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc');
  let collected = 0;
  const registry = new FinalizationRegistry(() => {
    collected += 1;
  });
  async function use() {
    const credentials = async () => CREDENTIALS;
    registry.register(credentials, undefined);
    const signer = new Signer({ ...LOGIN, credentials });
    registry.register(signer, undefined);
    await signer.getAuthToken();
  }
  await Promise.all(Array.from({ length: 50 }, use));
  // First the signers, then, a turn later, what they held.
  for (let round = 0; round < 20 && collected < 100; round += 1) {
    collect();
    // biome-ignore lint/performance/noAwaitInLoops: one round after the other
    await sleep(20);
  }
  assert.ok(collected >= 98, `${collected} of 100`);
});
