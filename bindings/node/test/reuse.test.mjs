// Tokens that are handed out again: without waiting, and without the libuv pool.

import assert from 'node:assert/strict';
import { pbkdf2 } from 'node:crypto';
import test from 'node:test';
import { promisify } from 'node:util';
import { presign, Signer } from 'rdstoken';
import { CREDENTIALS, LOGIN, nextSecond, parameters, signingTime } from './helpers.mjs';

const OPTIONS = { ...LOGIN, credentials: CREDENTIALS };
const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

test('a token is reused', async () => {
  const signer = new Signer(OPTIONS);
  const token = await signer.getAuthToken();
  await nextSecond();
  assert.equal(await signer.getAuthToken(), token);
  assert.equal((await signer.getAuthTokenInfo()).value, token);
  assert.equal(await signer.password(), token);
  const { signed, reused } = signer.stats();
  assert.deepEqual({ signed, reused }, { signed: 1, reused: 3 });
});

test('cache: false signs anew each time', async () => {
  const signer = new Signer({ ...OPTIONS, cache: false });
  const token = await signer.getAuthToken();
  await nextSecond();
  assert.notEqual(await signer.getAuthToken(), token);
  const { signed, reused } = signer.stats();
  assert.deepEqual({ signed, reused }, { signed: 2, reused: 0 });
});

test('a token is signed at once with credentials at hand', async () => {
  for (const cache of [true, false]) {
    const signer = new Signer({ ...OPTIONS, cache });
    const made = signer.getAuthToken();
    assert.equal(signer.stats().signed, 1);
    assert.equal(parameters(await made)['X-Amz-Expires'], '900');
  }
});

test('many signatures at once leave the event loop its turns', async () => {
  const signer = new Signer({ ...OPTIONS, cache: false });
  let turns = 0;
  const turn = () => {
    turns += 1;
    next = setImmediate(turn);
  };
  let next = setImmediate(turn);
  const tokens = await Promise.all(Array.from({ length: 2000 }, () => signer.getAuthToken()));
  clearImmediate(next);
  assert.equal(tokens.length, 2000);
  assert.equal(signer.stats().signed, 2000);
  assert.ok(turns >= 3);
});

test('what fails at once is told as what fails later', async () => {
  const expiration = new Date(Date.now() - 1000);
  const signer = new Signer({ ...LOGIN, credentials: { ...CREDENTIALS, expiration } });
  await assert.rejects(signer.getAuthToken(), { code: 'CredentialsExpired' });
});

test('refused: the token that is kept is forgotten', async () => {
  const signer = new Signer(OPTIONS);
  const token = await signer.getAuthToken();
  await nextSecond();
  assert.equal(await signer.getAuthToken(), token);
  assert.equal(signer.refused(token), true);
  const fresh = await signer.getAuthToken();
  assert.notEqual(fresh, token);
  assert.equal(await signer.getAuthToken(), fresh);
});

test('a token that another signer had renewed is not kept', async () => {
  let calls = 0;
  const credentials = () => {
    calls += 1;
    return { ...CREDENTIALS, accessKeyId: `AKID${calls}` };
  };
  const signers = [0, 1].map(() => new Signer({ ...LOGIN, credentials }));
  const keys = async () => {
    const tokens = await Promise.all(signers.map((signer) => signer.getAuthToken()));
    return tokens.map((token) => parameters(token)['X-Amz-Credential'].split('/')[0]);
  };
  await keys();
  assert.deepEqual(await keys(), ['AKID1', 'AKID1']);
  signers[0].invalidate({ credentials: true });
  await signers[0].getAuthToken();
  assert.deepEqual(await keys(), ['AKID2', 'AKID2']);
});

test('many calls at once hold up the event loop for a moment only', async () => {
  let asked = 0;
  const credentials = async () => {
    asked += 1;
    await sleep(20);
    return CREDENTIALS;
  };
  const signer = new Signer({ ...LOGIN, credentials });
  const tokens = await Promise.all(Array.from({ length: 10_000 }, () => signer.getAuthToken()));
  assert.equal(new Set(tokens).size, 1);
  const { signed, reused } = signer.stats();
  assert.deepEqual({ asked, signed, reused }, { asked: 1, signed: 1, reused: 9999 });
});

test('minValidity: a token that lives too short is not reused', async () => {
  const signer = new Signer({ ...OPTIONS, expiresIn: 2, minValidity: 1 });
  const token = await signer.getAuthToken();
  await sleep(1100);
  assert.notEqual(await signer.getAuthToken(), token);
});

