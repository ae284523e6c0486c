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
 * - `Internal`: a fault in rdstoken itself. Please report it.
 *
 * @typedef {'CredentialsExpired'
 *   | 'CredentialsFailed'
 *   | 'CredentialsNotFound'
 *   | 'Internal'
 *   | 'InvalidArgument'
 *   | 'RegionNotFound'
 *   | 'Timeout'} RdsTokenErrorCode
 */

/**
 * Static AWS credentials, in the shape of the AWS SDK's.
 *
 * @typedef {object} Credentials
 * @property {string} accessKeyId The access key id.
 * @property {string} secretAccessKey The secret key.
 * @property {string | null} [sessionToken] The session token of temporary credentials.
 * @property {Date | null} [expiration] When temporary credentials expire, if that is known. No
 *   token signed with them is said to live longer.
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
 * @property {Credentials | null} [credentials] Sign with these and look for none. They are copied,
 *   and cannot be read back from the signer. Unless given, the AWS SDKs' default chain is asked:
 *   environment variables, shared files, web identity, container, instance metadata.
 * @property {number | null} [expiresIn] How long a token is valid, in whole seconds: 1 to 900.
 *   900 unless given.
 * @property {number | null} [timeout] How long to wait for credentials, all sources together, in
 *   whole milliseconds, up to an hour. 5000 unless given.
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

const { isDate } = require('node:util/types');
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
 * Make one per user and endpoint and keep it. Every call signs anew, with credentials that are
 * fetched anew unless they were given. Calls may overlap. The event loop is never blocked: the work
 * is done on libuv's thread pool, where a call takes up one thread while credentials are fetched.
 * `process.exit()` and a worker's end wait for a call under way, at most for its `timeout`.
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
   * Checks the options. Looks for nothing yet: no file, variable or network is touched.
   *
   * @param {SignerOptions} options Whom the tokens let in where, and who signs.
   * @throws {RdsTokenError} `InvalidArgument`, naming the option in `field`.
   */
  constructor(options) {
    const given = object('options', options);
    this.#native = unwrap(
      native.newSigner({
        ...login(given),
        profile: optional(string, 'profile', given.profile),
        credentials: optional(credentials, 'credentials', given.credentials),
        timeout: optional(integer, 'timeout', given.timeout),
      }),
    );
  }

  /**
   * Makes a token: the password for the next login.
   *
   * @returns {Promise<string>} The token: a few hundred characters with static keys, 1 to 4 KB and
   *   sometimes more with a session token. It is a secret.
   * @throws {RdsTokenError} The promise is rejected with `RegionNotFound`, `CredentialsNotFound`,
   *   `CredentialsFailed`, `CredentialsExpired` or `Timeout`.
   */
  async getAuthToken() {
    return unwrap(await this.#native.token()).value;
  }

  /**
   * Makes a token and tells when it stops working.
   *
   * @returns {Promise<AuthTokenInfo>} The token and its expiry.
   * @throws {RdsTokenError} The promise is rejected as by `getAuthToken`.
   */
  async getAuthTokenInfo() {
    const { value, expiresAt } = unwrap(await this.#native.token());
    return { value, expiresAt: new Date(expiresAt) };
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

module.exports = { presign, RdsTokenError, Signer, version };
