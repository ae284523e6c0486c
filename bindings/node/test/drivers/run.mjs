// Starts a real PostgreSQL and a real MariaDB, runs the tests of the drivers against them, and stops
// them. To run some files only: npm run test:drivers -- test/drivers/tls.test.mjs

import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const SERVERS = fileURLToPath(new URL('../../../../tests/servers/', import.meta.url));

/** Starts a server; resolves to it and what it says of itself. It stops when its input ends. */
async function start(kind) {
  const args = [join(SERVERS, `${kind}.py`), '--print-json', '--token-lengths', '1500,8192'];
  const server = spawn('python3', args, { stdio: ['pipe', 'pipe', 'inherit'] });
  for await (const line of createInterface(server.stdout)) {
    return { server, description: JSON.parse(line) };
  }
  throw new Error(`${kind}.py did not start`);
}

function ended(child) {
  return new Promise((resolve) => child.once('close', resolve));
}

const started = await Promise.allSettled(['postgres', 'mariadb'].map(start));
const servers = started.flatMap(({ value }) => value ?? []);
try {
  if (servers.length === 2) {
    const [postgres, mariadb] = servers.map(({ description }) => description);
    const all = readdirSync(HERE).filter((name) => name.endsWith('.test.mjs'));
    const named = process.argv.slice(2);
    const files = named.length > 0 ? named : all.map((name) => join(HERE, name));
    // Most of the time the tests wait for tokens to expire.
    const args = ['--test', '--test-reporter=spec', '--test-concurrency=3', ...files];
    const env = { ...process.env, RDSTOKEN_TEST_SERVERS: JSON.stringify({ postgres, mariadb }) };
    process.exitCode = await ended(spawn(process.execPath, args, { env, stdio: 'inherit' }));
  } else {
    process.exitCode = 1;
  }
} finally {
  for (const { server } of servers) {
    server.stdin.end();
  }
  await Promise.all(servers.map(({ server }) => ended(server)));
}
