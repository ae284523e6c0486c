'use strict';

const { connect, Socket } = require('node:net');
const { agreed, notEncrypted, verified } = require('./shared.cjs');

/**
 * @typedef {import('../index.cjs').Signer} Signer
 * @typedef {import('./shared.cjs').AdapterOptions} AdapterOptions
 * @typedef {import('./shared.cjs').Tls} Tls
 */

/**
 * What the adapter sets of postgres.js's options.
 *
 * @typedef {object} PostgresLogin
 * @property {string} host The signer's hostname.
 * @property {number} port The port.
 * @property {string} username The user.
 * @property {() => Promise<string>} password Asked for at every login.
 * @property {Tls} ssl TLS, with the certificate verified for the signer's hostname.
 * @property {(options: any) => Promise<any>} socket Asks the signer, then connects.
 */

const NAMES = {
  host: ['host', 'hostname'],
  user: ['user', 'username'],
  refused: ['pass', 'password', 'path', 'socket'],
};

/**
 * Options for postgres.js. Every new connection asks the signer for a token.
 *
 * TLS is on, and the server's certificate is verified for the signer's hostname. `ssl` may be an
 * object with more TLS options; `ssl: 'require'` gives up the verification. They also win over a
 * URL: `postgres(url, postgresOptions(signer))`. postgres.js does not tell of a refused login: call
 * `signer.invalidate()` after one.
 *
 * @template {object} T
 * @param {Signer} signer Who logs in, and where.
 * @param {T & AdapterOptions} [options] Options of postgres.js, such as `database` and `max`, and
 *   `caFile` and `hostaddr`.
 * @returns {Omit<T, keyof AdapterOptions | keyof PostgresLogin> & PostgresLogin} The options for
 *   postgres.js.
 * @throws {RdsTokenError} `InvalidArgument`, naming the option in `field`, if one would win over the
 *   signer; `TlsRequired` if the token could go out without TLS.
 */
function postgresOptions(signer, options) {
  const given = agreed(signer, options ?? {}, NAMES);
  const { caFile: _caFile, hostaddr, hostname: _hostname, user: _user, ...rest } = given;
  const host = String(hostaddr ?? signer.hostname);
  return /** @type {any} */ ({
    ...rest,
    host: signer.hostname,
    port: signer.port,
    username: signer.username,
    // By now there is a token at hand, see below, unless the signer keeps none: then it signs once
    // more. Should that fail, the server refuses an empty password.
    password: () => signer.getAuthToken().catch(() => ''),
    ssl: verified(signer, given),
    socket: (/** @type {{ ssl: unknown }} */ { ssl }) => open(signer, host, ssl),
  });
}

/**
 * Sees to it that there is a token before a new connection needs one: postgres.js handles no error of
 * its password function, and the process would end of it. An error of a socket reaches the query.
 *
 * @param {Signer} signer
 * @param {string} host
 * @param {unknown} ssl What postgres.js is about to do.
 */
async function open(signer, host, ssl) {
  try {
    if (typeof ssl !== 'object' || ssl === null) {
      // Whoever laid other options over ours.
      throw notEncrypted();
    }
    await signer.getAuthToken();
  } catch (error) {
    const failed = new Socket();
    setImmediate(() => failed.destroy(/** @type {Error} */ (error)));
    return failed;
  }
  return connect({ host, port: signer.port });
}

module.exports = { postgresOptions };
