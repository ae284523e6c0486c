// The shared vectors: the same bytes as every other face.

import assert from 'node:assert/strict';
import test from 'node:test';
import { presign } from 'rdstoken';
import { failure, PRESIGN, parameters, shared } from './helpers.mjs';

const { cases } = shared('vectors/presign.json');
const { endpoints, look_alikes: lookAlikes, refused } = shared('vectors/endpoints.json');

function region(hostname) {
  const token = presign({ ...PRESIGN, hostname });
  return parameters(token)['X-Amz-Credential'].split('/')[2];
}

test('tokens', () => {
  assert.ok(cases.length > 30);
  for (const vector of cases) {
    const token = presign({
      hostname: vector.hostname,
      port: vector.port,
      username: vector.username,
      region: vector.region,
      credentials: {
        accessKeyId: vector.access_key_id,
        secretAccessKey: vector.secret_access_key,
        sessionToken: vector.session_token,
      },
      signingTime: new Date(vector.signing_time * 1000),
      expiresIn: vector.expires_in,
    });
    assert.equal(token, vector.token, vector.name);
  }
});

test('the region of every kind of endpoint', () => {
  assert.ok(endpoints.length > 20);
  for (const endpoint of endpoints) {
    if (endpoint.region === null) {
      assert.throws(() => region(endpoint.hostname), failure('RegionNotFound'), endpoint.kind);
    } else {
      assert.equal(region(endpoint.hostname), endpoint.region, endpoint.kind);
    }
  }
});

test('look-alikes name no region', () => {
  assert.ok(lookAlikes.length > 20);
  for (const hostname of lookAlikes) {
    assert.throws(() => region(hostname), failure('RegionNotFound'), hostname);
  }
});

test('what is no hostname is refused', () => {
  assert.ok(refused.length > 20);
  for (const { why, hostname } of refused) {
    assert.throws(() => region(hostname), failure('InvalidArgument', 'hostname'), why);
  }
});
