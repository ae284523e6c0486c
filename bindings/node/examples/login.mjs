// Logs in to PostgreSQL with an IAM token, through pg.
//
//   PGSSLROOTCERT=global-bundle.pem node login.mjs HOSTNAME PORT USERNAME
//
// The credentials come from the AWS SDKs' default chain. The token is signed for HOSTNAME; with
// PGHOSTADDR the connection goes to that address, and the certificate is still HOSTNAME's.
import { readFileSync } from 'node:fs';
import pg from 'pg';
import { Signer } from 'rdstoken';

const [hostname, port, username] = process.argv.slice(2);
const signer = new Signer({ hostname, port: Number(port), username });
const client = new pg.Client({
  host: process.env.PGHOSTADDR ?? hostname,
  port: Number(port),
  user: username,
  password: () => signer.getAuthToken(),
  ssl: { ca: readFileSync(process.env.PGSSLROOTCERT), servername: hostname },
});
await client.connect();
const { rows } = await client.query('SELECT current_user');
console.log(rows[0].current_user);
await client.end();
