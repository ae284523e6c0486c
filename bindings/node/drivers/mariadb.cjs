'use strict';

const { connect } = require('node:net');
const { checkServerIdentity } = require('node:tls');
const { agreed, invalid, notEncrypted, silent, strict, tell } = require('./shared.cjs');

/**
 * @typedef {import('../index.cjs').Signer} Signer
 * @typedef {import('./shared.cjs').AdapterOptions} AdapterOptions
 * @typedef {import('./shared.cjs').Tls} Tls
 */

/**
 * What the adapter sets of mariadb's options.
 *
 * @typedef {object} MariadbLogin
 * @property {string} host The signer's hostname.
 * @property {number} port The port.
 * @property {string} user The user.
 * @property {Tls} ssl TLS, with the certificate verified for the signer's hostname.
 * @property {boolean} permitRedirect False: a token is for one endpoint.
 * @property {(callback?: any) => void} stream Asks the signer, then
 *   connects.
 */

const NAMES = {
  host: ['host'],
  user: ['user'],
  refused: ['password', 'permitRedirect', 'socketPath', 'stream'],
};

/** The driver's own second is short for a token whose credentials must be fetched. */
const CONNECT_TIMEOUT_MS = 10_000;

/**
 * Options for `createPool` and `createConnection` of MariaDB's driver, 3.4 and newer, and for what
 * stands on it: Prisma's `PrismaMariaDb`, Sequelize, MikroORM. Every new connection asks the signer
 * for a token.
 *
 * TLS is on, and the server's certificate is verified for the signer's hostname; `ssl` may be an
 * object with more TLS options, but none that weaken that. The token is sent over such a connection
 * only. One from the cache that the server refuses is forgotten; the driver's pool then tries a fresh
 * one. `changeUser` without a password sends the token that its connection logged in with, which
 * works as long as that lives: 15 minutes.
 *
 * @template {object} T
 * @param {Signer} signer Who logs in, and where.
 * @param {T & AdapterOptions} [options] Options of the driver, such as `database` and
 *   `connectionLimit`, and `caFile` and `hostaddr`. `connectTimeout` is 10 seconds unless given.
 * @returns {Omit<T, keyof AdapterOptions | keyof MariadbLogin> & MariadbLogin} The options for the
 *   driver.
 * @throws {RdsTokenError} `InvalidArgument`, naming the option in `field`, if one would win over the
 *   signer or print the token (`debug`, `logger.network`); `TlsRequired` if the token could go out
 *   without verified TLS.
 */
function mariadbOptions(signer, options) {
  const given = agreed(signer, options ?? {}, NAMES);
  silent('debug', given.debug);
  silent('logger', /** @type {any} */ (given.logger)?.network);
  const { caFile: _caFile, hostaddr, ...rest } = given;
  const host = String(hostaddr ?? signer.hostname);
  return /** @type {any} */ ({
    ...rest,
    connectTimeout: rest.connectTimeout ?? CONNECT_TIMEOUT_MS,
    host: signer.hostname,
    port: signer.port,
    user: signer.username,
    // Set, so that it also wins where these options are laid over others that have it.
    password: undefined,
    ssl: strict(signer, given),
    permitRedirect: false,
    stream: streamOf(signer, host),
  });
}

/**
 * The driver has no hook for a password, but one for the stream of a new connection, which it calls
 * as a method of that connection's own copy of the options.
 *
 * @param {Signer} signer
 * @param {string} host
 */
function streamOf(signer, host) {
  /**
   * @this {Record<string, any> | undefined}
   * @param {(error?: Error, stream?: any) => void} callback
   */
  return function stream(callback) {
    if (this?.host !== signer.hostname) {
      callback(invalid('stream', "expected MariaDB's driver to call it as one of its options"));
      return;
    }
    if (typeof this.ssl !== 'object' || this.ssl === null) {
      // Whoever laid other options over ours.
      callback(notEncrypted());
      return;
    }
    signer.getAuthToken().then((token) => {
      guard(/** @type {Record<string, any>} */ (this), signer, token);
      const socket = connect({ host, port: signer.port, noDelay: true });
      try {
        callback(undefined, socket);
      } catch {
        // The driver has given up meanwhile: its connectTimeout is over.
        socket.destroy();
      }
    }, callback);
  };
}

/**
 * Puts the token into a connection's options, where the driver reads it once the server's certificate
 * is known to be good, and only then: with a server that says it is MariaDB's, the driver's 3.4 sends
 * a password in clear first, and verifies later.
 *
 * @param {Record<string, any>} login The options.
 * @param {Signer} signer
 * @param {string} token
 */
function guard(login, signer, token) {
  let good = false;
  /** @type {unknown} */
  let password;
  login.ssl = {
    ...login.ssl,
    // Node calls this for certificates with a trusted chain alone.
    /**
     * @param {string} hostname
     * @param {import('node:tls').PeerCertificate} certificate
     */
    checkServerIdentity(hostname, certificate) {
      const error = checkServerIdentity(hostname, certificate);
      good = error === undefined;
      return error;
    },
  };
  Object.defineProperty(login, 'password', {
    // Not undefined, of which 3.4 makes a crash where a certificate is not good.
    get: () => password ?? (good ? token : ''),
    // For the driver's changeUser.
    set(value) {
      password = value;
    },
    // Out of sight of who prints the options.
    enumerable: false,
    configurable: true,
  });
  const { error: log } = login.logger ?? {};
  login.logger = {
    ...login.logger,
    /** @param {{ errno?: number, fatal?: boolean }} error */
    error(error) {
      // A query can meet the same number, without a privilege, and that is not fatal.
      if (error.fatal && password === undefined) {
        tell(signer, token, error.errno);
      }
      log?.(error);
    },
  };
}

module.exports = { mariadbOptions };
