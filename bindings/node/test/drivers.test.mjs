// Connection strings, limits and the one retry. What the strings hold is core's, and tested there;
// that they log in is tested in tests/drivers.

import assert from 'node:assert/strict';
import test from 'node:test';
import { checkLength, limits, Signer } from 'rdstoken';
import { CREDENTIALS, failure, LOGIN, nextSecond } from './helpers.mjs';

function signerOf(options = {}) {
  return new Signer({ ...LOGIN, credentials: CREDENTIALS, ...options });
}

test('a connection string holds the token', async () => {
  const signer = signerOf();
  const string = await signer.connectionString({
    driver: 'psqlodbc',
    form: 'connection-string',
    database: 'shop',
    caFile: '/ca.pem',
    hostaddr: '127.0.0.1',
    odbcDriver: 'mine',
  });
  const parts = ['Driver={mine};', 'Database=shop;', '/ca.pem', "hostaddr='127.0.0.1'"];
  const token = await signer.getAuthToken();
  for (const part of [`PWD={${token}}`, ...parts]) {
    assert.ok(string.includes(part), part);
  }
  assert.match(await signer.connectionString({ driver: 'libpq' }), /^host='/u);
});

test('a bad option of a connection string is named', async () => {
  const signer = signerOf();
  const cases = [
    [undefined, 'options'],
    [{}, 'driver'],
    [{ driver: 'oracle' }, 'driver'],
    [{ driver: 'libpq', form: 'prompt' }, 'form'],
    [{ driver: 'libpq', form: 1 }, 'form'],
    [{ driver: 'libpq', database: '' }, 'database'],
    [{ driver: 'mysql2', caFile: '/ca.pem' }, 'caFile'],
    [{ driver: 'pgjdbc', hostaddr: '127.0.0.1' }, 'hostaddr'],
    [{ driver: 'psqlodbc', odbcDriver: '' }, 'odbcDriver'],
    [{ driver: 'libpq', onLimit: 'ignore' }, 'onLimit'],
  ];
  const refused = ([options, field]) =>
    assert.rejects(signer.connectionString(options), failure('InvalidArgument', field));
  await Promise.all(cases.map(refused));
});

test('lengths are checked', () => {
  checkLength('mariadb-cli', 'prompt', 'x'.repeat(79));
  const tooLong = () => checkLength('mariadb-cli', 'prompt', 'x'.repeat(80));
  assert.throws(tooLong, failure('DriverLimit', undefined));
  assert.throws(tooLong, /up to 79 bytes, this one has 80/u);
  assert.throws(
    () => checkLength('mariadb-cli', 'odbc.ini', 'x'),
    failure('InvalidArgument', 'form'),
  );
  assert.throws(() => checkLength(1, 'prompt', 'x'), failure('InvalidArgument', 'driver'));
});

test('limits tell the table', () => {
  const row = (driver, form) => limits().find((it) => it.driver === driver && it.form === form);
  const { maxLength, beyond, written } = row('mariadb-cli', 'prompt');
  assert.deepEqual(
    { maxLength, beyond, written },
    { maxLength: 79, beyond: 'cut', written: false },
  );
  assert.equal(row('pg', 'uri').maxLength, undefined);
  assert.equal(row('pg', 'uri').written, true);
});

test('a refused token is tried again if it was handed out before', async () => {
  const signer = signerOf();
  assert.equal(signer.refused(await signer.getAuthToken()), false);
  await nextSecond();
  assert.equal(signer.refused(await signer.getAuthToken()), true);
  await signer.getAuthToken();
  assert.equal(signer.stats().signed, 2);
  assert.equal(signer.refused("somebody else's password"), false);
  assert.throws(() => signer.refused(1), failure('InvalidArgument', 'token'));
});

test('whom the tokens let in where', () => {
  const signer = signerOf({ hostname: 'DB.Example.com.', port: 3306, username: 'App' });
  const { hostname, port, username } = signer;
  assert.deepEqual(
    { hostname, port, username },
    {
      hostname: 'db.example.com',
      port: 3306,
      username: 'App',
    },
  );
});
