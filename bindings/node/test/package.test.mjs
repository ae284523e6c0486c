// Installing: from a checkout with Cargo, from a tarball without. A stand-in for Cargo records how
// it is called, so that nothing is built here.

import assert from 'node:assert/strict';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import test from 'node:test';
import { directory, PACKAGE, run } from './helpers.mjs';

const BINARY = `rdstoken.${process.platform}-${process.arch}.node`;
const DRIVERS = ['mariadb', 'mysql2', 'pg', 'postgres', 'sequelize', 'shared'];
const SHIPPED = [
  'README.md',
  'build.mjs',
  ...DRIVERS.flatMap((name) => [`drivers/${name}.cjs`, `drivers/${name}.d.cts`]),
  'index.cjs',
  'index.d.cts',
  'index.d.mts',
  'index.mjs',
  'native.cjs',
  'package.json',
  BINARY,
].sort();
const USE = "import { version } from 'rdstoken'; console.log(version)";

/** A `cargo` that writes down its arguments and answers as Cargo does. */
function cargo(t, built, status = 0) {
  const path = directory(t);
  const messages = [
    { reason: 'compiler-artifact', target: { name: 'rdstoken' }, filenames: ['/librdstoken.rlib'] },
    { reason: 'compiler-artifact', target: { name: 'rdstoken_node' }, filenames: [built] },
    { reason: 'build-finished', success: true },
  ];
  writeFileSync(join(path, 'messages'), messages.map((each) => JSON.stringify(each)).join('\n'));
  writeFileSync(
    join(path, 'cargo'),
    `#!/bin/sh\necho "$PWD: $*" >> "${path}/calls"\ncat "${path}/messages"\nexit ${status}\n`,
  );
  chmodSync(join(path, 'cargo'), 0o755);
  return path;
}

function calls(path) {
  const file = join(path, 'calls');
  return existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n') : [];
}

/** This process's environment without what npm itself adds, offline, with `path` first in PATH. */
function surroundings(path) {
  const inherited = Object.entries(process.env).filter(([name]) => !/^npm_/iu.test(name));
  return {
    ...Object.fromEntries(inherited),
    PATH: [path, dirname(process.execPath), process.env.PATH].join(delimiter),
    npm_config_offline: 'true',
    npm_config_update_notifier: 'false',
  };
}

/** A copy of the package as it is in a clean checkout. */
function checkout(t) {
  const path = join(directory(t), 'bindings', 'node');
  const skipped = new Set(['node_modules', 'test']);
  cpSync(PACKAGE, path, {
    recursive: true,
    filter: (source) => !(skipped.has(source.slice(PACKAGE.length)) || source.endsWith('.node')),
  });
  return path;
}

/** A shared library to hand to the installer: the built addon under Cargo's name. */
function library(t) {
  const path = join(directory(t), 'librdstoken_node.so');
  copyFileSync(join(PACKAGE, BINARY), path);
  return path;
}

test('a checkout is installed by building it', async (t) => {
  const source = checkout(t);
  const bin = cargo(t, library(t));
  const project = directory(t);
  writeFileSync(join(project, 'package.json'), '{}');
  const env = surroundings(bin);

  const installed = await run('npm', ['install', source], { cwd: project, env });
  assert.equal(installed.status, 0, installed.stderr);
  assert.deepEqual(calls(bin), [
    `${source}: build --release --locked -p rdstoken-node --message-format=json-render-diagnostics`,
  ]);
  assert.ok(readdirSync(source).includes(BINARY));
  assert.ok(!readdirSync(source).includes('node_modules'), 'it needs something else');
  const [ours, theirs] = [source, PACKAGE].map((path) => readFileSync(join(path, BINARY)));
  assert.ok(ours.equals(theirs));

  const used = await run(process.execPath, ['--input-type=module', '-e', USE], { cwd: project });
  assert.deepEqual(used, { status: 0, stdout: '0.1.0\n', stderr: '' });
});

test('a build that fails is a failed installation', async (t) => {
  const source = checkout(t);
  const bin = cargo(t, library(t), 101);
  const { status, stderr } = await run(process.execPath, ['build.mjs'], {
    cwd: source,
    env: surroundings(bin),
  });
  assert.equal(status, 1);
  assert.match(stderr, /^rdstoken: cargo build failed, see above$/mu);
  assert.ok(!readdirSync(source).includes(BINARY));
});

test('no Cargo: the message says what is missing', async (t) => {
  const source = checkout(t);
  const { status, stderr } = await run(process.execPath, ['build.mjs'], {
    cwd: source,
    env: { PATH: directory(t) },
  });
  assert.equal(status, 1);
  assert.match(stderr, /^rdstoken: building needs Rust .*rustup/u);
});

test('a tarball has what it needs, and is installed without Cargo', async (t) => {
  const bin = cargo(t, '/nowhere', 101);
  const env = surroundings(bin);
  const project = directory(t);
  const pack = ['pack', '--json', '--ignore-scripts', '--pack-destination', project];
  const packed = await run('npm', pack, { cwd: PACKAGE, env });
  assert.equal(packed.status, 0, packed.stderr);
  const [{ filename, files }] = Object.values(JSON.parse(packed.stdout));
  assert.deepEqual(files.map(({ path }) => path).sort(), SHIPPED);

  // A Rust project of somebody else's around it must not be taken for ours.
  writeFileSync(join(project, 'Cargo.toml'), '[workspace]\n');
  writeFileSync(join(project, 'package.json'), '{}');
  const installed = await run('npm', ['install', `./${filename}`], { cwd: project, env });
  assert.equal(installed.status, 0, installed.stderr);
  assert.deepEqual(calls(bin), []);
  const installedFiles = readdirSync(join(project, 'node_modules', 'rdstoken'), {
    recursive: true,
  });
  assert.deepEqual(installedFiles.filter((name) => name !== 'drivers').sort(), SHIPPED);
  const used = await run(process.execPath, ['--input-type=module', '-e', USE], { cwd: project });
  assert.deepEqual(used, { status: 0, stdout: '0.1.0\n', stderr: '' });
});

test('a package without a binary for this machine says so', async (t) => {
  const path = join(directory(t), 'rdstoken');
  mkdirSync(join(path, 'drivers'), { recursive: true });
  for (const name of SHIPPED.filter((each) => each !== BINARY)) {
    copyFileSync(join(PACKAGE, name), join(path, name));
  }
  const built = await run(process.execPath, ['build.mjs'], { cwd: path });
  assert.equal(built.status, 1);
  assert.match(built.stderr, /^rdstoken: this package has no binary for \S+-\S+\n$/u);

  const loaded = await run(process.execPath, ['-e', "require('./index.cjs')"], { cwd: path });
  assert.match(loaded.stderr, /Error: rdstoken: there is no binary for \S+ \(there is: none\)/u);

  copyFileSync(join(PACKAGE, BINARY), join(path, 'rdstoken.plan9-vax.node'));
  const foreign = await run(process.execPath, ['-e', "require('./index.cjs')"], { cwd: path });
  assert.match(foreign.stderr, /there is no binary for \S+ \(there is: plan9-vax\)/u);

  writeFileSync(join(path, BINARY), 'not a library');
  const broken = await run(process.execPath, ['-e', "require('./index.cjs')"], { cwd: path });
  assert.match(broken.stderr, /its binary for \S+ does not load/u);
  rmSync(join(path, BINARY));
});
