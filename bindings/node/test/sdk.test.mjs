// The same request as AWS's SDK signs, and so the same signature. Only the order differs.

import assert from 'node:assert/strict';
import test from 'node:test';
import { presign } from 'rdstoken';
import { LOGIN, parameters, shared } from './helpers.mjs';
import { sdkParameters } from './sdk.mjs';

// Where the SDK signs something else on purpose or by accident, botocore's vectors speak alone.
const SAME_REQUEST = shared('vectors/presign.json').cases.filter(
  ({ hostname, port, expires_in: expiresIn, session_token: sessionToken }) =>
    hostname === hostname.toLowerCase() && // it signs upper case as given,
    !hostname.endsWith('.') && // and a final dot,
    port !== 443 && // drops the port that is https's own,
    expiresIn === 900 && // has no other expiry,
    sessionToken !== '', // and signs an empty session token
);

test('the parameters are those of @aws-sdk/rds-signer, signature and all', async (t) => {
  assert.ok(SAME_REQUEST.length > 30);
  for (const vector of SAME_REQUEST) {
    const options = {
      hostname: vector.hostname,
      port: vector.port,
      username: vector.username,
      region: vector.token.match(/%2F\d{8}%2F(.+?)%2Frds-db/u)[1],
      credentials: {
        accessKeyId: vector.access_key_id,
        secretAccessKey: vector.secret_access_key,
        ...(vector.session_token && { sessionToken: vector.session_token }),
      },
    };
    const signingTime = new Date(vector.signing_time * 1000);
    // The clock is one for all.
    // biome-ignore lint/performance/noAwaitInLoops: see above
    const theirs = await sdkParameters(t, options, signingTime);
    assert.deepEqual(parameters(presign({ ...options, signingTime })), theirs, vector.name);
  }
});

test('the options of the SDK are taken as they are', async () => {
  const { Signer: Theirs } = await import('@aws-sdk/rds-signer');
  const { Signer: Ours } = await import('rdstoken');
  const options = {
    ...LOGIN,
    region: 'us-east-1',
    credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret' },
  };
  const [theirs, ours] = await Promise.all(
    [Theirs, Ours].map((Signer) => new Signer(options).getAuthToken()),
  );
  assert.deepEqual(Object.keys(parameters(ours)).sort(), Object.keys(parameters(theirs)).sort());
});
