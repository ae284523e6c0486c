// Log records: what is told, to whom, and that no secret is in it.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import test from 'node:test';
import { isMainThread, Worker } from 'node:worker_threads';
import { Signer, setLogger } from 'rdstoken';
import { CREDENTIALS, LOGIN, PACKAGE, run } from './helpers.mjs';

const OPTIONS = { ...LOGIN, credentials: CREDENTIALS };
const CUSTOM = { ...OPTIONS, hostname: 'db.example.com', region: 'us-east-1' };
const later = (seconds) => new Date(Date.now() + seconds * 1000);

/** Collects the records until the test ends. */
function records(t, level) {
  const received = [];
  setLogger((record) => {
    assert.ok(isMainThread);
    received.push(record);
  }, level);
  t.after(() => setLogger(null));
  return received;
}

/** Records come soon after what they tell of. */
const soon = () => new Promise((resolve) => setTimeout(resolve, 30));

test('debug: each renewal and each signature', async (t) => {
  const received = records(t, 'debug');
  await new Signer({ ...LOGIN, credentials: () => CREDENTIALS }).getAuthToken();
  await soon();
  assert.deepEqual(received, [
    { level: 'debug', message: 'credentials renewed' },
    { level: 'debug', message: `token signed for ${LOGIN.hostname}:${LOGIN.port}` },
  ]);
});

test('warn, unless given: no more than warnings', async (t) => {
  const received = records(t);
  await new Signer(OPTIONS).getAuthToken();
  const signer = new Signer(CUSTOM);
  await signer.getAuthToken();
  signer.invalidate();
  await signer.getAuthToken();
  await soon();
  assert.deepEqual(
    received.map(({ level }) => level),
    ['warn'],
  );
  assert.match(received[0].message, /^db\.example\.com is not an RDS endpoint's name/u);
});

test('error: no warnings; warnHostname: false: not this one', async (t) => {
  const received = records(t, 'error');
  await new Signer(CUSTOM).getAuthToken();
  await soon();
  assert.deepEqual(received, []);
  setLogger((record) => received.push(record), 'warn');
  await new Signer({ ...CUSTOM, warnHostname: false }).getAuthToken();
  await soon();
  assert.deepEqual(received, []);
});

test('a renewal that fails while the old credentials serve is a warning', async (t) => {
  const received = records(t);
  let credentials = () => ({ ...CREDENTIALS, expiration: later(50) });
  const signer = new Signer({ ...LOGIN, credentials: () => credentials(), minValidity: 0 });
  await signer.getAuthToken();
  credentials = () => {
    throw new RangeError(CREDENTIALS.secretAccessKey);
  };
  await signer.getAuthToken();
  await soon();
  assert.equal(received.length, 1);
  assert.equal(received[0].level, 'warn');
  assert.match(received[0].message, /failed with RangeError/u);
});

test('the last logger gets the records, and null turns them off', async (t) => {
  const first = records(t, 'debug');
  const second = records(t, 'debug');
  await new Signer(OPTIONS).getAuthToken();
  await soon();
  assert.deepEqual([first.length, second.length], [0, 1]);
  setLogger(null);
  await new Signer(OPTIONS).getAuthToken();
  await soon();
  assert.deepEqual([first.length, second.length], [0, 1]);
});

test('no record holds a secret', async (t) => {
  const received = records(t, 'debug');
  const secret = CREDENTIALS.secretAccessKey;
  const tokens = [];
  for (const credentials of [
    CREDENTIALS,
    () => CREDENTIALS,
    () => secret,
    () => ({ ...CREDENTIALS, secretAccessKey: `${secret}\n` }),
    () => Promise.reject(new Error(secret)),
    () => Promise.reject(secret),
    () => ({ ...CREDENTIALS, expiration: later(-1) }),
  ]) {
    const signer = new Signer({ ...LOGIN, credentials });
    // biome-ignore lint/performance/noAwaitInLoops: one after the other
    tokens.push(await signer.getAuthToken().catch(() => 'none'));
  }
  await soon();
  assert.ok(received.length >= 8, `${received.length} records`);
  const text = JSON.stringify(received);
  const signatures = tokens.flatMap((token) => token.match(/Signature=(\w+)/u)?.[1] ?? []);
  assert.equal(signatures.length, 2);
  for (const each of [secret, CREDENTIALS.sessionToken, ...signatures]) {
    assert.ok(!text.includes(each));
    assert.ok(!text.includes(encodeURIComponent(each)));
  }
});

test('what a logger throws is an uncaught exception', async () => {
  const code = `
    const { Signer, setLogger } = require('rdstoken');
    process.on('uncaughtException', (error) => console.log(error.message));
    setLogger(() => { throw new Error('of the logger'); }, 'debug');
    new Signer(${JSON.stringify(OPTIONS)}).getAuthToken().then(() => console.log('made'));
  `;
  const ran = await run(process.execPath, ['--eval', code], { cwd: PACKAGE });
  const { stdout, ...rest } = ran;
  assert.deepEqual(rest, { status: 0, stderr: '' });
  assert.deepEqual(stdout.trim().split('\n').sort(), ['made', 'of the logger']);
});

test('while the thread is busy, 1024 records wait and more are dropped', async (t) => {
  const received = records(t, 'debug');
  const signer = new Signer({ ...OPTIONS, cache: false });
  // On the pool, unlike a token alone.
  const tokens = Array.from({ length: 1500 }, () => signer.getAuthTokenInfo());
  const start = performance.now();
  while (signer.stats().signed < 1500 && performance.now() - start < 20_000) {
    // Busy.
  }
  await Promise.all(tokens);
  await soon();
  assert.equal(signer.stats().signed, 1500);
  assert.equal(received.length, 1024);
});

test('a worker that set the logger ends; the process goes on, and can set another', async (t) => {
  const script = `
    const { parentPort, workerData } = require('node:worker_threads');
    const { setLogger } = require(workerData);
    setLogger((record) => parentPort.postMessage(record), 'debug');
    parentPort.postMessage('set');
    parentPort.on('message', () => parentPort.close());
  `;
  for (const end of [(worker) => worker.postMessage('end'), (worker) => worker.terminate()]) {
    const before = records(t, 'debug');
    const worker = new Worker(script, { eval: true, workerData: PACKAGE });
    const exited = once(worker, 'exit');
    // biome-ignore lint/performance/noAwaitInLoops: one after the other
    await once(worker, 'message');
    const message = once(worker, 'message');
    await new Signer(OPTIONS).getAuthToken();
    assert.equal((await message)[0].level, 'debug');
    end(worker);
    await exited;
    await Promise.all(Array.from({ length: 20 }, () => new Signer(OPTIONS).getAuthToken()));
    await soon();
    assert.deepEqual(before, []);
    const after = records(t, 'debug');
    await new Signer(OPTIONS).getAuthToken();
    await soon();
    assert.equal(after.length, 1);
  }
});
