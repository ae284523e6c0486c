// Type-checks the package and writes the declarations beside index.cjs, index.mjs and the drivers'
// adapters from their JSDoc.
// With --check it writes nothing and fails when a committed file differs.

import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const TSC = createRequire(import.meta.url).resolve('typescript/bin/tsc');

/** @param {string[]} args */
function tsc(...args) {
  const { status } = spawnSync(process.execPath, [TSC, ...args], { cwd: HERE, stdio: 'inherit' });
  if (status !== 0) {
    process.exit(1);
  }
}

// In a directory of its own: beside index.d.cts, the compiler would read that in place of index.cjs.
// It lies within the package, so that @types/node is found.
const temporary = mkdtempSync(join(HERE, '.types-'));
process.on('exit', () => rmSync(temporary, { recursive: true }));
const DRIVERS = readdirSync(join(HERE, 'drivers'))
  .filter((name) => name.endsWith('.cjs'))
  .map((name) => join('drivers', name));
const SOURCES = ['build.mjs', 'index.cjs', 'index.mjs', 'native.cjs', 'types.mjs'];
mkdirSync(join(temporary, 'drivers'));
for (const name of [...SOURCES, ...DRIVERS, 'tsconfig.json']) {
  copyFileSync(join(HERE, name), join(temporary, name));
}
tsc('-p', temporary);
tsc(
  ...['-p', temporary, '--outDir', join(temporary, 'out'), '--rootDir', temporary],
  ...['--noEmit', 'false', '--declaration', '--emitDeclarationOnly'],
);

const declarations = DRIVERS.map((name) => name.replace(/cjs$/u, 'd.cts'));
for (const name of ['index.d.cts', 'index.d.mts', ...declarations]) {
  const emitted = join(temporary, 'out', name);
  if (!process.argv.includes('--check')) {
    copyFileSync(emitted, join(HERE, name));
  } else if (readFileSync(emitted, 'utf8') !== readFileSync(join(HERE, name), 'utf8')) {
    process.stderr.write(`${name} is out of date: run \`npm run types\`\n`);
    process.exitCode = 1;
  }
}
