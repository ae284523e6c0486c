// What goes wrong at a login: no credentials, a refusal, and other errors.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import knex from 'knex';
import mariadb from 'mariadb';
import mysql from 'mysql2/promise';
import pg from 'pg';
import postgres from 'postgres';
import { Signer } from 'rdstoken';
import { mariadbOptions } from 'rdstoken/mariadb';
import { mysql2Options } from 'rdstoken/mysql2';
import { pgOptions } from 'rdstoken/pg';
import { postgresOptions } from 'rdstoken/postgres';
import { sequelizeOptions } from 'rdstoken/sequelize';
import { Sequelize } from 'sequelize';
import { nextSecond } from '../helpers.mjs';
import { credentials, SERVERS, signerFor, WRONG } from './helpers.mjs';

/** Options of the drivers, in their own units. */
const HURRIED = {
  postgres: { connectionTimeoutMillis: 300, connect_timeout: 1 },
  mariadb: { connectTimeout: 300 },
};

/** By server and driver: one login. */
const LOGINS = {
  postgres: {
    async pg(signer, options) {
      const pool = new pg.Pool(pgOptions(signer, options));
      await finish(
        () => pool.query('SELECT 1'),
        () => pool.end(),
      );
    },
    async 'postgres.js'(signer, options) {
      const sql = postgres(postgresOptions(signer, options));
      await finish(
        () => sql`SELECT 1`,
        () => sql.end(),
      );
    },
    async knex(signer, options) {
      const db = knex({ client: 'pg', connection: pgOptions(signer, options) });
      await finish(
        () => db.raw('SELECT 1'),
        () => db.destroy(),
      );
    },
    Sequelize: sequelize('postgres'),
  },
  mariadb: {
    async mysql2(signer, options) {
      const pool = mysql.createPool(mysql2Options(signer, options));
      await finish(
        () => pool.query('SELECT 1'),
        () => pool.end(),
      );
    },
    async 'mysql2, one connection'(signer, options) {
      const connection = await mysql.createConnection(mysql2Options(signer, options));
      await connection.end();
    },
    async mariadb(signer, options) {
      const connection = await mariadb.createConnection(mariadbOptions(signer, options));
      await connection.end();
    },
    'Sequelize on mysql2': sequelize('mysql'),
    'Sequelize on mariadb': sequelize('mariadb'),
  },
};

function sequelize(dialect) {
  return async (signer, options) => {
    const db = new Sequelize(sequelizeOptions(signer, { dialect, logging: false, ...options }));
    await finish(
      () => db.authenticate(),
      () => db.close(),
    );
  };
}

async function finish(work, close) {
  try {
    await work();
  } finally {
    await close();
  }
}

function optionsFor({ ca_file: caFile, dbname: database }) {
  return { caFile, database };
}

/** What a library has made of the adapter's error. */
function codes(error) {
  return [error, error.parent, error.cause].map((each) => each?.code);
}

