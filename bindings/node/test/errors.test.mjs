// The error table, and what an error looks like.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import test from 'node:test';
import { presign, RdsTokenError, Signer } from 'rdstoken';
import { CREDENTIALS, LOGIN, PRESIGN, shared } from './helpers.mjs';

const native = createRequire(import.meta.url)('../native.cjs');

function caught(make) {
  try {
    make();
  } catch (error) {
    return error;
  }
  return assert.fail('nothing was thrown');
}

test('the codes are those of the error table', () => {
  const { errors } = shared('errors.json');
  assert.deepEqual(
    native.codes(),
    errors.map(({ kind }) => kind),
  );
  for (const { kind, node } of errors) {
    // Only C has buffers of the caller's.
    assert.equal(node, kind === 'BufferTooSmall' ? null : kind);
  }
});

test('an error that was thrown', () => {
  const error = caught(function caller() {
    presign({ ...PRESIGN, hostname: '' });
  });
  assert.ok(error instanceof RdsTokenError);
  assert.ok(error instanceof Error);
  assert.equal(error.name, 'RdsTokenError');
  assert.deepEqual(Object.keys(error), ['code', 'field']);
  assert.match(error.message, /^hostname: expected [^\n]+$/u);
  assert.ok(error.stack.startsWith(`RdsTokenError: ${error.message}\n`), error.stack);
  assert.match(error.stack, /at caller .*errors\.test\.mjs/u);
});

test('an error of a rejected promise', async () => {
  const credentials = { ...CREDENTIALS, expiration: new Date(0) };
  const signer = new Signer({ ...LOGIN, credentials });
  async function caller() {
    await signer.getAuthToken();
  }
  const error = await caller().catch((reason) => reason);
  assert.ok(error instanceof RdsTokenError);
  assert.equal(error.code, 'CredentialsExpired');
  assert.equal(error.field, undefined);
  assert.match(error.message, /^the credentials have expired[^\n]+$/u);
  assert.match(error.stack, /at async caller .*errors\.test\.mjs/u);
  await assert.rejects(signer.getAuthTokenInfo(), { code: 'CredentialsExpired' });
});

test('fields are spelt as JavaScript spells them', () => {
  for (const [options, field] of [
    [{ ...PRESIGN, expiresIn: 901 }, 'expiresIn'],
    [{ ...PRESIGN, signingTime: new Date(-1) }, 'signingTime'],
    [{ ...PRESIGN, credentials: { ...CREDENTIALS, secretAccessKey: '' } }, 'secretAccessKey'],
  ]) {
    const error = caught(() => presign(options));
    assert.equal(error.field, field);
    assert.ok(error.message.startsWith(`${field}: `), error.message);
  }
});
