// No token leaves without verified TLS: not to a server that has none, not to one with another
// certificate, and not when other options are laid over an adapter's.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import test from 'node:test';
import mariadb from 'mariadb';
import mysql from 'mysql2/promise';
import pg from 'pg';
import postgres from 'postgres';
import { mariadbOptions } from 'rdstoken/mariadb';
import { mysql2Options } from 'rdstoken/mysql2';
import { pgOptions } from 'rdstoken/pg';
import { postgresOptions } from 'rdstoken/postgres';
import { sequelizeOptions } from 'rdstoken/sequelize';
import { Sequelize } from 'sequelize';
import { directory, PACKAGE, run } from '../helpers.mjs';
import { arrived, plaintext, SERVERS, signerFor, tokensOf } from './helpers.mjs';

/** What Prisma and MikroORM have of MariaDB's driver. */
const mariadb34 = createRequire(
  join(PACKAGE, 'node_modules', '@prisma', 'adapter-mariadb', 'package.json'),
)('mariadb');

async function pgLogin(config) {
  const client = new pg.Client(config);
  try {
    await client.connect();
  } finally {
    await client.end();
  }
}

async function postgresLogin(config) {
  // Told that there is no TLS, it begins TLS all the same, and waits.
  const sql = postgres({ ...config, max: 1, connect_timeout: 1 });
  try {
    await sql`SELECT 1`;
  } finally {
    await sql.end();
  }
}

async function mysqlLogin(config) {
  const connection = await mysql.createConnection(config);
  await connection.end();
}

function mariadbLogin(driver) {
  return async (config) => {
    const connection = await driver.createConnection(config);
    await connection.end();
  };
}

function sequelize(dialect) {
  return {
    make: (signer, options) => sequelizeOptions(signer, { dialect, ...options }),
    login: async (config) => {
      const db = new Sequelize({ logging: false, ...config });
      try {
        await db.authenticate();
      } finally {
        await db.close();
      }
    },
    off: ({ dialectOptions }) => ({ dialectOptions: { ...dialectOptions, ssl: false } }),
  };
}

/** By server and driver: how options are made, used, and turned to plain text. */
const DRIVERS = {
  postgres: {
    pg: { make: pgOptions, login: pgLogin },
    'postgres.js': { make: postgresOptions, login: postgresLogin },
    Sequelize: sequelize('postgres'),
  },
  mariadb: {
    mysql2: { make: mysql2Options, login: mysqlLogin },
    mariadb: { make: mariadbOptions, login: mariadbLogin(mariadb) },
    'mariadb 3.4': { make: mariadbOptions, login: mariadbLogin(mariadb34) },
    'Sequelize on mysql2': sequelize('mysql'),
    'Sequelize on mariadb': sequelize('mariadb'),
  },
};

/**
 * Every driver of a server, with a signer that knows its tokens. Their life is one that no other
 * test's tokens have: else those of the same second would be the same.
 */
async function each(kind, where, body) {
  for (const [name, { make, login, off = () => ({ ssl: false }) }] of Object.entries(
    DRIVERS[kind],
  )) {
    const signer = signerFor(SERVERS[kind], { expiresIn: 703, ...where });
    const tokens = tokensOf(signer);
    await body({ name, signer, make, login, off });
    // Even if the driver has asked for none.
    tokens.add(await signer.getAuthToken());
    for (const token of tokens) {
      assert.ok(!arrived(SERVERS[kind], token), name);
    }
  }
}

/** A certificate authority that has signed nothing. */
async function otherAuthority(t) {
  const [key, cert] = ['key.pem', 'ca.pem'].map((name) => join(directory(t), name));
  const made = await run('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
    ...['-days', '2', '-subj', '/CN=other', '-keyout', key, '-out', cert],
  ]);
  assert.equal(made.status, 0, made.stderr);
  return cert;
}

/** The words for it of all drivers. */
const NO_TLS = /not support SSL|not support secure|ssl not enabled|CONNECT_TIMEOUT/iu;
/** Sequelize's hook lays the adapter's options over again. */
const OVERLAID = /no verified TLS|not support (?:SSL|secure)|ssl not enabled/u;
const UNTRUSTED = /self[- ]signed|unable to (?:get|verify)|TLS was forced/iu;
/** 3.4 of MariaDB's driver calls them all self-signed. */
const OTHER_NAME = /altnames|identi|self[- ]signed/iu;

