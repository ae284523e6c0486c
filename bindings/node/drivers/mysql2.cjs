'use strict';

const { connect } = require('node:net');
const { agreed, invalid, isGiven, notEncrypted, strict, tell } = require('./shared.cjs');

/**
 * @typedef {import('../index.cjs').Signer} Signer
 * @typedef {import('./shared.cjs').AdapterOptions} AdapterOptions
 * @typedef {import('./shared.cjs').Tls} Tls
 */

/**
 * What the adapter sets of mysql2's options.
 *
 * @typedef {object} Mysql2Login
 * @property {string} host The signer's hostname.
 * @property {number} port The port.
 * @property {string} user The user.
 * @property {Tls & { verifyIdentity: true }} ssl TLS, with the certificate verified for the signer's
 *   hostname.
 * @property {{ [name: string]: (plugin: any) => () => Promise<any> }} authPlugins
 *   `mysql_clear_password`, which asks the signer at every login.
 */

const NAMES = {
  host: ['host'],
  user: ['user'],
  refused: [
    ...['uri', 'socketPath', 'password', 'password1', 'passwordSha1'],
    // It is asked before authPlugins are.
    'authSwitchHandler',
  ],
};

/**
 * Options for mysql2's `createPool` and `createConnection`, and for what stands on mysql2: knex,
 * Sequelize, TypeORM, Drizzle, Kysely, MikroORM. Every new connection asks the signer for a token.
 *
 * TLS is on, and the server's certificate is verified for the signer's hostname; `ssl` may be an
 * object with more TLS options, but none that weaken that. The token is sent over such a connection
 * only. One that the server refuses is not handed out again.
 *
 * @template {object} T
 * @param {Signer} signer Who logs in, and where.
 * @param {T & AdapterOptions} [options] Options of mysql2, such as `database` and
 *   `connectionLimit`, and `caFile` and `hostaddr`.
 * @returns {Omit<T, keyof AdapterOptions | keyof Mysql2Login> & Mysql2Login} The options for mysql2.
 * @throws {RdsTokenError} `InvalidArgument`, naming the option in `field`, if one would win over the
 *   signer, such as `uri`; `TlsRequired` if the token could go out without verified TLS.
 */
function mysql2Options(signer, options) {
  const given = agreed(signer, options ?? {}, NAMES);
  const { authPlugins, caFile: _caFile, hostaddr, ...rest } = given;
  if (isGiven(/** @type {any} */ (authPlugins)?.mysql_clear_password)) {
    throw invalid('authPlugins', 'expected none for mysql_clear_password');
  }
  return /** @type {any} */ ({
    ...rest,
    ...(isGiven(hostaddr) ? { stream: streamTo(given, hostaddr, signer.port) } : {}),
    // Set, so that they also win where these options are laid over others that have them.
    uri: undefined,
    password: undefined,
    host: signer.hostname,
    port: signer.port,
    user: signer.username,
    // Without verifyIdentity, mysql2 takes any name in a trusted certificate.
    ssl: { ...strict(signer, given), verifyIdentity: true },
    authPlugins: { .../** @type {any} */ (authPlugins), mysql_clear_password: plugin(signer) },
  });
}

/**
 * mysql2 verifies the certificate for the name that it connects to.
 *
 * @param {Record<string, unknown>} given
 * @param {unknown} host
 * @param {number} port
 */
function streamTo(given, host, port) {
  if (isGiven(given.stream)) {
    throw invalid('hostaddr', 'expected either this or stream');
  }
  return () => connect({ host: String(host), port, noDelay: true, keepAlive: true });
}

/**
 * The client's half of mysql_clear_password.
 *
 * @param {Signer} signer
 */
function plugin(signer) {
  /** @param {{ connection: any, command: any }} login */
  return ({ connection, command }) =>
    async () => {
      try {
        // Whoever laid other options over ours.
        if (!(connection.stream?.encrypted && connection.stream.authorized)) {
          throw notEncrypted();
        }
        const token = await signer.getAuthToken();
        command.once('error', (/** @type {{ errno?: number }} */ { errno }) =>
          tell(signer, token, errno),
        );
        return Buffer.from(`${token}\0`);
      } catch (error) {
        throw keepCode(error);
      }
    };
}

/**
 * mysql2 puts a code of its own on what a plugin throws.
 *
 * @param {any} error
 */
function keepCode(error) {
  const { code } = error;
  return Object.defineProperty(error, 'code', { get: () => code, set: () => undefined });
}

module.exports = { mysql2Options };
