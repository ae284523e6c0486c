// The wrong ways, each shown to fail, and what the adapters do about them.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { MikroORM } from '@mikro-orm/postgresql';
import { PrismaMariaDb } from '@prisma/adapter-mariadb';
import knex from 'knex';
import mariadb from 'mariadb';
import mysql from 'mysql2/promise';
import pg from 'pg';
import { mariadbOptions } from 'rdstoken/mariadb';
import { mysql2Options } from 'rdstoken/mysql2';
import { pgOptions } from 'rdstoken/pg';
import { sequelizeOptions } from 'rdstoken/sequelize';
import { Sequelize } from 'sequelize';
import { DataSource } from 'typeorm';
import { failure, PACKAGE, run } from '../helpers.mjs';
import { expiry, SERVERS, signerFor } from './helpers.mjs';

const { postgres, mariadb: maria } = SERVERS;

function parts(server, username) {
  return {
    host: server.host,
    port: server.port,
    user: username ?? 'app',
    database: server.dbname,
  };
}

function pgSsl(signer) {
  return pgOptions(signer, { caFile: postgres.ca_file }).ssl;
}

function mysqlSsl(signer) {
  return mysql2Options(signer, { caFile: maria.ca_file }).ssl;
}

const EMPTY_PASSWORD = /empty password/u;

describe('a URL', () => {
  test('makes pg ignore the password function', async () => {
    const signer = signerFor(postgres);
    const { host, port, user, database } = parts(postgres);
    const connectionString = `postgres://${user}@${host}:${port}/${database}`;
    const pool = new pg.Pool({ connectionString, password: signer.password, ssl: pgSsl(signer) });
    await assert.rejects(pool.query('SELECT 1'), EMPTY_PASSWORD);
    await pool.end();
    assert.equal(signer.stats().signed, 0);

    assert.throws(
      () => pgOptions(signer, { connectionString }),
      failure('InvalidArgument', 'connectionString'),
    );
    assert.throws(() => pgOptions(signer, connectionString), failure('InvalidArgument', 'options'));
  });

  test('makes TypeORM on pg ignore it too', async () => {
    const signer = signerFor(postgres);
    const { host, port, user, database } = parts(postgres);
    const url = `postgres://${user}@${host}:${port}/${database}`;
    const extra = { password: signer.password, ssl: pgSsl(signer) };
    const db = new DataSource({ type: 'postgres', url, extra });
    await assert.rejects(db.initialize(), EMPTY_PASSWORD);
    assert.equal(signer.stats().signed, 0);
  });

  test('may not make Sequelize connect elsewhere', async () => {
    const signer = signerFor(postgres);
    for (const [url, field] of [
      [`postgres://app@127.0.0.1:${postgres.port}/postgres`, 'host'],
      [`postgres://app@${postgres.host}:1/postgres`, 'port'],
      [`postgres://other@${postgres.host}:${postgres.port}/postgres`, 'username'],
      [`postgres://app:secret@${postgres.host}:${postgres.port}/postgres`, 'password'],
    ]) {
      const options = { dialect: 'postgres', logging: false, caFile: postgres.ca_file };
      const db = new Sequelize(url, sequelizeOptions(signer, options));
      await assert.rejects(db.authenticate(), failure('InvalidArgument', field));
      await db.close();
    }
    assert.equal(signer.stats().signed, 0);
  });

  test('cannot turn off the TLS of Sequelize', async () => {
    for (const [dialect, server, query] of [
      ['postgres', postgres, 'sslmode=disable'],
      ['mysql', maria, 'ssl=&authPlugins='],
      ['mariadb', maria, 'ssl=&stream='],
    ]) {
      const url = `${dialect}://app@${server.host}:${server.port}/${server.dbname}?${query}`;
      const options = { dialect, logging: false, caFile: server.ca_file };
      const db = new Sequelize(url, sequelizeOptions(signerFor(server), options));
      await db.authenticate();
      await db.close();
    }
  });
});

/** Logs in once, lets the token expire, and expects the next connection to be refused. */
async function freezes({ query, close }, refusal) {
  try {
    await query();
    await expiry();
    await assert.rejects(Promise.all(Array.from({ length: 5 }, query)), refusal);
  } finally {
    // mysql2's pool has not forgotten the connections that failed.
    await Promise.allSettled([close()]);
  }
}

