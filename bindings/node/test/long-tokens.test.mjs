// Nothing is cut: tokens of 353 to 65,000 bytes pass whole.

import assert from 'node:assert/strict';
import test from 'node:test';
import { presign, Signer } from 'rdstoken';
import { CREDENTIALS, LOGIN, PRESIGN, parameters, signingTime } from './helpers.mjs';
import { sdkParameters } from './sdk.mjs';

const { sessionToken: _none, ...STATIC } = CREDENTIALS;
const SHORTEST = presign({ ...PRESIGN, credentials: STATIC }).length;

/** Options whose token has exactly this length: the user or the session token fills it up. */
function ofLength(length) {
  const missing = length - SHORTEST;
  const parameter = '&X-Amz-Security-Token='.length;
  if (missing <= parameter) {
    return { ...LOGIN, username: LOGIN.username + 'u'.repeat(missing), credentials: STATIC };
  }
  const sessionToken = 'T'.repeat(missing - parameter);
  return { ...LOGIN, credentials: { ...STATIC, sessionToken } };
}

const LENGTHS = [353, 354, 511, 512, 1023, 1024, 4095, 4096, 4097, 16_384, 32_767, 64_999, 65_000];

for (const length of LENGTHS) {
  test(`${length} bytes`, async (t) => {
    const options = ofLength(length);
    const token = await new Signer(options).getAuthToken();
    assert.equal(Buffer.byteLength(token), length);
    assert.match(token, /&X-Amz-Signature=[0-9a-f]{64}$/u);
    const now = signingTime(token);
    assert.equal(presign({ ...options, signingTime: now }), token);
    assert.deepEqual(parameters(token), await sdkParameters(t, options, now));
  });
}
