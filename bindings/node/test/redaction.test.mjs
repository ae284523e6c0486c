// Secrets are not text: nothing that is printed by accident holds one.

import assert from 'node:assert/strict';
import test from 'node:test';
import { inspect } from 'node:util';
import { serialize } from 'node:v8';
import { presign, Signer } from 'rdstoken';
import { CREDENTIALS, environment, fresh, LOGIN, loopback, PRESIGN } from './helpers.mjs';

function assertSilent(text, about) {
  for (const secret of [CREDENTIALS.secretAccessKey, CREDENTIALS.sessionToken]) {
    assert.ok(!text.includes(secret), about);
    assert.ok(!text.includes(encodeURIComponent(secret)), about);
  }
}

const ALL = { depth: Number.POSITIVE_INFINITY, showHidden: true, getters: true };

for (const [what, credentials] of [
  ['credentials', CREDENTIALS],
  ['a function', () => CREDENTIALS],
]) {
  test(`a signer with ${what}`, () => shows(credentials));
}

async function shows(credentials) {
  const signer = new Signer({ ...LOGIN, credentials });
  const token = await signer.getAuthToken();
  for (const text of [
    inspect(signer, ALL),
    inspect({ pool: { signer } }, ALL),
    JSON.stringify(signer),
    String(signer),
    serialize(signer).toString('latin1'),
    inspect(Object.getOwnPropertyDescriptors(signer), ALL),
  ]) {
    assertSilent(text, 'of the signer');
    assert.ok(!text.includes(token));
  }
  assert.equal(inspect(signer), 'Signer {}');
  assert.equal(JSON.stringify(signer), '{}');
  assert.deepEqual(Reflect.ownKeys(signer), []);
  assertSilent(inspect([signer.stats(), signer.expiresAt, signer.password], ALL), 'of its parts');
}

test('errors about arguments do not quote them', () => {
  const { secretAccessKey: secret, sessionToken } = CREDENTIALS;
  const wrong = [
    ...['hostname', 'region'].map((field) => ({ ...PRESIGN, [field]: secret })),
    { ...PRESIGN, username: `${secret}\0` },
    { ...PRESIGN, port: secret },
    { ...PRESIGN, expiresIn: secret },
    { ...PRESIGN, signingTime: secret },
    { ...PRESIGN, credentials: secret },
    ...['accessKeyId', 'secretAccessKey', 'sessionToken'].flatMap((field) =>
      [`${secret}\n`, `${sessionToken}\ud800`, [secret], { secret }].map((value) => ({
        ...PRESIGN,
        credentials: { ...CREDENTIALS, [field]: value },
      })),
    ),
    { ...PRESIGN, credentials: { ...CREDENTIALS, expiration: secret } },
    { ...PRESIGN, credentials: { ...CREDENTIALS, expiration: new Date(0) } },
  ];
  for (const options of wrong) {
    assert.throws(
      () => presign(options),
      (error) => {
        assert.equal(error.name, 'RdsTokenError');
        assertSilent(inspect(error, ALL), error.code);
        return true;
      },
    );
  }
});

test('an error about a source does not quote its answer', async (t) => {
  const answers = [
    `{"AccessKeyId":"A","SecretAccessKey":"${CREDENTIALS.secretAccessKey}","Token":"${CREDENTIALS.sessionToken}"`,
    `{"SecretAccessKey":"${CREDENTIALS.secretAccessKey}","Token":"${CREDENTIALS.sessionToken}"}`,
    JSON.stringify({
      AccessKeyId: 'A',
      SecretAccessKey: CREDENTIALS.secretAccessKey,
      Token: CREDENTIALS.sessionToken,
      Expiration: CREDENTIALS.sessionToken,
    }),
    `${CREDENTIALS.secretAccessKey} ${CREDENTIALS.sessionToken}`,
  ];
  let current = '';
  const port = await loopback(t, (socket) => {
    socket.once('data', () => {
      socket.end(`HTTP/1.1 200 OK\r\ncontent-length: ${current.length}\r\n\r\n${current}`);
    });
  });
  environment(t, { AWS_CONTAINER_CREDENTIALS_FULL_URI: `http://127.0.0.1:${port}/` });
  for (const answer of answers) {
    current = answer;
    // One after the other: there is one endpoint.
    // biome-ignore lint/performance/noAwaitInLoops: see above
    await assert.rejects(fresh(LOGIN).getAuthToken(), (error) => {
      assert.equal(error.code, 'CredentialsFailed');
      assertSilent(inspect(error, ALL), answer.slice(0, 20));
      return true;
    });
  }
});
