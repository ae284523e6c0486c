// What the tests of the drivers share: the real servers, signers for them, and the course of a test.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Signer } from 'rdstoken';
import '../helpers.mjs';

assert.ok(process.env.RDSTOKEN_TEST_SERVERS, 'run these with `npm run test:drivers`');

/**
 * @typedef {{ host: string, port: number, dbname: string, ca_file: string }} Server
 * @typedef {{ id: () => Promise<unknown>, close: () => unknown }} Pool
 */

/** Session tokens for tokens of these lengths, with the usual `expiresIn` of three digits. */
const LENGTHS = [1500, 8192];

/** Of tokens, in seconds: the shortest life in which a login surely fits. */
const LIFE = 3;

/** Where they are started from. */
export const SERVERS_PATH = fileURLToPath(new URL('../../../../tests/servers/', import.meta.url));

/** The servers' descriptions, by `postgres` and `mariadb`. */
export const SERVERS = JSON.parse(process.env.RDSTOKEN_TEST_SERVERS);

/** The server knows nobody with these. */
export const WRONG = Object.freeze({ accessKeyId: 'AKIDWRONG', secretAccessKey: 'wrong' });

/** A profile's credentials. */
export function credentials(server, profile = 'default') {
  const text = readFileSync(server.credentials_file, 'utf8');
  const [, section] = text.split(`[${profile}]\n`);
  const value = (name) => section.split('\n[')[0].match(new RegExp(`^${name} = (.+)$`, 'mu'))?.[1];
  return {
    accessKeyId: value('aws_access_key_id'),
    secretAccessKey: value('aws_secret_access_key'),
    sessionToken: value('aws_session_token'),
  };
}

/** A signer whose tokens soon expire. */
export function signerFor(server, { profile, ...options } = {}) {
  return new Signer({
    hostname: server.host,
    port: server.port,
    username: 'app',
    credentials: credentials(server, profile),
    expiresIn: LIFE,
    ...options,
  });
}

/** Waits until all tokens signed so far have expired. */
export function expiry() {
  return setTimeout((LIFE + 1) * 1000 + 100);
}

/** How the server's verifier answered each time a password arrived there: `accepted`, `refused`. */
export function passwords(server, password) {
  const sha256 = createHash('sha256').update(password).digest('hex');
  const record = new RegExp(` ${password.length} ${sha256} (\\w+)\n`, 'gu');
  return [...readFileSync(server.records_file, 'utf8').matchAll(record)].map(([, how]) => how);
}

/** Whether a token has arrived at the server's verifier. */
export function arrived(server, token) {
  return passwords(server, token).length > 0;
}

/** A server without TLS that keeps what clients send, until the test ends or `end` is called. */
export async function plaintext(t, kind) {
  const child = spawn('python3', [join(SERVERS_PATH, 'plaintext.py'), kind, '--print-json'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  t.after(() => child.stdin.end());
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const next = async () => JSON.parse((await lines.next()).value);
  return {
    ...(await next()),
    end: () => {
      child.stdin.end();
      return next();
    },
  };
}

/** The set of all tokens that a signer hands out from now on. */
export function tokensOf(signer) {
  const tokens = new Set();
  const getAuthTokenInfo = signer.getAuthTokenInfo.bind(signer);
  signer.getAuthTokenInfo = async () => {
    const info = await getAuthTokenInfo();
    tokens.add(info.value);
    return info;
  };
  signer.getAuthToken = async () => (await signer.getAuthTokenInfo()).value;
  return tokens;
}

/** A query that answers with the connection's number, slowly enough for a pool to open another. */
export const SLOW = {
  postgres: 'SELECT pg_backend_pid() AS id, pg_sleep(0.8)',
  mariadb: 'SELECT CONNECTION_ID() AS id, SLEEP(0.8) AS slept',
};

/**
 * The course of a test: a pool opens a connection; the token expires; the pool opens more.
 *
 * @param {'mariadb' | 'postgres'} kind The server.
 * @param {number} length How long tokens are to be.
 * @param {(signer: Signer, server: Server) => Pool | Promise<Pool>} open Makes a pool of at least
 *   three connections.
 */
export async function outlives(kind, length, open) {
  const server = SERVERS[kind];
  const signer = signerFor(server, { profile: `token-${length}` });
  const tokens = tokensOf(signer);
  const { id, close } = await open(signer, server);
  try {
    const ids = new Set([await id()]);
    const before = tokens.size;
    await expiry();
    for (const more of await Promise.all([id(), id(), id()])) {
      ids.add(more);
    }
    assert.ok(ids.size > 1, 'no new connection');
    const early = [...tokens].slice(0, before);
    const late = [...tokens].slice(before);
    for (const some of [early, late]) {
      // Not each need arrive: postgres.js looks for one, and then asks for one.
      const answers = some.flatMap((token) => passwords(server, token));
      assert.ok(answers.length > 0, 'no login with a new token');
      assert.ok(answers.every((answer) => answer === 'accepted'));
    }
    // The profile counts on an expiry of three digits.
    assert.ok([...tokens].every((token) => token.length === length - 2));
  } finally {
    await close();
  }
}

/** Runs a test for each driver and length; a few at a time, because they mostly wait. */
export function course(kind, drivers) {
  describe(kind, { concurrency: 8 }, () => {
    for (const [name, open] of Object.entries(drivers)) {
      for (const length of LENGTHS) {
        test(`${name}, ${length} bytes`, () => outlives(kind, length, open));
      }
    }
  });
}
