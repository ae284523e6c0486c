// The Node drivers. See README.md.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';

const require = createRequire(new URL('../../../bindings/node/package.json', import.meta.url));

async function pg(config) {
  const client = new (require('pg').Client)(config);
  client.on('error', () => undefined);
  await client.connect();
  await client.end();
}

async function postgres(...config) {
  const sql = require('postgres')(...config);
  try {
    await sql`SELECT 1`;
  } finally {
    await sql.end();
  }
}

async function mysql2(config) {
  const connection = await require('mysql2/promise').createConnection(config);
  await connection.end();
}

async function mariadb(config) {
  const connection = await require('mariadb').createConnection(config);
  await connection.end();
}

const ca = (request) => ({ ca: readFileSync(request.caFile) });

const SENDERS = {
  'pg password': (r) =>
    pg({ host: r.host, port: r.port, database: r.dbname, user: r.user, password: r.token, ssl: ca(r) }),
  'pg uri': (r) => pg({ connectionString: r.text }),
  'postgres password': (r) =>
    postgres({
      host: r.host,
      port: r.port,
      database: r.dbname,
      username: r.user,
      password: r.token,
      ssl: ca(r),
      max: 1,
    }),
  'postgres uri': (r) => postgres(r.text, { max: 1 }),
  'mysql2 password': (r) =>
    mysql2({
      host: r.host,
      port: r.port,
      database: r.dbname,
      user: r.user,
      password: r.token,
      ssl: { ...ca(r), verifyIdentity: true },
      enableCleartextPlugin: true,
    }),
  'mysql2 uri': (r) => mysql2(r.text),
  'mariadb password': (r) =>
    mariadb({
      host: r.host,
      port: r.port,
      database: r.dbname,
      user: r.user,
      password: r.token,
      ssl: ca(r),
    }),
  'mariadb uri': (r) => mariadb(r.text),
};

const send = SENDERS[process.argv.slice(2).join(' ')];
const lines = [];
for await (const line of createInterface({ input: process.stdin })) {
  lines.push(line);
  if (lines.length === 7) {
    const [token, text, host, port, dbname, user, caFile] = lines.splice(0);
    try {
      await send({ token, text, host, port: Number(port), dbname, user, caFile });
      console.log('in');
    } catch {
      // The text may hold the token.
      console.log('refused');
    }
  }
}
