// docs/node-drivers.md: every program runs as it stands, and logs in to the real servers.

import assert from 'node:assert/strict';
import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { directory, PACKAGE, run } from '../helpers.mjs';
import { credentials, SERVERS } from './helpers.mjs';

const PAGE = readFileSync(join(PACKAGE, '..', '..', 'docs', 'node-drivers.md'), 'utf8');
const [, START] = PAGE.match(/^```js\n(.*?)^```$/msu);
const [, HOSTNAME] = START.match(/hostname = '(.+)'/u);

/** By heading: the program below it, and the server it is for. */
const PROGRAMS = new Map();
for (const part of PAGE.split(/^## /mu).slice(1)) {
  const kind = part.startsWith('MySQL') ? 'mariadb' : 'postgres';
  for (const section of part.split(/^### /mu)) {
    const [heading] = section.split('\n');
    const program = section.match(/^```js\n(.*?)^```$/msu)?.[1];
    if (program) {
      PROGRAMS.set(heading, { kind, program });
    }
  }
}

/** A project that has every driver installed, and rdstoken. */
function project(t, server) {
  const path = directory(t);
  const [from, to] = [PACKAGE, path].map((root) => join(root, 'node_modules'));
  mkdirSync(to);
  for (const name of readdirSync(from)) {
    symlinkSync(join(from, name), join(to, name));
  }
  symlinkSync(PACKAGE, join(to, 'rdstoken'));
  copyFileSync(server.ca_file, join(path, 'global-bundle.pem'));
  return path;
}

async function runs(t, kind, program) {
  const server = SERVERS[kind];
  const path = project(t, server);
  const text = (START + program)
    .replaceAll(HOSTNAME, server.host)
    .replace('port: 5432', `port: ${server.port}`)
    .replaceAll(/(?<=database: |dbName: )'app'/gu, `'${server.dbname}'`);
  writeFileSync(join(path, 'program.mjs'), text);
  const { accessKeyId, secretAccessKey, sessionToken } = credentials(server);
  const env = {
    ...process.env,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_SESSION_TOKEN: sessionToken,
  };
  const { status, stdout, stderr } = await run(process.execPath, ['program.mjs'], {
    cwd: path,
    env,
  });
  assert.equal(stderr, '');
  assert.match(stdout, /'app(?:@%)?'/u);
  assert.equal(status, 0);
}

describe('docs/node-drivers.md', { concurrency: 2 }, () => {
  for (const [heading, { kind, program }] of PROGRAMS) {
    test(heading, (t) => runs(t, kind, program));
  }

  for (const dialect of ['mysql', 'mariadb']) {
    const { program } = PROGRAMS.get('Sequelize');
    const other = program
      .replace("'postgres'", `'${dialect}'`)
      .replace('current_user', 'CURRENT_USER()');
    test(`Sequelize with ${dialect}`, (t) => runs(t, 'mariadb', other));
  }

  test('the table is whole', () => {
    const linked = [...PAGE.matchAll(/\]\(#([\w-]+)\)/gu)].map(([, anchor]) => anchor);
    const anchors = [...PROGRAMS.keys()].map((heading) =>
      heading.toLowerCase().replaceAll(' ', '-').replaceAll('.', ''),
    );
    assert.deepEqual(linked.sort(), anchors.sort());
  });
});