for (const [kind, logins] of Object.entries(LOGINS)) {
  const server = SERVERS[kind];
  const options = optionsFor(server);

  describe(`${kind}: no credentials`, () => {
    for (const [name, login] of Object.entries(logins)) {
      test(name, async () => {
        const signer = new Signer({
          hostname: server.host,
          port: server.port,
          username: 'app',
          credentials: () => {
            throw new TypeError('none');
          },
        });
        await assert.rejects(login(signer, options), (error) => {
          assert.ok(codes(error).includes('CredentialsFailed'), String(error));
          return true;
        });
        // Nor is the connection left to the server's patience.
        await setTimeout(100);
        assert.ok(!process.getActiveResourcesInfo().includes('TCPSocketWrap'));
      });
    }
  });

  describe(`${kind}: a token that the server refuses is not handed out for ever`, () => {
    for (const [name, login] of Object.entries(logins)) {
      test(name, async () => {
        const signer = signerFor(server, { credentials: WRONG, expiresIn: 900 });
        const signed = [];
        for (let attempt = 0; attempt < 3; attempt += 1) {
          await assert.rejects(login(signer, options));
          signed.push(signer.stats().signed);
          await nextSecond();
        }
        // The first was fresh; the second was the first again, and given up; the third was fresh.
        // postgres.js tells nobody.
        assert.deepEqual(signed, name === 'postgres.js' ? [1, 1, 1] : [1, 1, 2]);
      });
    }
  });

  describe(`${kind}: credentials that come after the driver has given up`, () => {
    for (const [name, login] of Object.entries(logins)) {
      test(name, async () => {
        const hurried = name.startsWith('Sequelize')
          ? { dialectOptions: HURRIED[kind] }
          : HURRIED[kind];
        const late = setTimeout(1500);
        const signer = signerFor(server, {
          expiresIn: 900,
          credentials: async () => {
            await late;
            return credentials(server);
          },
        });
        await login(signer, { ...options, ...hurried }).catch(() => undefined);
        await late;
        // Whatever follows fails this test, if nobody handles it; and no connection stays.
        await setTimeout(300);
        assert.ok(!process.getActiveResourcesInfo().includes('TCPSocketWrap'));
      });
    }
  });

  describe(`${kind}: other errors leave the token alone`, () => {
    for (const [name, login] of Object.entries(logins)) {
      test(name, async () => {
        const signer = signerFor(server, { expiresIn: 900 });
        for (let attempt = 0; attempt < 3; attempt += 1) {
          await assert.rejects(login(signer, { ...options, database: 'nowhere' }));
        }
        assert.equal(signer.stats().signed, 1);
      });
    }
  });
}

test('nor does a query that fails with the same number', async () => {
  const server = SERVERS.mariadb;
  // As MySQL answers one that lacks a privilege; MariaDB has another number for that.
  const query = "SIGNAL SQLSTATE '28000' SET MYSQL_ERRNO = 1045";
  for (const connect of [
    (signer) => mariadb.createConnection(mariadbOptions(signer, optionsFor(server))),
    (signer) => mysql.createConnection(mysql2Options(signer, optionsFor(server))),
  ]) {
    const signer = signerFor(server, { expiresIn: 900 });
    await signer.getAuthToken();
    const connection = await connect(signer);
    await nextSecond();
    await finish(
      () => assert.rejects(connection.query(query), { errno: 1045 }),
      () => connection.end(),
    );
    await signer.getAuthToken();
    assert.equal(signer.stats().signed, 1);
  }
});

test("mysql2's changeUser", async () => {
  const server = SERVERS.mariadb;
  let given = credentials(server);
  const signer = signerFor(server, { expiresIn: 900, credentials: () => given });
  const connect = () => mysql.createConnection(mysql2Options(signer, optionsFor(server)));

  const connection = await connect();
  await connection.changeUser({ user: 'app' });
  given = undefined;
  signer.invalidate({ credentials: true });
  await assert.rejects(connection.changeUser({ user: 'app' }), { code: 'CredentialsFailed' });
  connection.destroy();

  given = credentials(server);
  signer.invalidate({ credentials: true });
  const second = await connect();
  given = WRONG;
  signer.invalidate({ credentials: true });
  const token = await signer.getAuthToken();
  await nextSecond();
  await assert.rejects(second.changeUser({ user: 'app' }), { errno: 1045 });
  second.destroy();
  assert.notEqual(await signer.getAuthToken(), token);
});

test("MariaDB's pool tries again by itself, with a fresh token", async () => {
  const server = SERVERS.mariadb;
  let good = await signerFor(server).getAuthToken();
  const signer = signerFor(server, { credentials: WRONG, expiresIn: 900 });
  const tokens = [await signer.getAuthToken()];
  const { refused } = signer;
  // Its next token is good, as if the credentials had been rotated.
  signer.refused = (token) => {
    tokens.push(token);
    signer.getAuthToken = () => Promise.resolve(good);
    return refused.call(signer, token);
  };
  await nextSecond();
  const pool = mariadb.createPool(
    mariadbOptions(signer, { ...optionsFor(server), connectionLimit: 1, acquireTimeout: 5000 }),
  );
  good = await signerFor(server).getAuthToken();
  const [{ user }] = await pool.query('SELECT CURRENT_USER() AS user');
  await pool.end();
  assert.match(user, /^app@/u);
  assert.equal(tokens[1], tokens[0]);
});
