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
 *   roleArn: string | undefined,
 *   roleSessionName: string | undefined,
 *   externalId: string | undefined,
 *   timeout: number | undefined,
 *   minValidity: number | undefined,
 *   align: number | undefined,
 *   cache: boolean | undefined,
 *   advisoryWindow: number | undefined,
 *   mandatoryWindow: number | undefined,
 *   warnHostname: boolean | undefined,
 * }} SignerArguments `timeout` is in milliseconds, all other times in seconds.
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
 * @typedef {object} Stats
 * @property {number} signed
 * @property {number} reused
 * @property {number} renewals
 * @property {number} failures
 * @property {import('./index.cjs').RdsTokenErrorCode} [lastError]
 * @property {number} [expiresAt] Unix milliseconds.
 *
 * @typedef {object} Signer
 * @property {() => () => string | true | null} tokenAtOnce Makes the function that gives the token
 *   that can be had without waiting, true if it is the one that it gave before.
 * @property {() => Token | null} cachedToken
 * @property {() => Promise<Token | Failure>} token Works on the libuv pool and never rejects.
 * @property {() => Promise<Token | Failure>} tokenOnThread Works on a thread of its own. Where there
 *   is none to be had, it returns the failure without a promise.
 * @property {(token: string) => boolean} refused
 * @property {() => { hostname: string, port: number, username: string }} login
 * @property {(token: string, options: ConnectionArguments) => { value: string } | Failure}
 *   connectionString
 * @property {(credentials: boolean) => void} invalidate
 * @property {() => Stats} stats
 *
 * @typedef {object} ConnectionArguments
 * @property {string} driver
 * @property {string | undefined} form
 * @property {string | undefined} database
 * @property {string | undefined} caFile
 * @property {string | undefined} hostaddr
 * @property {string | undefined} odbcDriver
 * @property {string | undefined} onLimit
 *
 * @typedef {object} Question
 * @property {(credentials: Credentials) => Failure | null} give
 * @property {(detail: string) => void} fail
 *
 * @typedef {{ readonly provider: unique symbol }} Provider Opaque.
 *
 * @typedef {object} Native
 * @property {(signer: SignerArguments, provider: Provider | undefined) => Signer | Failure} newSigner
 * @property {(ask: (question: Question) => void) => Provider} newProvider
 * @property {(
 *   logger: ((record: import('./index.cjs').LogRecord) => void) | null,
 *   level: number,
 * ) => void} setLogger
 * @property {(request: PresignArguments) => Token | Failure} presign
 * @property {(driver: string, form: string, token: string) => Failure | null} checkLength
 * @property {() => import('./index.cjs').Limit[]} limits
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
