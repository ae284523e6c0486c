// README.md: its programs run as they stand, and log in to a server that speaks just enough of
// PostgreSQL's protocol, over TLS, to take the password and answer the query.

import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { TLSSocket } from 'node:tls';
import { pathToFileURL } from 'node:url';
import { presign } from 'rdstoken';
import {
  CREDENTIALS,
  directory,
  environment,
  loopback,
  PACKAGE,
  run,
  shared,
  signingTime,
} from './helpers.mjs';

const README = readFileSync(join(PACKAGE, 'README.md'), 'utf8');
const PROGRAMS = [...README.matchAll(/^```js\n(.*?)^```$/gmsu)].map(([, program]) => program);
const [, HOSTNAME] = README.match(/hostname = '(.+)'/u);

// All of the README's hosts are this machine.
const LOOPBACK = `
  import dns from 'node:dns';
  const lookup = dns.lookup;
  dns.lookup = (_host, options, callback) => lookup('127.0.0.1', options, callback);
`;

function message(type, ...parts) {
  const body = Buffer.concat(parts.map((part) => Buffer.from(part)));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(body.length + 4);
  return Buffer.concat([Buffer.from(type), length, body]);
}

const TEXT_COLUMN = [0, 0, 0, 0, 0, 0, 0, 0, 0, 25, 255, 255, 255, 255, 255, 255, 0, 0];
const READY = message('Z', 'I');

/** What the server says to a message, by its type; the start-up message has 0 there. */
const REPLIES = {
  '\0': message('R', [0, 0, 0, 3]), // the password, please
  p: Buffer.concat([message('R', [0, 0, 0, 0]), READY]),
  Q: Buffer.concat([
    message('T', [0, 1], 'current_user\0', TEXT_COLUMN),
    message('D', [0, 1, 0, 0, 0, 3], 'app'),
    message('C', 'SELECT 1\0'),
    READY,
  ]),
};

/** Serves one connection; resolves to the password. */
function serve(socket, certificate) {
  return new Promise((resolve) => {
    socket.once('data', () => {
      socket.write('S'); // what came was the wish for TLS
      const secure = new TLSSocket(socket, { isServer: true, ...certificate });
      secure.on('error', () => secure.destroy());
      let received = Buffer.alloc(0);
      secure.on('data', (data) => {
        received = Buffer.concat([received, data]);
        const type = String.fromCharCode(received[0]);
        const before = type === '\0' ? 0 : 1; // the length counts itself, not the type before it
        if (received.length < 5 || received.length < before + received.readUInt32BE(before)) {
          return;
        }
        if (type === 'p') {
          resolve(received.subarray(5, -1).toString());
        }
        secure.write(REPLIES[type] ?? '');
        received = Buffer.alloc(0);
      });
    });
  });
}

async function certificateFor(path) {
  const [key, cert] = [join(path, 'key.pem'), join(path, 'global-bundle.pem')];
  const made = await run('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
    ...['-days', '2', '-subj', '/CN=test', '-addext', `subjectAltName=DNS:${HOSTNAME}`],
    ...['-keyout', key, '-out', cert],
  ]);
  assert.equal(made.status, 0, made.stderr);
  return { key: readFileSync(key), cert: readFileSync(cert) };
}

test('the programs run', async (t) => {
  assert.equal(PROGRAMS.length, 2);
  const path = directory(t);
  const certificate = await certificateFor(path);
  mkdirSync(join(path, 'node_modules'));
  symlinkSync(join(PACKAGE, 'node_modules', 'pg'), join(path, 'node_modules', 'pg'));
  symlinkSync(PACKAGE, join(path, 'node_modules', 'rdstoken'));

  const passwords = [];
  const port = await loopback(t, async (socket) => {
    passwords.push(await serve(socket, certificate));
  });
  writeFileSync(join(path, 'loopback.mjs'), LOOPBACK);
  writeFileSync(join(path, 'readme.mjs'), PROGRAMS.join('').replaceAll('5432', port));
  environment(t, {
    AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
    AWS_SESSION_TOKEN: CREDENTIALS.sessionToken,
  });

  const preload = pathToFileURL(join(path, 'loopback.mjs')).href;
  const ran = await run(process.execPath, ['--import', preload, 'readme.mjs'], { cwd: path });
  assert.equal(ran.stderr, '');
  const [user, refusal] = ran.stdout.split('\n');
  assert.equal(user, 'app');
  assert.match(refusal, /^hostname - hostname: expected .*not an IP address/u);
  assert.equal(ran.status, 0);

  assert.equal(passwords.length, 1);
  const [token] = passwords;
  const login = { hostname: HOSTNAME, port, username: 'app' };
  const expected = { ...login, credentials: CREDENTIALS, signingTime: signingTime(token) };
  assert.equal(token, presign(expected));
});

test('the table of errors is whole', () => {
  const listed = [...README.matchAll(/^\| `(\w+)` +\|/gmu)].map(([, code]) => code);
  const codes = shared('errors.json').errors.flatMap(({ node }) => node ?? []);
  assert.deepEqual(listed.sort(), codes.sort());
});
