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

test('a process does not end before its calls', async (t) => {
  assert.deepEqual(await exit(t, ''), { status: 0, stdout: 'Timeout\n', stderr: '' });
});
