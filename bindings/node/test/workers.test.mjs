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

function worker(script, options) {
  return new Worker(script, { eval: true, workerData: { path: PACKAGE, options } });
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
