'use strict';

const { connect } = require('node:net');
const { agreed, invalid, isGiven, notEncrypted, silent, strict, tell } = require('./shared.cjs');

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
 * only. One from the cache that the server refuses is forgotten, and the next login gets a fresh one.
 *
 * @template {object} T
 * @param {Signer} signer Who logs in, and where.
 * @param {T & AdapterOptions} [options] Options of mysql2, such as `database` and
 *   `connectionLimit`, and `caFile` and `hostaddr`.
 * @returns {Omit<T, keyof AdapterOptions | keyof Mysql2Login> & Mysql2Login} The options for mysql2.
 * @throws {RdsTokenError} `InvalidArgument`, naming the option in `field`, if one would win over the
 *   signer, such as `uri`, or print the token (`debug`); `TlsRequired` if the token could go out
 *   without verified TLS.
 */
function mysql2Options(signer, options) {
  const given = agreed(signer, options ?? {}, NAMES);
  silent('debug', given.debug);
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
        if (!isVerified(connection, signer)) {
          throw notEncrypted();
        }
        const token = await signer.getAuthToken();
        onFailure(command, ({ errno }) => tell(signer, token, errno));
        return Buffer.from(`${token}\0`);
      } catch (error) {
        if (command.onResult) {
          // mysql2 emits what a plugin throws, and nobody listens to changeUser's command.
          command.once('error', (/** @type {unknown} */ reason) => command.onResult(reason));
        }
        throw keepCode(error);
      }
    };
}

/**
 * Whether the certificate was verified for the signer's hostname: other options may have been laid
 * over ours.
 *
 * @param {any} connection
 * @param {Signer} signer
 */
function isVerified({ config, stream }, signer) {
  return (
    config.host === signer.hostname &&
    config.ssl?.verifyIdentity &&
    stream?.encrypted &&
    stream.authorized
  );
}

/**
 * changeUser's command tells a failure to its callback alone, a login's emits it.
 *
 * @param {any} command
 * @param {(error: { errno?: number }) => void} listener
 */
function onFailure(command, listener) {
  const { onResult } = command;
  if (!onResult) {
    command.once('error', listener);
    return;
  }
  command.onResult = (/** @type {any} */ error, /** @type {unknown[]} */ ...rest) => {
    if (error) {
      listener(error);
    }
    onResult.call(command, error, ...rest);
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
