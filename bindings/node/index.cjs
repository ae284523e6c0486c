'use strict';

/**
 * What went wrong, for programs:
 *
 * - `InvalidArgument`: an argument is not what it must be; `field` names it.
 * - `RegionNotFound`: the region was neither given nor found in the hostname, the environment or
 *   the profile.
 * - `CredentialsNotFound`: no credential source had any credentials; the message lists the sources.
 * - `CredentialsFailed`: a credential source is set up, but failed to give usable credentials.
 * - `CredentialsExpired`: the credentials had expired at the signing time.
 * - `Timeout`: the deadline passed before the credentials arrived.
 * - `DriverLimit`: the driver, or the way the token would be given to it, cuts or alters a token of
 *   this length.
 * - `TlsRequired`: the login would send the token without TLS.
 * - `Internal`: a fault in rdstoken itself. Please report it.
 *
 * @typedef {'CredentialsExpired'
 *   | 'CredentialsFailed'
 *   | 'CredentialsNotFound'
 *   | 'DriverLimit'
 *   | 'Internal'
 *   | 'InvalidArgument'
 *   | 'RegionNotFound'
 *   | 'Timeout'
 *   | 'TlsRequired'} RdsTokenErrorCode
 */

/**
 * AWS credentials, in the shape of the AWS SDK's.
 *
 * @typedef {object} Credentials
 * @property {string} accessKeyId The access key id.
 * @property {string} secretAccessKey The secret key.
 * @property {string | null} [sessionToken] The session token of temporary credentials.
 * @property {Date | null} [expiration] When temporary credentials expire, if that is known. No
 *   token signed with them is said to live longer.
 */

/**
 * A source of credentials of the caller's own, such as the providers of the AWS SDK
 * (`fromIni()`, `fromTemporaryCredentials()`): a function, sync or async.
 *
 * It is called without arguments, on the thread that made the signer, when credentials are wanted;
 * again only when those it gave are due for renewal. Signers that are given the same function share
 * what it gives. Of an error that it throws or rejects with, only the name is told on, because
 * messages may hold secrets. If it does not settle within the signer's `timeout`, its answer is
 * dropped, and it may be called again before it has settled. It must not wait for a token of a signer
 * that asks it.
 *
 * @typedef {() => Credentials | Promise<Credentials>} CredentialsFunction
 */

/**
 * What a `Signer` is made from. Keys that are not listed here are ignored.
 *
 * @typedef {object} SignerOptions
 * @property {string} hostname The database's endpoint name: a DNS name alone. Connect to this same
 *   name, because the server checks it.
 * @property {number} port The database's port, 1 to 65535. It is signed and never guessed.
 * @property {string} username The database user. Case and spaces are kept.
 * @property {string | null} [region] The endpoint's region. Unless given, it is found: in the
 *   hostname, else in `AWS_REGION` or `AWS_DEFAULT_REGION`, else in the profile.
 * @property {string | null} [profile] Take credentials from this profile of the shared config and
 *   credentials files, and from nowhere else. Not together with `credentials`.
 * @property {Credentials | CredentialsFunction | null} [credentials] Sign with these and look for
 *   none, or ask this function for them. They are copied, and cannot be read back from the signer.
 *   Unless given, the AWS SDKs' default chain is asked: environment variables, shared files, web
 *   identity, container, instance metadata.
 * @property {string | null} [roleArn] Assume this role, named by its ARN, with the credentials found
 *   as above.
 * @property {string | null} [roleSessionName] The name of the assumed role's session, 2 to 64
 *   characters. `rdstoken` unless given. Only with `roleArn`.
 * @property {string | null} [externalId] The external id that the role's trust policy asks for. Only
 *   with `roleArn`.
 * @property {number | null} [expiresIn] How long a token is valid, in whole seconds: 1 to 900.
 *   900 unless given.
 * @property {number | null} [timeout] How long to wait for credentials, all sources together, in
 *   whole milliseconds, up to an hour. 5000 unless given.
 * @property {number | null} [minValidity] A token is reused while it has at least this much left, in
 *   whole seconds: 0 to 899, and less than `expiresIn`. 60 unless given, or `expiresIn` - 1 if that
 *   is less.
 * @property {number | null} [align] Sign as of the last multiple of this, in whole seconds: 0 to 600.
 *   0, which is off, unless given. Then all who hold the same credentials make the same token, which
 *   Aurora does not throttle. A fresh token has `expiresIn` - `align` to live at least, which must
 *   be no less than `minValidity`.
 * @property {boolean | null} [cache] Reuse tokens. True unless given. Without, every call signs anew;
 *   credentials are kept all the same.
 * @property {number | null} [advisoryWindow] So long before the expiry of the credentials, in whole
 *   seconds up to 12 hours, one caller renews them and the others use what is there. 300 unless
 *   given, and lengthened by up to a fifth at random.
 * @property {number | null} [mandatoryWindow] So long before the expiry of the credentials, in whole
 *   seconds, all callers wait for a renewal. 60 unless given, and no longer than `advisoryWindow`.
 * @property {boolean | null} [warnHostname] Log a warning, once, if the hostname is none of RDS's
 *   own: the server checks the name that is signed, and knows only its own. True unless given. See
 *   `setLogger`.
 */