test('align: signed as of the last multiple', async () => {
  const token = await new Signer({ ...OPTIONS, align: 600 }).getAuthToken();
  const time = signingTime(token);
  assert.equal(time.getTime() % 600_000, 0);
  assert.ok(Date.now() - time.getTime() < 601_000);
  assert.equal(token, presign({ ...OPTIONS, signingTime: time }));
});

test('invalidate: the next call signs a new one', async () => {
  const signer = new Signer(OPTIONS);
  const token = await signer.getAuthToken();
  await nextSecond();
  signer.invalidate();
  assert.notEqual(await signer.getAuthToken(), token);
  assert.equal(signer.stats().signed, 2);
});

test('invalidate: with the credentials, and only then', async () => {
  let calls = 0;
  const credentials = () => {
    calls += 1;
    return { ...CREDENTIALS, accessKeyId: `AKID${calls}` };
  };
  const signer = new Signer({ ...LOGIN, credentials });
  const key = async () => parameters(await signer.getAuthToken())['X-Amz-Credential'].split('/')[0];
  assert.equal(await key(), 'AKID1');
  signer.invalidate();
  assert.equal(await key(), 'AKID1');
  signer.invalidate({ credentials: true });
  assert.equal(await key(), 'AKID2');
});

test('invalidate under a call: who asks afterwards is not given what was begun before', async () => {
  let calls = 0;
  const credentials = async () => {
    calls += 1;
    const accessKeyId = `AKID${calls}`;
    await sleep(100);
    return { ...CREDENTIALS, accessKeyId };
  };
  const signer = new Signer({ ...LOGIN, credentials, cache: true });
  await signer.getAuthToken();
  signer.invalidate({ credentials: true });
  const before = signer.getAuthToken();
  await sleep(150);
  signer.invalidate({ credentials: true });
  const after = signer.getAuthToken();
  assert.ok((await before).includes('AKID2'));
  assert.ok((await after).includes('AKID3'));
});

test('stats and expiresAt', async () => {
  const signer = new Signer(OPTIONS);
  assert.equal(signer.expiresAt, undefined);
  assert.deepEqual(signer.stats(), {
    signed: 0,
    reused: 0,
    renewals: 0,
    failures: 0,
    lastError: undefined,
    expiresAt: undefined,
  });
  const { expiresAt } = await signer.getAuthTokenInfo();
  assert.ok(signer.expiresAt instanceof Date);
  assert.deepEqual(signer.expiresAt, expiresAt);
  assert.deepEqual(signer.stats().expiresAt, expiresAt);
});

test('password is one bound function', async () => {
  const signer = new Signer(OPTIONS);
  const { password } = signer;
  assert.equal(password, signer.password);
  assert.equal(await password(), await signer.getAuthToken());
});

test('a hit needs no thread of a pool that is busy', async () => {
  const signer = new Signer(OPTIONS);
  const token = await signer.getAuthToken();
  const threads = Number(process.env.UV_THREADPOOL_SIZE ?? 4);
  const hash = promisify(pbkdf2);
  let free = false;
  const busy = Promise.all(
    Array.from({ length: threads * 2 }, () => hash('a', 'b', 300_000, 64, 'sha512')),
  ).then(() => {
    free = true;
  });
  const start = performance.now();
  for (let count = 0; count < 1000; count += 1) {
    // biome-ignore lint/performance/noAwaitInLoops: one after the other is what is measured
    assert.equal(await signer.getAuthToken(), token);
  }
  const took = performance.now() - start;
  assert.ok(!free, 'the pool was not busy long enough');
  assert.ok(took < 200, `${took} ms for 1000 hits`);

  signer.invalidate();
  await signer.getAuthToken();
  assert.ok(!free, 'nor does a signature with credentials at hand');

  // The counterpart: a fetch does wait for the pool.
  let missed = false;
  const miss = new Signer({ ...LOGIN, profile: 'nobody' }).getAuthToken().catch(() => {
    missed = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  assert.ok(!missed);
  await Promise.all([busy, miss]);
});

test('200 calls at once on static credentials: one signature', async () => {
  const signer = new Signer(OPTIONS);
  await Promise.all(Array.from({ length: 200 }, () => signer.getAuthToken()));
  const { signed, reused } = signer.stats();
  assert.deepEqual({ signed, reused }, { signed: 1, reused: 199 });
});
