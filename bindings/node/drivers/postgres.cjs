'use strict';

const { agreed, verified } = require('./shared.cjs');

/**
 * @typedef {import('../index.cjs').Signer} Signer
 * @typedef {import('./shared.cjs').AdapterOptions} AdapterOptions
 * @typedef {import('./shared.cjs').Tls} Tls
 */

/**
 * What the adapter sets of postgres.js's options.
 *
 * @typedef {object} PostgresLogin
 * @property {string} host Where to connect to.
 * @property {number} port The port.
 * @property {string} username The user.
 * @property {() => Promise<string>} password Asked for at every login.
 * @property {Tls} ssl TLS, with the certificate verified for the signer's hostname.
 */

const NAMES = {
  host: ['host', 'hostname'],
  user: ['user', 'username'],
  refused: ['pass', 'password', 'path'],
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
  return /** @type {any} */ ({
    ...rest,
    host: hostaddr ?? signer.hostname,
    port: signer.port,
    username: signer.username,
    password: signer.password,
    ssl: verified(signer, given),
  });
}

module.exports = { postgresOptions };