/**
 * All that a token depends on. Keys that are not listed here are ignored.
 *
 * @typedef {object} PresignOptions
 * @property {string} hostname The database's endpoint name.
 * @property {number} port The database's port, 1 to 65535.
 * @property {string} username The database user.
 * @property {string | null} [region] The endpoint's region. Unless given, it is found in the
 *   hostname.
 * @property {Credentials} credentials Who signs.
 * @property {Date} signingTime When the token begins to be valid, in the years 1970 to 9999. The
 *   fraction of a second is dropped.
 * @property {number | null} [expiresIn] How long the token is valid, in whole seconds: 1 to 900.
 *   900 unless given.
 */

/**
 * A token and when it stops working.
 *
 * @typedef {object} AuthTokenInfo
 * @property {string} value The token. Hand it to the driver whole, as the password. It is a secret.
 * @property {Date} expiresAt The earlier of signing time + `expiresIn` and the expiry of the
 *   credentials. A connection that is open by then stays open.
 */

/**
 * What `Signer.invalidate` is to forget.
 *
 * @typedef {object} InvalidateOptions
 * @property {boolean | null} [credentials] Forget the credentials too. False unless given.
 */

/**
 * What a signer has done so far.
 *
 * @typedef {object} SignerStats
 * @property {number} signed Tokens signed.
 * @property {number} reused Tokens handed out again.
 * @property {number} renewals Fetches of credentials that succeeded, by all signers that share them.
 * @property {number} failures Fetches of credentials that failed, by all signers that share them.
 * @property {RdsTokenErrorCode | undefined} lastError The code of the failure last met.
 * @property {Date | undefined} expiresAt When the token signed last stops working; undefined before
 *   the first. Whole seconds.
 */

/**
 * What a connection string is made from, beside the signer's login.
 *
 * @typedef {object} ConnectionStringOptions
 * @property {string} driver The driver that reads it: `pg`, `mysql2`, `psqlodbc`, `libpq`, …; see
 *   `limits()`.
 * @property {string | null} [form] Its syntax: `uri`, `connection-string` for ODBC, …. Unless given,
 *   the first that can be written for the driver.
 * @property {string | null} [database] The database to use. Unless given, the driver's default.
 * @property {string | null} [caFile] The file of the certificate authorities to trust. Unless given,
 *   the driver's default.
 * @property {string | null} [hostaddr] Connect to this address, while the certificate is still that
 *   of the endpoint's name. Only for libpq and what stands on it.
 * @property {string | null} [odbcDriver] What ODBC calls the driver: its name in odbcinst.ini or its
 *   library's path. `PostgreSQL Unicode` or `MariaDB Unicode` unless given.
 * @property {'refuse' | 'warn' | null} [onLimit] What to do if the driver is known to cut or alter a
 *   token of this length: fail, or log a warning. `refuse` unless given.
 */

/**
 * A way to give a driver a password, and how long a token it passes on whole.
 *
 * @typedef {object} Limit
 * @property {string} driver The driver, for example `psqlodbc`.
 * @property {string} form The way that the password is given, for example `connection-string`.
 * @property {number} [maxLength] The longest token that arrives whole, in bytes; 0 if none does,
 *   undefined if there is no limit below 65,000.
 * @property {'altered' | 'crash' | 'cut' | 'error' | 'nothing'} beyond What the driver does to a
 *   longer one. It is cut or altered without a word.
 * @property {boolean} written Whether `connectionString` can write this form.
 * @property {string} note What to do instead, or what else to know. May be empty.
 * @property {string} source Where the row comes from.
 */