for (const kind of Object.keys(DRIVERS)) {
  test(`${kind}: a server without TLS`, async (t) => {
    const fake = await plaintext(t, kind);
    await each(kind, { port: fake.port }, async ({ name, signer, make, login, off }) => {
      const options = make(signer, { hostaddr: fake.hostaddr });
      await assert.rejects(login(options), NO_TLS, name);
      const overlaid = { ...options, ...off(options) };
      await assert.rejects(login(overlaid), OVERLAID, name);
      const token = await signer.getAuthToken();
      assert.ok(!readFileSync(fake.received_file, 'latin1').includes(token), name);
    });
    const { passwords, connections } = await fake.end();
    assert.deepEqual(
      passwords.filter(({ length }) => length > 0),
      [],
    );
    assert.ok(connections >= Object.keys(DRIVERS[kind]).length);
  });

  test(`${kind}: a certificate of another authority`, async (t) => {
    const caFile = await otherAuthority(t);
    for (const options of [{ caFile }, {}]) {
      await each(kind, {}, async ({ name, signer, make, login }) => {
        await assert.rejects(login(make(signer, options)), UNTRUSTED, name);
      });
    }
  });

  test(`${kind}: a certificate for another name`, async () => {
    const caFile = SERVERS[kind].ca_file;
    const hostname = SERVERS[kind].host.replace('demo', 'other');
    await each(kind, { hostname }, async ({ name, signer, make, login }) => {
      for (const hostaddr of [undefined, SERVERS[kind].hostaddr]) {
        const options = make(signer, { caFile, hostaddr });
        await assert.rejects(login(options), OTHER_NAME, name);
      }
    });
  });

  test(`${kind}: another address, the signed name`, async () => {
    const { ca_file: caFile, hostaddr, dbname: database } = SERVERS[kind];
    for (const { make, login } of Object.values(DRIVERS[kind])) {
      await login(make(signerFor(SERVERS[kind]), { caFile, hostaddr, database }));
    }
  });
}

test('another host laid over the options', async () => {
  const [maria, postgresql] = [SERVERS.mariadb, SERVERS.postgres];
  const host = maria.host.replace('demo', 'other');
  const signer = signerFor(maria, { expiresIn: 704 });
  const options = mysql2Options(signer, { caFile: maria.ca_file });
  const { ca } = options.ssl;
  for (const over of [
    { host, ssl: { ca } },
    { ssl: { ca } },
    { ssl: { rejectUnauthorized: false } },
  ]) {
    await assert.rejects(mysqlLogin({ ...options, ...over }), { code: 'TlsRequired' });
  }
  assert.ok(!arrived(maria, await signer.getAuthToken()));

  const other = signerFor(postgresql, { expiresIn: 705 });
  const unverified = { ...pgOptions(other, { ssl: 'require' }), host };
  await assert.rejects(pgLogin(unverified), { code: 'InvalidArgument', field: 'host' });
  assert.ok(!arrived(postgresql, await other.getAuthToken()));
});

test("MariaDB's driver has no password until the certificate is verified", async () => {
  const { hostaddr } = SERVERS.mariadb;
  const login = mariadbOptions(signerFor(SERVERS.mariadb), { hostaddr });
  const socket = await new Promise((resolve, reject) => {
    login.stream((error, stream) => (error ? reject(error) : resolve(stream)));
  });
  socket.destroy();
  // Not undefined, which 3.4 cannot send where the server asks for it at once.
  assert.equal(login.password, '');
});

test('PostgreSQL without verification, if it is asked for', async () => {
  for (const ssl of ['require', { rejectUnauthorized: false }]) {
    await pgLogin(pgOptions(signerFor(SERVERS.postgres), { ssl, database: 'postgres' }));
    await postgresLogin(
      postgresOptions(signerFor(SERVERS.postgres), { ssl, database: 'postgres' }),
    );
  }
});

test('the drivers alone let a token leave', async (t) => {
  const token = await signerFor(SERVERS.postgres).getAuthToken();
  const fake = await plaintext(t, 'postgres');
  const { hostaddr: host, port } = fake;
  await assert.rejects(pgLogin({ host, port, user: 'app', password: token }));
  const { passwords } = await fake.end();
  assert.deepEqual(
    passwords.map(({ length }) => length),
    [token.length],
  );

  // With a server that says it is MariaDB's, 3.4 verifies after it has sent the password.
  const server = SERVERS.mariadb;
  // Again lives of their own.
  const password = await signerFor(server, { expiresIn: 701 }).getAuthToken();
  const ca = readFileSync(await otherAuthority(t));
  const config = { host: server.host, port: server.port, user: 'app', password, ssl: { ca } };
  await assert.rejects(mariadbLogin(mariadb)(config));
  assert.ok(!arrived(server, password));
  await assert.rejects(mariadbLogin(mariadb34)(config));
  assert.ok(arrived(server, password));

  // Without verifyIdentity, mysql2 takes a certificate for any name.
  const hostname = server.host.replace('demo', 'other');
  const lost = await signerFor(server, { hostname, expiresIn: 702 }).getAuthToken();
  const ssl = { ca: readFileSync(server.ca_file) };
  const enableCleartextPlugin = true;
  await assert.rejects(
    mysqlLogin({ ...config, host: hostname, password: lost, ssl, enableCleartextPlugin }),
  );
  assert.ok(arrived(server, lost));
});

test('caFile: what cannot be read, and what is no certificate', (t) => {
  const nothing = join(directory(t), 'nothing');
  for (const { make } of Object.values({ ...DRIVERS.postgres, ...DRIVERS.mariadb })) {
    const signer = signerFor(SERVERS.postgres);
    const failure = { code: 'InvalidArgument', field: 'caFile' };
    assert.throws(() => make(signer, { caFile: nothing }), failure);
  }
  writeFileSync(nothing, 'nothing');
  assert.throws(() => pgOptions(signerFor(SERVERS.postgres), { caFile: nothing }), /PEM/u);
});
