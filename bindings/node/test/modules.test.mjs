// Both module systems, one implementation; and one version everywhere.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import test from 'node:test';
import * as esm from 'rdstoken';
import { PACKAGE, run } from './helpers.mjs';

const require = createRequire(import.meta.url);
const cjs = require('rdstoken');
const NAMES = [
  ...['RdsTokenError', 'Signer', 'checkLength', 'limits', 'presign', 'setLogger', 'version'],
];

const USE = `
  const signer = new Signer({
    hostname: 'mydb.cluster-abc123def456.us-east-1.rds.amazonaws.com',
    port: 5432,
    username: 'app_user',
    credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret' },
  });
  signer.getAuthToken().then((token) => {
    try {
      presign({});
    } catch (error) {
      console.log(token.length, error instanceof RdsTokenError, version);
      setLogger(null);
    }
  });
`;
const IMPORT = "import { presign, RdsTokenError, Signer, setLogger, version } from 'rdstoken';";
const REQUIRE =
  "const { presign, RdsTokenError, Signer, setLogger, version } = require('rdstoken');";

for (const [kind, type, first] of [
  ['import', 'module', IMPORT],
  ['require', 'commonjs', REQUIRE],
]) {
  test(`${kind} in a process of its own`, async () => {
    const args = [`--input-type=${type}`, '--eval', first + USE];
    const { stdout, stderr, status } = await run(process.execPath, args, { cwd: PACKAGE });
    assert.equal(stderr, '');
    assert.match(stdout, new RegExp(`^\\d{3} true ${cjs.version}\n$`, 'u'));
    assert.equal(status, 0);
  });
}

test('import and require give the same things', () => {
  assert.deepEqual(Object.keys(esm).sort(), NAMES);
  assert.deepEqual(Object.keys(cjs).sort(), NAMES);
  for (const name of NAMES) {
    assert.equal(esm[name], cjs[name], name);
  }
});

test('the addon itself is private', () => {
  for (const path of ['native.cjs', 'index.cjs', 'build.mjs']) {
    assert.throws(() => require(`rdstoken/${path}`), { code: 'ERR_PACKAGE_PATH_NOT_EXPORTED' });
  }
});

test('the version is the same everywhere', () => {
  const workspace = readFileSync(new URL('../../../Cargo.toml', import.meta.url), 'utf8');
  const [, ofCargo] = workspace.match(/\[workspace\.package\]\nversion = "(.+)"/u);
  assert.equal(cjs.version, ofCargo);
  assert.equal(require('rdstoken/package.json').version, ofCargo);
  assert.equal(require('../package-lock.json').version, ofCargo);
});