describe('a token that is asked for once', { concurrency: true }, () => {
  const PG_REFUSAL = /PAM authentication failed/u;
  const MYSQL_REFUSAL = /Access denied/u;

  test('pg', async () => {
    const signer = signerFor(postgres);
    const password = await signer.getAuthToken();
    const pool = new pg.Pool({ ...parts(postgres), password, ssl: pgSsl(signer) });
    const query = () => pool.query('SELECT pg_sleep(0.8)');
    await freezes({ query, close: () => pool.end() }, PG_REFUSAL);
  });

  test('knex with a function that gives no expirationChecker', async () => {
    const signer = signerFor(postgres);
    const connection = async () => ({
      ...parts(postgres),
      password: await signer.getAuthToken(),
      ssl: pgSsl(signer),
    });
    const db = knex({ client: 'pg', connection });
    const query = () => db.raw('SELECT pg_sleep(0.8)');
    await freezes({ query, close: () => db.destroy() }, PG_REFUSAL);
  });

  test('MikroORM with a function that gives a string', async () => {
    const signer = signerFor(postgres);
    const orm = await mikroOrm(signer, signer.password);
    const query = () => orm.em.getConnection().execute('SELECT pg_sleep(0.8)');
    await freezes({ query, close: () => orm.close() }, PG_REFUSAL);
  });

  test('Sequelize', async () => {
    const signer = signerFor(postgres);
    const { user: username, ...rest } = parts(postgres);
    const password = await signer.getAuthToken();
    const dialectOptions = { ssl: pgSsl(signer) };
    const options = { ...rest, username, password, dialectOptions };
    const db = new Sequelize({ dialect: 'postgres', logging: false, ...options });
    const query = () => db.query('SELECT pg_sleep(0.8)');
    await freezes({ query, close: () => db.close() }, PG_REFUSAL);
  });

  test('mysql2', async () => {
    const signer = signerFor(maria);
    const password = await signer.getAuthToken();
    const ssl = mysqlSsl(signer);
    const pool = mysql.createPool({
      ...parts(maria),
      password,
      ssl,
      enableCleartextPlugin: true,
    });
    const query = () => pool.query('SELECT SLEEP(0.8)');
    await freezes({ query, close: () => pool.end() }, MYSQL_REFUSAL);
  });

  test('mariadb', async () => {
    const signer = signerFor(maria);
    const pool = mariadb.createPool({
      ...parts(maria),
      password: await signer.getAuthToken(),
      ssl: { ...mysqlSsl(signer) },
      connectionLimit: 5,
      minimumIdle: 1,
      acquireTimeout: 500,
    });
    const query = () => pool.query('SELECT SLEEP(1.5)');
    await freezes({ query, close: () => pool.end() }, /pool timeout/u);
  });

  test('PrismaMariaDb', async () => {
    const signer = signerFor(maria);
    const adapter = await new PrismaMariaDb({
      ...parts(maria),
      password: await signer.getAuthToken(),
      ssl: { ...mysqlSsl(signer) },
      connectionLimit: 5,
      minimumIdle: 1,
      acquireTimeout: 500,
    }).connect();
    const query = () => adapter.queryRaw({ sql: 'SELECT SLEEP(1.5) AS s', args: [], argTypes: [] });
    await freezes({ query, close: () => adapter.dispose() }, () => true);
  });
});

function mikroOrm(signer, password) {
  const { database: dbName, ...rest } = parts(postgres);
  return MikroORM.init({
    ...rest,
    dbName,
    password,
    driverOptions: { connection: { ssl: pgSsl(signer) } },
    connect: false,
    entities: [],
    discovery: { warnWhenNoEntities: false },
  });
}

test('the function of pgOptions is for pg alone to call', async () => {
  const signer = signerFor(postgres);
  const { password } = pgOptions(signer);
  await assert.rejects(password(), failure('InvalidArgument', 'password'));
  const orm = await mikroOrm(signer, password);
  const refusal = failure('InvalidArgument', 'password');
  await assert.rejects(orm.em.getConnection().execute('SELECT 1'), refusal);
  await orm.close(true);
  assert.equal(signer.stats().signed, 0);
});

describe('mysql2', () => {
  test('takes no function for a password: the process ends of it', async () => {
    const config = { ...parts(maria), ssl: { ...mysqlSsl(signerFor(maria)) } };
    const program = `
      import mysql from 'mysql2/promise';
      const config = ${JSON.stringify(config)};
      await mysql.createConnection({ ...config, password: () => 'token' }).catch(() => undefined);
    `;
    const args = ['--input-type=module', '--eval', program];
    const { status, stderr } = await run(process.execPath, args, { cwd: PACKAGE });
    assert.equal(status, 1);
    assert.match(stderr, /Received function password/u);
  });

  test('sends no password in clear unless it is told to', async () => {
    const signer = signerFor(maria);
    const password = await signer.getAuthToken();
    const config = { ...parts(maria), password, ssl: mysqlSsl(signer) };
    const refusal = { code: 'MYSQL_CLEAR_PASSWORD_NOT_ENABLED' };
    await assert.rejects(mysql.createConnection(config), refusal);
  });

  test('would ask a handler before the adapter', () => {
    const signer = signerFor(maria);
    for (const [field, value] of [
      ['authSwitchHandler', () => undefined],
      ['authPlugins', { mysql_clear_password: () => () => Buffer.from('') }],
    ]) {
      const refusal = failure('InvalidArgument', field);
      assert.throws(() => mysql2Options(signer, { [field]: value }), refusal);
    }
    const other = () => () => Buffer.from('');
    const { authPlugins } = mysql2Options(signer, { authPlugins: { other } });
    assert.equal(authPlugins.other, other);
    assert.equal(typeof authPlugins.mysql_clear_password, 'function');
  });
});

test('postgres.js ends the process if its password function fails', async () => {
  const config = { ...parts(postgres), ssl: pgSsl(signerFor(postgres)), max: 1 };
  const program = `
    import postgres from 'postgres';
    const config = ${JSON.stringify(config)};
    const password = () => Promise.reject(new Error('no token'));
    await postgres({ ...config, password })\`SELECT 1\`.catch(() => undefined);
  `;
  const args = ['--input-type=module', '--eval', program];
  const { status, stderr } = await run(process.execPath, args, { cwd: PACKAGE });
  assert.equal(status, 1);
  assert.match(stderr, /no token/u);
});

test("MariaDB's driver: the stream hook is for it alone to call", async () => {
  const { stream } = mariadbOptions(signerFor(maria));
  const error = await new Promise((resolve) => stream(resolve));
  assert.ok(failure('InvalidArgument', 'stream')(error));
});
