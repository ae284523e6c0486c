// What a user installs: the tarball of `npm pack` in a fresh folder, with pg beside it, runs the
// README's program.

import assert from 'node:assert/strict';
import { copyFileSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { directory, PACKAGE, run } from '../helpers.mjs';
import { credentials, SERVERS } from './helpers.mjs';

const README = readFileSync(join(PACKAGE, 'README.md'), 'utf8');
const [, PROGRAM] = README.match(/^```js\n(.*?)^```$/msu);
const [, HOSTNAME] = PROGRAM.match(/hostname = '(.+)'/u);
const OFFLINE = { npm_config_offline: 'true', npm_config_update_notifier: 'false' };

test('npm pack, npm install, log in', async (t) => {
  const server = SERVERS.postgres;
  const project = directory(t);
  const env = { ...process.env, ...OFFLINE };
  const pack = ['pack', '--ignore-scripts', '--pack-destination', project];
  const packed = await run('npm', pack, { cwd: PACKAGE, env });
  assert.equal(packed.status, 0, packed.stderr);
  const [tarball] = readdirSync(project);
  writeFileSync(join(project, 'package.json'), '{}');
  const install = ['install', '--ignore-scripts', `./${tarball}`];
  const installed = await run('npm', install, { cwd: project, env });
  assert.equal(installed.status, 0, installed.stderr);
  symlinkSync(join(PACKAGE, 'node_modules', 'pg'), join(project, 'node_modules', 'pg'));

  copyFileSync(server.ca_file, join(project, 'global-bundle.pem'));
  const program = PROGRAM.replace(HOSTNAME, server.host)
    .replace('port: 5432', `port: ${server.port}`)
    .replace("database: 'app'", `database: '${server.dbname}'`);
  writeFileSync(join(project, 'program.mjs'), program);
  const { accessKeyId, secretAccessKey, sessionToken } = credentials(server);
  const keys = {
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_SESSION_TOKEN: sessionToken,
  };
  const ran = await run(process.execPath, ['program.mjs'], {
    cwd: project,
    env: { ...env, ...keys },
  });
  assert.deepEqual(ran, { status: 0, stdout: 'app\n', stderr: '' });
});
