// Worker threads: each has its own instance of the addon. The main thread loads none at first, so
// that the last worker to end takes the addon with it.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import test from 'node:test';
import { Worker } from 'node:worker_threads';
import { CREDENTIALS, LOGIN, PACKAGE, signingTime, silentEndpoint } from './helpers.mjs';

const MAKES_TOKENS = `
  const { parentPort, workerData } = require('node:worker_threads');
  const { presign, RdsTokenError, Signer } = require(workerData.path);
  const signer = new Signer(workerData.options);
  Promise.all(Array.from({ length: 50 }, () => signer.getAuthToken())).then((tokens) => {
    let refused = false;
    try {
      presign({});
    } catch (error) {
      refused = error instanceof RdsTokenError;
    }
    parentPort.postMessage({ tokens, refused });
  });
`;

const WAITS = `
  const { parentPort, workerData } = require('node:worker_threads');
  const { Signer } = require(workerData.path);
  new Signer(workerData.options).getAuthToken().catch(() => {});
  parentPort.postMessage('waiting');
`;

const ASKS = `
  const { parentPort, threadId, workerData } = require('node:worker_threads');
  const { Signer } = require(workerData.path);
  const own = threadId;
  const options = { ...workerData.options };
  options.credentials = async () => {
    parentPort.postMessage('asked');
    await new Promise((resolve) => setTimeout(resolve, 20));
    return { ...workerData.credentials, accessKeyId: 'AKID' + (own === threadId ? own : 'OTHER') };
  };
  const signer = new Signer(options);
  Promise.all(Array.from({ length: 50 }, () => signer.getAuthToken())).then((tokens) => {
    parentPort.postMessage({ threadId, tokens });
  });
`;

/** Asks and is terminated: the function never settles, or answers all the time. */
const HANGS = `
  const { parentPort, workerData } = require('node:worker_threads');
  const { Signer, setLogger } = require(workerData.path);
  setLogger(() => {}, 'debug');
  const never = { ...workerData.options, timeout: 2000, credentials: () => new Promise(() => {}) };
  new Signer(never).getAuthToken().catch(() => {});
  const busy = new Signer({ ...never, credentials: () => workerData.credentials });
  (async () => {
    for (;;) {
      await busy.getAuthToken();
      busy.invalidate({ credentials: true });
    }
  })();
  parentPort.postMessage('waiting');
`;

function worker(script, options) {
  const workerData = { path: PACKAGE, options, credentials: CREDENTIALS };
  return new Worker(script, { eval: true, workerData });
}

async function round() {
  const options = { ...LOGIN, credentials: CREDENTIALS };
  const workers = Array.from({ length: 4 }, () => worker(MAKES_TOKENS, options));
  const ended = workers.map((each) => once(each, 'exit'));
  const messages = await Promise.all(workers.map((each) => once(each, 'message')));
  for (const status of await Promise.all(ended)) {
    assert.deepEqual(status, [0]);
  }
  return messages.flat();
}

test('several workers, and again when all have ended', async () => {
  const answers = [...(await round()), ...(await round()), ...(await round())];
  assert.equal(answers.length, 12);
  const { presign } = await import('rdstoken');
  for (const { tokens, refused } of answers) {
    assert.ok(refused);
    assert.equal(tokens.length, 50);
    for (const token of tokens) {
      const request = { ...LOGIN, credentials: CREDENTIALS, signingTime: signingTime(token) };
      assert.equal(token, presign(request));
    }
  }
});

test('a worker that is terminated under a call', async (t) => {
  await silentEndpoint(t);
  const waiting = worker(WAITS, { ...LOGIN, timeout: 800 });
  await once(waiting, 'message');
  await new Promise((resolve) => setTimeout(resolve, 100));
  await waiting.terminate();
  const answers = await round();
  assert.equal(answers.length, 4);
});

test('each worker is asked for its own credentials, on its own thread', async () => {
  const workers = Array.from({ length: 4 }, () => worker(ASKS, LOGIN));
  const messages = workers.map((each) => {
    const received = [];
    each.on('message', (message) => received.push(message));
    return received;
  });
  const ids = workers.map(({ threadId }) => threadId);
  await Promise.all(workers.map((each) => once(each, 'exit')));
  for (const [index, [asked, { threadId, tokens }, ...more]] of messages.entries()) {
    assert.equal(asked, 'asked');
    assert.equal(threadId, ids[index]);
    assert.equal(new Set(tokens).size, 1);
    assert.ok(tokens[0].includes(`X-Amz-Credential=AKID${threadId}%2F`));
    assert.deepEqual(more, []);
  }
});

test('workers that are terminated while their functions are asked', async () => {
  for (let number = 0; number < 20; number += 1) {
    const hanging = [worker(HANGS, LOGIN), worker(HANGS, LOGIN)];
    // biome-ignore lint/performance/noAwaitInLoops: two cores
    await Promise.all(hanging.map((each) => once(each, 'message')));
    await new Promise((resolve) => setTimeout(resolve, number * 3));
    const start = performance.now();
    await Promise.all(hanging.map((each) => each.terminate()));
    const took = performance.now() - start;
    assert.ok(took < 1500, `${took} ms, though nothing waits for the functions`);
  }
  // Threads of theirs that still waited have come back by now, to nobody.
  await new Promise((resolve) => setTimeout(resolve, 2300));
  const answers = await round();
  assert.equal(answers.length, 4);
});
