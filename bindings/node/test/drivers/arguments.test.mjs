// What the adapters take: options that would win over the signer are refused, by name.

import assert from 'node:assert/strict';
import test from 'node:test';
import { mariadbOptions } from 'rdstoken/mariadb';
import { mysql2Options } from 'rdstoken/mysql2';
import { pgOptions } from 'rdstoken/pg';
import { postgresOptions } from 'rdstoken/postgres';
import { sequelizeOptions } from 'rdstoken/sequelize';
import { failure } from '../helpers.mjs';
import { SERVERS, signerFor } from './helpers.mjs';

const signer = signerFor(SERVERS.postgres);
const { hostname, port } = signer;

function sequelize(dialect) {
  return (who, options) => sequelizeOptions(who, { dialect, ...options });
}

const USER = { user: 'app' };
const USERNAME = { username: 'app' };
const ADAPTERS = [
  { make: pgOptions, user: USER, refused: ['connectionString', 'password'] },
  { make: postgresOptions, user: { ...USER, ...USERNAME }, refused: ['pass', 'path', 'socket'] },
  { make: mysql2Options, user: USER, refused: ['uri', 'socketPath', 'password1', 'passwordSha1'] },
  { make: mariadbOptions, user: USER, refused: ['socketPath', 'stream', 'permitRedirect'] },
  ...['postgres', 'mysql', 'mariadb'].map((dialect) => ({
    make: sequelize(dialect),
    user: USERNAME,
    refused: ['password', 'replication', 'native'],
  })),
];
const MYSQL = [mysql2Options, mariadbOptions, ...['mysql', 'mariadb'].map(viaDialect)];
const POSTGRES = [pgOptions, postgresOptions, viaDialect('postgres')];

/** Sequelize has the driver's TLS options in dialectOptions. */
function viaDialect(dialect) {
  return (who, dialectOptions) => sequelizeOptions(who, { dialect, dialectOptions });
}

const SEQUELIZES = ['postgres', 'mysql', 'mariadb'].map(sequelize);

test('the same login once more is fine', () => {
  for (const { make, user } of ADAPTERS) {
    make(signer, { host: hostname.toUpperCase(), port: String(port), ...user });
    make(signer, { host: null, port: undefined, caFile: null, hostaddr: null });
  }
});

test('another login is not', () => {
  for (const { make, user, refused } of ADAPTERS) {
    const others = { host: 'other', port: port + 1, hostaddr: 'localhost' };
    for (const field of Object.keys(user)) {
      others[field] = 'other';
    }
    for (const field of refused) {
      others[field] = 'something';
    }
    for (const [field, value] of Object.entries(others)) {
      assert.throws(() => make(signer, { [field]: value }), failure('InvalidArgument', field));
    }
  }
});

test('what would print the token is refused', () => {
  for (const [make, options, field] of [
    [mysql2Options, { debug: true }, 'debug'],
    [mysql2Options, { debug: ['ComQueryPacket'] }, 'debug'],
    [mariadbOptions, { debug: true }, 'debug'],
    [mariadbOptions, { logger: { network: () => undefined } }, 'logger'],
  ]) {
    assert.throws(() => make(signer, options), failure('InvalidArgument', field));
  }
  mysql2Options(signer, { debug: false });
  mariadbOptions(signer, { debug: false, logger: { query: () => undefined } });
});

test('TLS cannot be turned off', () => {
  for (const make of [...POSTGRES, ...MYSQL, ...SEQUELIZES]) {
    for (const ssl of [false, 'disable', 'allow', 'prefer']) {
      assert.throws(() => make(signer, { ssl }), failure('TlsRequired', 'ssl'));
    }
    for (const ssl of ['perhaps', 1, () => undefined]) {
      assert.throws(() => make(signer, { ssl }), failure('InvalidArgument', 'ssl'));
    }
    const servername = { ssl: { servername: 'other' } };
    assert.throws(() => make(signer, servername), failure('InvalidArgument', 'servername'));
    const both = { ssl: { ca: 'PEM' }, caFile: SERVERS.postgres.ca_file };
    assert.throws(() => make(signer, both), failure('InvalidArgument', 'caFile'));
  }
});

test('nor its verification, for MySQL', () => {
  for (const make of MYSQL) {
    for (const ssl of [
      ...['require', 'no-verify', 'verify-ca', { rejectUnauthorized: false }],
      ...[{ verifyIdentity: false }, { checkServerIdentity: () => undefined }],
    ]) {
      assert.throws(() => make(signer, { ssl }), failure('TlsRequired', 'ssl'));
    }
  }
});

test("Sequelize's own ssl counts too", () => {
  for (const make of SEQUELIZES) {
    assert.equal(make(signer, { ssl: { ca: 'PEM' } }).dialectOptions.ssl.ca, 'PEM');
  }
});

test('the default is verification in full; more may be asked for', () => {
  const full = { rejectUnauthorized: true, servername: hostname };
  for (const make of [pgOptions, postgresOptions]) {
    for (const ssl of [undefined, null, true, 'verify-full', {}]) {
      assert.deepEqual(make(signer, { ssl }).ssl, full);
    }
    assert.equal(make(signer, { ssl: 'require' }).ssl.rejectUnauthorized, false);
    assert.equal(make(signer, { ssl: 'verify-ca' }).ssl.checkServerIdentity(), undefined);
  }
  const more = { minVersion: 'TLSv1.3' };
  assert.deepEqual(mariadbOptions(signer, { ssl: more }).ssl, { ...full, ...more });
  assert.deepEqual(mysql2Options(signer, { ssl: more }).ssl, {
    ...full,
    ...more,
    verifyIdentity: true,
  });
  assert.deepEqual(more, { minVersion: 'TLSv1.3' });
});

test('no signer, no options', () => {
  for (const { make } of ADAPTERS) {
    for (const wrong of [undefined, null, {}, { hostname, port, username: 'app' }]) {
      assert.throws(() => make(wrong, {}), failure('InvalidArgument', 'signer'));
    }
  }
  for (const make of [pgOptions, postgresOptions, mysql2Options, mariadbOptions]) {
    make(signer);
    assert.throws(() => make(signer, 'url'), failure('InvalidArgument', 'options'));
  }
  for (const dialect of ['sqlite', undefined, 'constructor']) {
    const refusal = failure('InvalidArgument', 'dialect');
    assert.throws(() => sequelizeOptions(signer, { dialect }), refusal);
  }
  const both = { hostaddr: '127.0.0.1', stream: () => undefined };
  assert.throws(() => mysql2Options(signer, both), failure('InvalidArgument', 'hostaddr'));
});

test("what is handed on is the driver's alone", () => {
  for (const make of [pgOptions, postgresOptions, mysql2Options, mariadbOptions]) {
    const given = { caFile: SERVERS.postgres.ca_file, hostaddr: '127.0.0.1', database: 'd' };
    const made = make(signer, given);
    assert.equal(made.database, 'd');
    assert.ok(!('caFile' in made || 'hostaddr' in made));
    assert.match(made.ssl.ca, /BEGIN CERTIFICATE/u);
    assert.deepEqual(Object.keys(given), ['caFile', 'hostaddr', 'database']);
  }
});

test('hooks of the caller run after the adapter', () => {
  const mine = () => undefined;
  const { hooks } = sequelizeOptions(signer, {
    dialect: 'postgres',
    hooks: { beforeConnect: mine, afterConnect: mine },
  });
  assert.equal(hooks.beforeConnect.length, 2);
  assert.equal(hooks.beforeConnect[1], mine);
  assert.equal(hooks.afterConnect, mine);
});
