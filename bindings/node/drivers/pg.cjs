'use strict';

const { isIP } = require('node:net');
const { agreed, invalid, notEncrypted, tell, verified } = require('./shared.cjs');

/**
 * @typedef {import('../index.cjs').Signer} Signer
 * @typedef {import('./shared.cjs').AdapterOptions} AdapterOptions
 * @typedef {import('./shared.cjs').Tls} Tls
 */

/**
 * What the adapter sets of pg's options.
 *
 * @typedef {object} PgLogin
 * @property {string} host Where to connect to.
 * @property {number} port The port.
 * @property {string} user The user.
 * @property {() => Promise<string>} password Asked by pg's Client at every login.
 * @property {Tls} ssl TLS, with the certificate verified for the signer's hostname.
 */

const NAMES = {
  host: ['host'],
  user: ['user'],
  // pg takes the password from a connection string, and an empty one if it has none.
  refused: ['connectionString', 'password'],
};

/**
 * Options for pg's `Pool` and `Client`, and for what stands on pg: pg-promise, knex, TypeORM,
 * Drizzle, Kysely, Prisma's `PrismaPg`. Every new connection asks the signer for a token.
 *
 * TLS is on, and the server's certificate is verified for the signer's hostname. `ssl` may be an
 * object with more TLS options; `ssl: 'require'` gives up the verification. A token from the cache
 * that the server refuses is forgotten, and the next login gets a fresh one.
 *
 * @template {object} T
 * @param {Signer} signer Who logs in, and where.
 * @param {T & AdapterOptions} [options] Options of pg, such as `database` and `max`, and `caFile` and
 *   `hostaddr`.
 * @returns {Omit<T, keyof AdapterOptions | keyof PgLogin> & PgLogin} The options for pg.
 * @throws {RdsTokenError} `InvalidArgument`, naming the option in `field`, if one would win over the
 *   signer, such as `connectionString`; `TlsRequired` if the token could go out without TLS.
 */
function pgOptions(signer, options) {
  const given = agreed(signer, options ?? {}, NAMES);
  const { caFile: _caFile, hostaddr, ...rest } = given;
  return /** @type {any} */ ({
    ...rest,
    // Set, so that it also wins where these options are laid over others that have one, as TypeORM's
    // `extra` is.
    connectionString: undefined,
    host: hostaddr ?? signer.hostname,
    port: signer.port,
    user: signer.username,
    password: passwordOf(signer),
    ssl: verified(signer, given),
  });
}

/**
 * The function that pg calls at a login, as a method of its Client.
 *
 * @param {Signer} signer
 */
function passwordOf(signer) {
  /** @this {{ connection?: any, host?: unknown } | undefined} */
  return async function password() {
    const connection = this?.connection;
    const host = String(this?.host);
    if (typeof connection?.once !== 'function') {
      // Called once by what keeps the answer, the token would be sent for ever.
      throw invalid('password', "expected pg's Client to ask for it, at each login anew");
    }
    const token = await tokenFor(signer, connection, host);
    /** @param {{ code?: string }} error */
    const onError = ({ code }) => tell(signer, token, code);
    connection.once('errorMessage', onError);
    connection.once('readyForQuery', () => connection.off('errorMessage', onError));
    return token;
  };
}

/**
 * @param {Signer} signer
 * @param {any} connection
 * @param {string} host
 */
async function tokenFor(signer, connection, host) {
  try {
    // Whoever laid other options over ours. pg verifies the certificate for a host that is a name.
    if (host !== signer.hostname && isIP(host) === 0) {
      throw invalid('host', "expected the signer's own");
    }
    if (!connection.stream?.encrypted) {
      throw notEncrypted();
    }
    return await signer.getAuthToken();
  } catch (error) {
    // pg itself leaves it open, until the server loses patience after a minute.
    connection.end();
    throw error;
  }
}

module.exports = { pgOptions };
