'use strict';

// Loads the native addon, which is private to index.cjs.

const { readdirSync } = require('node:fs');

/**
 * @typedef {object} Credentials
 * @property {string} accessKeyId
 * @property {string} secretAccessKey
 * @property {string | undefined} sessionToken
 * @property {number | undefined} expiration Unix milliseconds.
 *
 * @typedef {object} Login
 * @property {string} hostname
 * @property {number} port
 * @property {string} username
 * @property {string | undefined} region
 * @property {number | undefined} expiresIn Seconds.
 *
 * @typedef {Login & {
 *   profile: string | undefined,
 *   credentials: Credentials | undefined,
 *   timeout: number | undefined,
 * }} SignerArguments
 *
 * @typedef {Login & { credentials: Credentials, signingTime: number }} PresignArguments
 *
 * @typedef {object} Token
 * @property {string} value
 * @property {number} expiresAt Unix milliseconds.
 *
 * @typedef {object} Failure
 * @property {import('./index.cjs').RdsTokenErrorCode} code
 * @property {string} [field] In snake case.
 * @property {string} detail
 *
 * @typedef {object} Signer
 * @property {() => Promise<Token | Failure>} token Works on the libuv pool and never rejects.
 *
 * @typedef {object} Native
 * @property {(signer: SignerArguments) => Signer | Failure} newSigner
 * @property {(request: PresignArguments) => Token | Failure} presign
 * @property {() => string} version
 * @property {() => string[]} codes Every error code there is, for the tests.
 */

/** @returns {Native} */
function load() {
  const platform = `${process.platform}-${process.arch}`;
  try {
    return require(`./rdstoken.${platform}.node`);
  } catch (cause) {
    const built = readdirSync(__dirname)
      .filter((name) => /^rdstoken\..*\.node$/u.test(name))
      .map((name) => name.slice('rdstoken.'.length, -'.node'.length));
    const reason = built.includes(platform)
      ? `its binary for ${platform} does not load (was it built on another system?)`
      : `there is no binary for ${platform} (there is: ${built.join(', ') || 'none'})`;
    throw new Error(`rdstoken: ${reason}; install the package on this machine, with Rust at hand`, {
      cause,
    });
  }
}

module.exports = load();
