// What the tests share. Importing it is also the check that the guard is in place.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Signer } from 'rdstoken';

assert.ok(
  process.env.RDSTOKEN_TEST_GUARD,
  'run the tests through tests/guard.sh: they walk the credential chain',
);

export const PACKAGE = fileURLToPath(new URL('..', import.meta.url));

export const LOGIN = Object.freeze({
  hostname: 'mydb.cluster-abc123def456.us-east-1.rds.amazonaws.com',
  port: 5432,
  username: 'app_user',
});

/** Made up. The texts must not turn up anywhere but in tokens. */
export const CREDENTIALS = Object.freeze({
  accessKeyId: 'AKIDEXAMPLE',
  secretAccessKey: 'SECRET/wJalrXUtnFEMI+K7MDENG',
  sessionToken: 'SESSION//FQoGZXIvYXdzEBYaDk+==',
});

export const PRESIGN = Object.freeze({
  ...LOGIN,
  credentials: CREDENTIALS,
  signingTime: new Date('2026-01-01T00:00:00Z'),
});

/**
 * A signer as in a new process: the credentials, or the failure, that others of the same profile have
 * left are forgotten.
 */
export function fresh(options) {
  const signer = new Signer(options);
  signer.invalidate({ credentials: true });
  return signer;
}

/** A file of the repository's tests/ directory. */
export function shared(path) {
  return JSON.parse(readFileSync(new URL(`../../../tests/${path}`, import.meta.url), 'utf8'));
}

/** The parameters of a token. */
export function parameters(token) {
  return Object.fromEntries(new URL(`https://${token}`).searchParams);
}

/** Past the next full second, when a new signature differs from the last. */
export function nextSecond() {
  return new Promise((resolve) => setTimeout(resolve, 1010 - (Date.now() % 1000)));
}

/** The time in a token's X-Amz-Date. */
export function signingTime(token) {
  const [date, time] = parameters(token)['X-Amz-Date'].split('T');
  return new Date(
    `${date.replace(/^(....)(..)/u, '$1-$2-')}T${time.replace(/^(..)(..)/u, '$1:$2:')}`,
  );
}

/** What an RdsTokenError must be, for assert.throws and assert.rejects. */
export function failure(code, field) {
  return (error) => {
    assert.equal(error.name, 'RdsTokenError');
    assert.equal(error.code, code, error.message);
    assert.equal(error.field, field, error.message);
    return true;
  };
}

/** Sets environment variables until the test ends. */
export function environment(t, variables) {
  const before = { ...process.env };
  t.after(() => {
    for (const name of Object.keys(variables)) {
      delete process.env[name];
      if (name in before) {
        process.env[name] = before[name];
      }
    }
  });
  Object.assign(process.env, variables);
}

/** A directory until the test ends. */
export function directory(t) {
  const path = mkdtempSync(join(tmpdir(), 'rdstoken-node-'));
  t.after(() => rmSync(path, { recursive: true }));
  return path;
}

/** A TCP server on loopback until the test ends. */
export async function loopback(t, onConnection) {
  const sockets = new Set();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    onConnection(socket);
  });
  t.after(() => {
    for (const socket of sockets) {
      socket.destroy();
    }
    server.close();
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server.address().port;
}

/** A container's credential endpoint that takes the request and never answers. */
export async function silentEndpoint(t) {
  const port = await loopback(t, (socket) => socket.resume());
  environment(t, { AWS_CONTAINER_CREDENTIALS_FULL_URI: `http://127.0.0.1:${port}/` });
}

/** Runs a program to its end. */
export function run(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    const output = { stdout: '', stderr: '' };
    child.stdout.on('data', (data) => {
      output.stdout += data;
    });
    child.stderr.on('data', (data) => {
      output.stderr += data;
    });
    child.on('error', reject);
    child.on('close', (status) => resolve({ status, ...output }));
  });
}