/**
 * How grave a log record is.
 *
 * @typedef {'debug' | 'error' | 'info' | 'warn'} LogLevel
 */

/**
 * A log record.
 *
 * @typedef {object} LogRecord
 * @property {LogLevel} level How grave it is.
 * @property {string} message One line, which never holds a secret.
 */

const { isDate, isNativeError } = require('node:util/types');
const native = require('./native.cjs');

/**
 * Every error that rdstoken throws or rejects with. The message is one line, `hostname: expected …`
 * or just the text, and never holds a secret.
 */
class RdsTokenError extends Error {
  static {
    // On the prototype, as with the language's own errors; the first line of the stack has it too.
    RdsTokenError.prototype.name = 'RdsTokenError';
  }

  /**
   * rdstoken makes these; programs catch them.
   *
   * @param {RdsTokenErrorCode} code What went wrong, for programs.
   * @param {string} detail What went wrong, for people.
   * @param {string} [field] The argument at fault.
   */
  constructor(code, detail, field) {
    super(field === undefined ? detail : `${field}: ${detail}`);

    /**
     * What went wrong, for programs.
     * @readonly
     * @type {RdsTokenErrorCode}
     */
    this.code = code;

    /**
     * The name of the argument at fault, such as `hostname` or `secretAccessKey`, if `code` is
     * `InvalidArgument`.
     * @readonly
     * @type {string | undefined}
     */
    this.field = field;
  }
}

/**
 * Makes tokens for one database user at one endpoint, with credentials that it finds itself.
 *
 * Make one per user and endpoint, keep it, and ask it before every login. A token is signed once and
 * reused while it has at least `minValidity` to live and the credentials that signed it are still
 * the ones. Credentials are fetched once for all signers of the same profile and role, in all threads
 * of the process, and renewed before they expire. While a renewal fails, a token that is still valid
 * is handed out; one that is not, never.
 *
 * The event loop is never blocked. A token at hand is answered at once, and one is signed at once
 * with credentials at hand: in microseconds, less than a thread would take. Else the work is done on
 * libuv's thread pool, where it takes up one thread while credentials are fetched, or, if
 * `credentials` is a function, on a thread of its own. Calls that overlap share that work, unless
 * `cache` is false. A call under way keeps the process alive; a signer does not. `process.exit()`
 * and a worker's end wait for work on the pool, at most for its `timeout`.
 *
 * Environment variables are those of the process: what the main thread sets in `process.env`
 * counts, what a worker thread sets in its own copy does not.
 *
 * A signer shows nothing of its options when it is printed or turned into JSON.
 */
class Signer {
  /** @type {native.Signer} */
  #native;
  /**
   * Held so that other signers with the same function find it.
   * @type {native.Provider | undefined}
   */
  #provider;
  /** @type {boolean} */
  #cache;
  /** @type {ReturnType<native.Signer['tokenAtOnce']>} */
  #tokenAtOnce;
  /**
   * The token that the addon gave last, if it may be handed out again. The addon alone knows whether
   * it may now.
   * @type {string | undefined}
   */
  #shown;
  /**
   * The work that overlapping calls share.
   * @type {ReturnType<native.Signer['token']> | undefined}
   */
  #flight;
  #password = () => this.getAuthToken();

  /**
   * Checks the options. Looks for nothing yet: no file, variable or network is touched, and no
   * function called.
   *
   * @param {SignerOptions} options Whom the tokens let in where, and who signs.
   * @throws {RdsTokenError} `InvalidArgument`, naming the option in `field`.
   */
  constructor(options) {
    const given = object('options', options);
    const source = given.credentials;
    const asks = typeof source === 'function';
    const request = {
      ...login(given),
      profile: optional(string, 'profile', given.profile),
      credentials: asks ? undefined : optional(credentials, 'credentials', source),
      roleArn: optional(string, 'roleArn', given.roleArn),
      roleSessionName: optional(string, 'roleSessionName', given.roleSessionName),
      externalId: optional(string, 'externalId', given.externalId),
      timeout: optional(integer, 'timeout', given.timeout),
      minValidity: optional(integer, 'minValidity', given.minValidity),
      align: optional(integer, 'align', given.align),
      cache: optional(boolean, 'cache', given.cache),
      advisoryWindow: optional(integer, 'advisoryWindow', given.advisoryWindow),
      mandatoryWindow: optional(integer, 'mandatoryWindow', given.mandatoryWindow),
      warnHostname: optional(boolean, 'warnHostname', given.warnHostname),
    };
    this.#cache = request.cache !== false;
    this.#provider = asks ? provider(/** @type {() => unknown} */ (source)) : undefined;
    this.#native = unwrap(native.newSigner(request, this.#provider));
    this.#tokenAtOnce = this.#native.tokenAtOnce();
  }

