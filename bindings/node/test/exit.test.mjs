// Leaving in the middle of a call does no harm.

import assert from 'node:assert/strict';
import test from 'node:test';
import { LOGIN, PACKAGE, run, silentEndpoint } from './helpers.mjs';

function script(then) {
  return `
    const { Signer } = require('rdstoken');
    new Signer({ ...${JSON.stringify(LOGIN)}, timeout: 800 }).getAuthToken().catch((error) => {
      console.log(error.code);
    });
    ${then}
  `;
}

/** Asks this function, with a timeout of 3 seconds; with `later`, exits 100 ms into it. */
function asking(credentials, later) {
  return `
    const { Signer } = require('rdstoken');
    const options = { ...${JSON.stringify(LOGIN)}, timeout: 3000, credentials: ${credentials} };
    new Signer(options).getAuthToken().then(
      () => console.log('made'),
      (error) => console.log(error.code),
    );
    ${later ? 'setTimeout(() => process.exit(7), 100);' : ''}
  `;
}

async function exit(t, then) {
  await silentEndpoint(t);
  return run(process.execPath, ['--eval', script(then)], { cwd: PACKAGE });
}

test('process.exit() under a call', async (t) => {
  assert.deepEqual(await exit(t, 'setTimeout(() => process.exit(7), 100);'), {
    status: 7,
    stdout: '',
    stderr: '',
  });
});

test('process.exit() while the credentials function is asked', async () => {
  for (const credentials of ['() => new Promise(() => {})', '() => process.exit(7)']) {
    const start = performance.now();
    // biome-ignore lint/performance/noAwaitInLoops: each is timed
    const ran = await run(process.execPath, ['--eval', asking(credentials, 'later')], {
      cwd: PACKAGE,
    });
    assert.deepEqual(ran, { status: 7, stdout: '', stderr: '' });
    const took = performance.now() - start;
    assert.ok(took < 2500, `${took} ms, though nothing waits for the function`);
  }
});

test('20 processes that exit as soon as the function is asked', async () => {
  const credentials =
    '() => { setImmediate(() => process.exit(7)); return new Promise(() => {}); }';
  for (let round = 0; round < 20; round += 1) {
    // biome-ignore lint/performance/noAwaitInLoops: two cores
    const ran = await run(process.execPath, ['--eval', asking(credentials)], { cwd: PACKAGE });
    assert.deepEqual(ran, { status: 7, stdout: '', stderr: '' });
  }
});

test('a process waits for the function it asked, and no longer', async () => {
  const credentials = `() => new Promise((resolve) => {
    setTimeout(resolve, 100, { accessKeyId: 'A', secretAccessKey: 's' });
  })`;
  const ran = await run(process.execPath, ['--eval', asking(credentials)], { cwd: PACKAGE });
  assert.deepEqual(ran, { status: 0, stdout: 'made\n', stderr: '' });
});

test('a function that never settles holds a process no longer than the timeout', async () => {
  const start = performance.now();
  const code = asking('() => new Promise(() => {})');
  const ran = await run(process.execPath, ['--eval', code], { cwd: PACKAGE });
  assert.deepEqual(ran, { status: 0, stdout: 'Timeout\n', stderr: '' });
  const took = performance.now() - start;
  assert.ok(took >= 3000 && took < 4500, `${took} ms`);
});

test('signers and loggers alone keep no process alive, and no record is lost', async () => {
  const code = `
    const { Signer, setLogger } = require('rdstoken');
    setLogger((record) => console.log(record.level), 'debug');
    globalThis.kept = new Signer({
      ...${JSON.stringify(LOGIN)},
      credentials: () => ({ accessKeyId: 'A', secretAccessKey: 's' }),
    });
    kept.getAuthToken();
  `;
  // Many times: it is a race.
  for (let round = 0; round < 30; round += 1) {
    const start = performance.now();
    // biome-ignore lint/performance/noAwaitInLoops: each is timed
    const ran = await run(process.execPath, ['--eval', code], { cwd: PACKAGE });
    assert.deepEqual(ran, { status: 0, stdout: 'debug\ndebug\n', stderr: '' });
    assert.ok(performance.now() - start < 2500);
  }
});

test('a process does not end before its calls', async (t) => {
  assert.deepEqual(await exit(t, ''), { status: 0, stdout: 'Timeout\n', stderr: '' });
});
