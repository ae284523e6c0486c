// Builds the native addon for this machine and puts it beside this file.
//
// npm runs it when the package is installed. In a checkout it calls Cargo. In a package from
// `npm pack` the binary is there already and the sources are not, so nothing is built.

import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, renameSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const binary = at(`rdstoken.${process.platform}-${process.arch}.node`);

try {
  // The crate's own manifest, not the workspace's: an installed package may well stand in somebody
  // else's Cargo workspace.
  if (existsSync(at('Cargo.toml'))) {
    const temporary = `${binary}.${process.pid}`;
    copyFileSync(build(), temporary);
    // A process that has loaded the old file keeps it; writing into it would crash that process.
    renameSync(temporary, binary);
  } else if (!existsSync(binary)) {
    throw new Error(`this package has no binary for ${process.platform}-${process.arch}`);
  }
} catch (error) {
  process.stderr.write(`rdstoken: ${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
}

/** @param {string} name */
function at(name) {
  return fileURLToPath(new URL(name, import.meta.url));
}

/** @returns {string} The library that Cargo built. Cargo says where: the target directory varies. */
function build() {
  const cargo = spawnSync(
    'cargo',
    [
      'build',
      '--release',
      '--locked',
      '-p',
      'rdstoken-node',
      '--message-format=json-render-diagnostics',
    ],
    {
      cwd: at('.'),
      encoding: 'utf8',
      maxBuffer: Number.POSITIVE_INFINITY,
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  if (cargo.error) {
    throw new Error(
      `building needs Rust (https://rustup.rs): cannot run cargo: ${cargo.error.message}`,
    );
  }
  if (cargo.status !== 0) {
    throw new Error('cargo build failed, see above');
  }
  const library = cargo.stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line))
    .find((message) => message.target?.name === 'rdstoken_node' && message.filenames)
    ?.filenames.find((/** @type {string} */ name) => /\.(?:so|dylib|dll)$/u.test(name));
  if (!library) {
    throw new Error('cargo build made no library');
  }
  return library;
}