  /**
   * A token: the password for the next login.
   *
   * @returns {Promise<string>} The token: a few hundred characters with static keys, 1 to 4 KB and
   *   sometimes more with a session token. It is a secret.
   * @throws {RdsTokenError} The promise is rejected with `RegionNotFound`, `CredentialsNotFound`,
   *   `CredentialsFailed`, `CredentialsExpired` or `Timeout`.
   */
  async getAuthToken() {
    while (!this.#cache && signatures >= SIGNATURES_A_TURN) {
      // biome-ignore lint/performance/noAwaitInLoops: others may have taken the room meanwhile
      await nextTurn();
    }
    const found = this.#atOnce();
    if (found !== undefined) {
      return found;
    }
    const shares = this.#flight !== undefined;
    const { value } = await this.#make();
    // Asked for again, so that it is counted.
    return (shares ? this.#atOnce() : undefined) ?? value;
  }

  /**
   * A token, and when it stops working.
   *
   * @returns {Promise<AuthTokenInfo>} The token and its expiry.
   * @throws {RdsTokenError} The promise is rejected as by `getAuthToken`.
   */
  async getAuthTokenInfo() {
    const { value, expiresAt } = await this.#token();
    return { value, expiresAt: new Date(expiresAt) };
  }

  /**
   * A connection string with a token for the next login: quoted and escaped as the driver's parser
   * wants it, with TLS and verification. It is as secret as the token in it, and works as long as
   * that. A driver with a hook for a fresh password is better served there.
   *
   * @param {ConnectionStringOptions} options For which driver, and what else to put in.
   * @returns {Promise<string>} The string.
   * @throws {RdsTokenError} The promise is rejected with `InvalidArgument` for an unknown driver or
   *   form, or an option that the string has no room for; with `DriverLimit`; or as by
   *   `getAuthToken`.
   */
  async connectionString(options) {
    const given = object('options', options);
    const request = {
      driver: string('driver', given.driver),
      form: optional(string, 'form', given.form),
      database: optional(string, 'database', given.database),
      caFile: optional(string, 'caFile', given.caFile),
      hostaddr: optional(string, 'hostaddr', given.hostaddr),
      odbcDriver: optional(string, 'odbcDriver', given.odbcDriver),
      onLimit: optional(string, 'onLimit', given.onLimit),
    };
    const { value } = await this.#token();
    return unwrap(this.#native.connectionString(value, request)).value;
  }

  /**
   * Tells the signer that the server refused a login because of the password, and answers whether to
   * try once more, with a fresh token.
   *
   * @param {string} token The token that was refused.
   * @returns {boolean} True if it had been handed out before, and so may have died since: it is
   *   forgotten, and the next call signs a new one. False if it came fresh from signing, because the
   *   next would be refused as well; if the next would be the same, within the same second or period
   *   of `align`; if tokens are not reused at all; or if it is for another login.
   * @throws {RdsTokenError} `InvalidArgument`, naming the argument in `field`.
   */
  refused(token) {
    const again = this.#native.refused(string('token', token));
    if (again) {
      this.#shown = undefined;
    }
    return again;
  }

  /**
   * The endpoint's name, as it is signed: lower case, no final dot.
   *
   * @returns {string} The name.
   */
  get hostname() {
    return this.#native.login().hostname;
  }

  /**
   * The endpoint's port.
   *
   * @returns {number} The port.
   */
  get port() {
    return this.#native.login().port;
  }

  /**
   * The database user.
   *
   * @returns {string} The name.
   */
  get username() {
    return this.#native.login().username;
  }

  /**
   * `getAuthToken` as a function that needs no signer before it, for drivers whose `password` may be
   * a function. Always the same one.
   *
   * @returns {() => Promise<string>} The function.
   */
  get password() {
    return this.#password;
  }

  /**
   * When the token signed last stops working; undefined before the first. Whole seconds.
   *
   * @returns {Date | undefined} The time.
   */
  get expiresAt() {
    return this.stats().expiresAt;
  }

  /**
   * What has been done so far. The numbers are counted apart and so may be a call or two out of step
   * with each other.
   *
   * @returns {SignerStats} The numbers.
   */
  stats() {
    const { signed, reused, renewals, failures, lastError, expiresAt } = this.#native.stats();
    return {
      signed,
      reused,
      renewals,
      failures,
      lastError,
      expiresAt: expiresAt === undefined ? undefined : new Date(expiresAt),
    };
  }

  /**
   * Forgets the token, so that the next call signs a new one: for the one retry after a login was
   * refused with a token that had been handed out before. With `credentials: true` also the
   * credentials that signed it, for all signers that share them.
   *
   * @param {InvalidateOptions | null} [options] What to forget beyond the token.
   * @throws {RdsTokenError} `InvalidArgument`, naming the option in `field`.
   */
  invalidate(options) {
    const given = optional(object, 'options', options);
    const both = optional(boolean, 'credentials', given?.credentials) ?? false;
    // Whoever asks from now on must not be given what was begun before.
    this.#flight = undefined;
    this.#shown = undefined;
    this.#native.invalidate(both);
  }

  /**
   * Options for mysql2's `createPool` and `createConnection`: `mysql2Options` of `rdstoken/mysql2`,
   * where more is said.
   *
   * @template {object} T
   * @param {T & import('./drivers/shared.cjs').AdapterOptions} [options] Options of mysql2, and
   *   `caFile` and `hostaddr`.
   * @returns {ReturnType<typeof import('./drivers/mysql2.cjs').mysql2Options<T>>} The options for
   *   mysql2.
   * @throws {RdsTokenError} `InvalidArgument`, naming the option in `field`; `TlsRequired` if the
   *   token could go out without verified TLS.
   */
  mysql2(options) {
    // Only now: it needs this module.
    return require('./drivers/mysql2.cjs').mysql2Options(this, options);
  }

  /** The token that can be had without waiting. */
  #atOnce() {
    const found = this.#tokenAtOnce();
    if (found === true) {
      return this.#shown;
    }
    if (found === null) {
      return;
    }
    if (this.#cache) {
      this.#shown = found;
    } else {
      signatures += 1;
    }
    lingerForRecords();
    return found;
  }

  /** @returns {Promise<native.Token>} */
  async #token() {
    const found = this.#native.cachedToken();
    if (found) {
      return found;
    }
    const shares = this.#flight !== undefined;
    const made = await this.#make();
    // Asked for again, so that it is counted.
    return (shares ? this.#native.cachedToken() : null) ?? made;
  }

  /** @returns {Promise<native.Token>} */
  async #make() {
    if (this.#flight) {
      return unwrap(await this.#flight);
    }
    const flight = this.#provider ? this.#native.tokenOnThread() : this.#native.token();
    if (this.#cache) {
      this.#flight = flight;
    }
    try {
      return unwrap(await flight);
    } finally {
      if (this.#flight === flight) {
        this.#flight = undefined;
      }
      lingerForRecords();
    }
  }
}

/**
 * Makes a token from its arguments alone. A pure function: it reads no clock, file, variable or
 * network, and the same arguments give the same token. To log in, most programs want a `Signer`.
 *
 * @param {PresignOptions} options All that the token depends on.
 * @returns {string} The token. It is a secret.
 * @throws {RdsTokenError} `InvalidArgument`, naming the option in `field`; `RegionNotFound`;
 *   `CredentialsExpired` if the credentials are known to expire before the signing time.
 */
function presign(options) {
  const given = object('options', options);
  const request = {
    ...login(given),
    credentials: credentials('credentials', given.credentials),
    signingTime: time('signingTime', given.signingTime),
  };
  return unwrap(native.presign(request)).value;
}

/**
 * Checks that a driver passes on a token whole that is given to it in a certain form.
 *
 * @param {string} driver The driver, as `limits()` names it.
 * @param {string} form The way that the token is given, as `limits()` names it.
 * @param {string} token The token; its length counts.
 * @throws {RdsTokenError} `DriverLimit` if the driver is known not to; `InvalidArgument` for a driver
 *   or form that is not known.
 */
function checkLength(driver, form, token) {
  const failure = native.checkLength(
    string('driver', driver),
    string('form', form),
    string('token', token),
  );
  unwrap(failure ?? {});
}

/**
 * What drivers do to long passwords.
 *
 * @returns {Limit[]} An entry for each driver and way to give it a password.
 */
function limits() {
  return native.limits();
}

/**
 * Gravest first.
 * @type {readonly LogLevel[]}
 */
const LEVELS = ['error', 'warn', 'info', 'debug'];

/**
 * Sends rdstoken's log records to a function, in place of the one set before.
 *
 * There is one logger in a process, for all its threads: the one set last, in whatever thread, gets
 * the records of all signers. When the thread that set it ends, nobody gets them until another is
 * set. The function is called on the thread that set it, soon after what it tells of, and keeps no
 * process alive; what it throws is an uncaught exception. While the thread is busy, 1024 records
 * wait for it, and more are dropped; so are those that still wait at `process.exit()`.
 *
 * @param {((record: LogRecord) => void) | null} logger Receives the records; null turns them off,
 *   as they are in the beginning.
 * @param {LogLevel} [level] The least grave level that is wanted: `debug` (each token signed and
 *   each renewal of credentials), `info`, `warn` or `error`. `warn` unless given.
 * @throws {RdsTokenError} `InvalidArgument`, naming the argument in `field`.
 */
function setLogger(logger, level = 'warn') {
  if (logger !== null && typeof logger !== 'function') {
    throw invalid('logger', `expected a function or null, got ${kind(logger)}`);
  }
  const number = LEVELS.indexOf(level) + 1;
  if (number === 0) {
    throw invalid('level', `expected one of ${LEVELS.join(', ')}`);
  }
  native.setLogger(logger, number);
  logging = logger !== null;
}

/** So many are made at once in 1 ms or so; then others are let have the event loop. */
const SIGNATURES_A_TURN = 500;

/** Made at once by signers that hand out none again, since the last turn that was waited for. */
let signatures = 0;

/**
 * Who waits to go on, in the order of the calls.
 * @type {(() => void)[]}
 */
const waiting = [];

/** Waits until the event loop has gone round. */
function nextTurn() {
  /** @param {() => void} resolve */
  const wait = (resolve) => {
    if (waiting.push(resolve) === 1) {
      setImmediate(letOn);
    }
  };
  return /** @type {Promise<void>} */ (new Promise(wait));
}

/** Lets on as many as may sign in this turn. */
function letOn() {
  signatures = 0;
  for (const resolve of waiting.splice(0, SIGNATURES_A_TURN)) {
    resolve();
  }
  if (waiting.length > 0) {
    setImmediate(letOn);
  }
}

/** Whether this thread has set a logger. */
let logging = false;

/**
 * Lets the event loop go round once more, and no longer. Records keep no process alive; without
 * this, those of the last call would be lost where nothing else is left to do.
 */
function lingerForRecords() {
  if (logging) {
    // The first runs before the loop looks for records again, the second after.
    setImmediate(() => setImmediate(() => undefined));
  }
}

/**
 * The version of rdstoken, for example `0.1.0`; the same in every language.
 *
 * @type {string}
 */
const version = native.version();

// Conversion: from JavaScript's values to those the addon takes. What is a valid value is core's to
// say; these only refuse what has no counterpart there.

/**
 * @param {string} field
 * @param {string} detail
 */
function invalid(field, detail) {
  return new RdsTokenError('InvalidArgument', detail, field);
}

/** @param {unknown} value */
function kind(value) {
  return value === null ? 'null' : typeof value;
}

/**
 * @param {string} field
 * @param {unknown} value
 * @returns {Record<string, unknown>}
 */
function object(field, value) {
  if (typeof value !== 'object' || value === null) {
    throw invalid(field, `expected an object, got ${kind(value)}`);
  }
  return /** @type {Record<string, unknown>} */ (value);
}

/**
 * @param {string} field
 * @param {unknown} value
 */
function string(field, value) {
  if (typeof value !== 'string') {
    throw invalid(field, `expected a string, got ${kind(value)}`);
  }
  // Turned into UTF-8, a lone surrogate would silently become another character.
  if (!value.isWellFormed()) {
    throw invalid(field, 'expected well-formed Unicode, got a lone surrogate');
  }
  return value;
}

/**
 * @param {string} field
 * @param {unknown} value
 */
function integer(field, value) {
  if (typeof value !== 'number') {
    throw invalid(field, `expected a number, got ${kind(value)}`);
  }
  if (!Number.isInteger(value)) {
    throw invalid(field, 'expected a whole number');
  }
  return value;
}

/**
 * @param {string} field
 * @param {unknown} value
 */
function boolean(field, value) {
  if (typeof value !== 'boolean') {
    throw invalid(field, `expected a boolean, got ${kind(value)}`);
  }
  return value;
}

/**
 * @param {string} field
 * @param {unknown} value
 * @returns {number} Unix milliseconds.
 */
function time(field, value) {
  // Not instanceof: a Date may come from another realm, such as a test runner's.
  if (!isDate(value)) {
    throw invalid(field, `expected a Date, got ${kind(value)}`);
  }
  const milliseconds = Date.prototype.getTime.call(value);
  if (Number.isNaN(milliseconds)) {
    throw invalid(field, 'expected a valid Date');
  }
  return milliseconds;
}

/**
 * @param {string} field
 * @param {unknown} value
 * @returns {native.Credentials}
 */
function credentials(field, value) {
  const given = object(field, value);
  return {
    accessKeyId: string('accessKeyId', given.accessKeyId),
    secretAccessKey: string('secretAccessKey', given.secretAccessKey),
    sessionToken: optional(string, 'sessionToken', given.sessionToken),
    expiration: optional(time, 'expiration', given.expiration),
  };
}

/**
 * @param {Record<string, unknown>} given
 * @returns {native.Login}
 */
function login(given) {
  return {
    hostname: string('hostname', given.hostname),
    port: integer('port', given.port),
    username: string('username', given.username),
    region: optional(string, 'region', given.region),
    expiresIn: optional(integer, 'expiresIn', given.expiresIn),
  };
}

/**
 * @template T
 * @param {(field: string, value: unknown) => T} convert
 * @param {string} field
 * @param {unknown} value
 */
function optional(convert, field, value) {
  return value === undefined || value === null ? undefined : convert(field, value);
}

/**
 * What the addon made, or the error it returned; made here, so that it has a JavaScript stack.
 *
 * @template {object} T
 * @param {T | native.Failure} outcome
 * @returns {T}
 */
function unwrap(outcome) {
  if ('code' in outcome) {
    const field = outcome.field?.replace(/_([a-z])/gu, (_match, letter) => letter.toUpperCase());
    throw new RdsTokenError(outcome.code, outcome.detail, field);
  }
  return outcome;
}

// The caller's own function for credentials.

/**
 * Weak on both sides: a provider lives as long as its signers, and holds the function.
 * @type {WeakMap<() => unknown, WeakRef<native.Provider>>}
 */
const providers = new WeakMap();

/** @param {() => unknown} ask */
function provider(ask) {
  const known = providers.get(ask)?.deref();
  if (known) {
    return known;
  }
  const made = native.newProvider((question) => {
    answer(ask, question);
  });
  providers.set(ask, new WeakRef(made));
  return made;
}

/**
 * Never rejects.
 *
 * @param {() => unknown} ask
 * @param {native.Question} question
 */
async function answer(ask, question) {
  /** @type {unknown} */
  let given;
  try {
    given = await ask();
  } catch (error) {
    question.fail(`the credentials function failed with ${name(error)}`);
    return;
  }
  try {
    unwrap(question.give(credentials('credentials', given)) ?? {});
  } catch (error) {
    // Our own texts hold no secrets; what a getter of the caller's throws may.
    const reason = error instanceof RdsTokenError ? error.message : name(error);
    question.fail(`the credentials function gave unusable credentials: ${reason}`);
  }
}

/**
 * What can be told of an error of the caller's: its name, if that looks like one.
 *
 * @param {unknown} error
 */
function name(error) {
  try {
    if (isNativeError(error) || error instanceof Error) {
      return /^[A-Za-z_$][\w$]{0,63}$/u.test(error.name) ? error.name : 'an Error';
    }
  } catch {
    // A getter that throws.
  }
  return `a value of type ${kind(error)}`;
}

module.exports = {
  checkLength,
  limits,
  presign,
  RdsTokenError,
  Signer,
  setLogger,
  version,
};
