// The declarations, as TypeScript programs see them under each module system.

import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import test from 'node:test';
import { directory, PACKAGE, run, shared } from './helpers.mjs';

const TSC = createRequire(import.meta.url).resolve('typescript/bin/tsc');

const DRIVERS = [
  ...['@mikro-orm/mariadb', '@mikro-orm/mysql', '@mikro-orm/postgresql'],
  ...['@prisma/adapter-mariadb', '@prisma/adapter-pg', '@types/node', '@types/pg', 'drizzle-orm'],
  ...[
    'knex',
    'kysely',
    'mariadb',
    'mysql2',
    'pg',
    'pg-promise',
    'postgres',
    'sequelize',
    'typeorm',
  ],
];

/** A project of its own that has the package's declarations installed. */
function project(t) {
  const path = directory(t);
  const installed = join(path, 'node_modules', 'rdstoken');
  mkdirSync(join(installed, 'drivers'), { recursive: true });
  const drivers = readdirSync(join(PACKAGE, 'drivers')).map((name) => join('drivers', name));
  const declared = drivers.filter((name) => name.endsWith('.d.cts'));
  for (const name of ['package.json', 'index.d.cts', 'index.d.mts', ...declared]) {
    copyFileSync(join(PACKAGE, name), join(installed, name));
  }
  return path;
}

async function compiles(path, file, ...options) {
  const args = ['--noEmit', '--strict', '--target', 'es2022', ...options, file];
  const { stdout, stderr } = await run(process.execPath, [TSC, ...args], { cwd: path });
  assert.equal(stdout + stderr, '');
}

for (const name of ['consumer.mts', 'consumer.cts']) {
  test(`${name} under nodenext`, async (t) => {
    const path = project(t);
    copyFileSync(join(PACKAGE, 'test', 'types', name), join(path, name));
    await compiles(path, name, '--module', 'nodenext', '--exactOptionalPropertyTypes');
  });
}

test('consumer.mts under a bundler', async (t) => {
  const path = project(t);
  copyFileSync(join(PACKAGE, 'test', 'types', 'consumer.mts'), join(path, 'consumer.mts'));
  await compiles(path, 'consumer.mts', '--module', 'preserve');
});

test('drivers.mts with the types of every driver', async (t) => {
  const path = project(t);
  copyFileSync(join(PACKAGE, 'test', 'types', 'drivers.mts'), join(path, 'drivers.mts'));
  for (const name of DRIVERS) {
    const link = join(path, 'node_modules', name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(PACKAGE, 'node_modules', name), link);
  }
  // The drivers' own declarations are not all without fault.
  const lax = ['--skipLibCheck', '--types', 'node'];
  await compiles(path, 'drivers.mts', '--module', 'nodenext', ...lax);
});

test('the codes of the type are those of the error table', async (t) => {
  const path = project(t);
  const codes = shared('errors.json').errors.flatMap(({ node }) => node ?? []);
  const keys = codes.map((code) => `${code}: true`).join(', ');
  writeFileSync(
    join(path, 'codes.mts'),
    `import type { RdsTokenErrorCode } from 'rdstoken';
    export const all: Record<RdsTokenErrorCode, true> = { ${keys} };`,
  );
  await compiles(path, 'codes.mts', '--module', 'nodenext');
});
