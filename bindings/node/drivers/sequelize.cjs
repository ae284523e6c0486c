'use strict';

const { mariadbOptions } = require('./mariadb.cjs');
const { mysql2Options } = require('./mysql2.cjs');
const { pgOptions } = require('./pg.cjs');
const { agreed, invalid, isGiven } = require('./shared.cjs');

/**
 * @typedef {import('../index.cjs').Signer} Signer
 * @typedef {import('./shared.cjs').AdapterOptions} AdapterOptions
 */

/**
 * What the adapter sets of Sequelize's options.
 *
 * @typedef {object} SequelizeLogin
 * @property {string} host Where to connect to.
 * @property {number} port The port.
 * @property {string} username The user.
 * @property {object} dialectOptions TLS, and the driver's hook.
 * @property {object} hooks `beforeConnect`, which asks the signer.
 */

const NAMES = {
  host: ['host'],
  user: ['username'],
  refused: ['password', 'replication', 'native'],
};

/**
 * By dialect.
 * @type {Record<string, (signer: Signer, options: any) => any>}
 */
const DRIVERS = { mariadb: mariadbOptions, mysql: mysql2Options, postgres: pgOptions };

/**
 * Options for Sequelize 6 with one of the dialects `postgres`, `mysql` and `mariadb`. Every new
 * connection asks the signer for a token; TLS is as with that driver's own adapter.
 *
 * @template {{ dialect: 'mariadb' | 'mysql' | 'postgres' }} T
 * @param {Signer} signer Who logs in, and where.
 * @param {T & AdapterOptions} options Options of Sequelize, `dialect` among them, and `caFile` and
 *   `hostaddr`. Not `replication`: a signer is for one endpoint.
 * @returns {Omit<T, keyof AdapterOptions | keyof SequelizeLogin> & SequelizeLogin} The options for
 *   Sequelize.
 * @throws {RdsTokenError} `InvalidArgument`, naming the option in `field`, if one would win over the
 *   signer; `TlsRequired` if the token could go out without TLS.
 */
function sequelizeOptions(signer, options) {
  const given = agreed(signer, options, NAMES);
  const { caFile, hostaddr, ssl, dialectOptions, hooks, ...rest } = given;
  const dialect = String(given.dialect);
  if (!Object.hasOwn(DRIVERS, dialect)) {
    throw invalid('dialect', `expected one of ${Object.keys(DRIVERS).join(', ')}`);
  }
  const login = DRIVERS[dialect](signer, {
    caFile,
    hostaddr,
    ...(isGiven(ssl) ? { ssl } : {}),
    .../** @type {any} */ (dialectOptions),
  });
  const { beforeConnect, ...otherHooks } = /** @type {any} */ (hooks ?? {});
  return /** @type {any} */ ({
    ...rest,
    host: login.host,
    port: login.port,
    username: login.user,
    dialectOptions: { ...login },
    hooks: { ...otherHooks, beforeConnect: [settle(login), beforeConnect ?? []].flat() },
  });
}

/**
 * If Sequelize is given a URL as well, it takes the endpoint and the login from there, and lays what
 * else the URL says over the driver's options, TLS included.
 *
 * @param {Record<string, any>} login
 */
function settle(login) {
  const expected = { host: login.host, port: login.port, username: login.user };
  /** @param {Record<string, any>} config Of all connections. */
  return (config) => {
    for (const [field, value] of Object.entries(expected)) {
      if (String(config[field]) !== String(value)) {
        throw invalid(field, "expected the signer's own in the URL");
      }
    }
    if (isGiven(config.password) && config.password !== login.password) {
      throw invalid('password', 'expected none in the URL');
    }
    config.password = login.password;
    Object.assign(config.dialectOptions, login);
  };
}

module.exports = { sequelizeOptions };
