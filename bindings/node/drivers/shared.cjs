'use strict';

// What every driver's adapter obeys: what a caller may give, when TLS is enough, and what happens
// after a refused login. The adapters themselves only know where their driver takes what.

const { readFileSync } = require('node:fs');
const { isIP } = require('node:net');
const { RdsTokenError, Signer } = require('../index.cjs');

/**
 * What the adapters add to a driver's own options.
 *
 * @typedef {object} AdapterOptions
 * @property {string | null} [caFile] A file of PEM certificates to trust, such as AWS's
 *   `global-bundle.pem`. Unless given, Node's own roots are trusted.
 * @property {string | null} [hostaddr] An IP address to connect to in place of the one that the
 *   signer's hostname resolves to: a tunnel's or a proxy's. The certificate must still be for the
 *   signer's hostname.
 */

/**
 * The TLS settings that an adapter makes.
 *
 * @typedef {object} Tls
 * @property {boolean} rejectUnauthorized Whether the server's certificate is verified.
 * @property {string} servername The name that the certificate must be for.
 */

/**
 * The names of libpq's `sslmode`, and those of the drivers, as TLS options; undefined where the token
 * could go out without TLS.
 *
 * @type {Map<unknown, Record<string, unknown> | undefined>}
 */
const MODES = new Map([
  ...[false, 'false', 'disable', 'allow', 'prefer'].map((mode) => entry(mode, undefined)),
  ...['no-verify', 'require'].map((mode) => entry(mode, { rejectUnauthorized: false })),
  entry('verify-ca', { checkServerIdentity: () => undefined }),
  ...[undefined, null, true, 'true', 'verify-full'].map((mode) => entry(mode, {})),
]);

/**
 * @param {unknown} mode
 * @param {Record<string, unknown> | undefined} options
 * @returns {[unknown, Record<string, unknown> | undefined]}
 */
function entry(mode, options) {
  return [mode, options];
}

/**
 * @param {string} field
 * @param {string} detail
 */
function invalid(field, detail) {
  return new RdsTokenError('InvalidArgument', detail, field);
}

/** @param {string} field */
function unencrypted(field) {
  return new RdsTokenError(
    'TlsRequired',
    'a token is a password and goes over verified TLS only; leave this out',
    field,
  );
}

/** At a login, by the hook that would have handed the token out. */
function notEncrypted() {
  return new RdsTokenError('TlsRequired', 'the connection has no verified TLS; no token was sent');
}

/**
 * The options, copied, once they agree with the signer.
 *
 * @param {Signer} signer
 * @param {unknown} options
 * @param {object} names The driver's names for things.
 * @param {string[]} names.host
 * @param {string[]} names.user
 * @param {string[]} names.refused What would win over the signer's token or endpoint.
 * @returns {Record<string, unknown>}
 */
function agreed(signer, options, names) {
  if (!(signer instanceof Signer)) {
    throw invalid('signer', 'expected a Signer');
  }
  if (typeof options !== 'object' || options === null) {
    const url = typeof options === 'string' ? ', not a URL: give what else it says as options' : '';
    throw invalid('options', `expected an object${url}`);
  }
  const given = /** @type {Record<string, unknown>} */ ({ ...options });
  for (const field of names.refused.filter((name) => isGiven(given[name]))) {
    throw invalid(field, 'expected none: the signer has the endpoint and gives the password');
  }
  for (const field of names.host) {
    agree(field, lowerCase(given[field]), signer.hostname);
  }
  for (const field of names.user) {
    agree(field, given[field], signer.username);
  }
  agree('port', isGiven(given.port) ? Number(given.port) : undefined, signer.port);
  if (isGiven(given.hostaddr) && isIP(String(given.hostaddr)) === 0) {
    throw invalid('hostaddr', 'expected an IP address');
  }
  return given;
}

/**
 * Refuses what makes the driver print all that it sends.
 *
 * @param {string} field
 * @param {unknown} value
 */
function silent(field, value) {
  if (isGiven(value) && value !== false) {
    throw invalid(field, 'expected none that prints what is sent: the token would be in it');
  }
}

/** @param {unknown} value */
function isGiven(value) {
  return value !== undefined && value !== null;
}

/** @param {unknown} value */
function lowerCase(value) {
  return typeof value === 'string' ? value.toLowerCase() : value;
}

/**
 * @param {string} field
 * @param {unknown} value
 * @param {unknown} expected
 */
function agree(field, value, expected) {
  if (isGiven(value) && value !== expected) {
    throw invalid(field, "expected the signer's own, or none: it is part of what is signed");
  }
}

/**
 * The TLS settings: verified, against the signer's hostname.
 *
 * @param {Signer} signer
 * @param {Record<string, unknown>} given The options.
 * @returns {Tls & Record<string, unknown>}
 */
function verified(signer, given) {
  const { caFile, ssl } = given;
  const named = MODES.has(ssl);
  if (!named && typeof ssl !== 'object') {
    throw invalid(
      'ssl',
      'expected an object of TLS options, or none; caFile names trusted certificates',
    );
  }
  const options = named ? MODES.get(ssl) : /** @type {Record<string, unknown>} */ (ssl);
  if (!options) {
    throw unencrypted('ssl');
  }
  const chosen = { ...options };
  agree('servername', lowerCase(chosen.servername), signer.hostname);
  if (isGiven(caFile)) {
    if (isGiven(chosen.ca)) {
      throw invalid('caFile', 'expected either this or ssl.ca');
    }
    chosen.ca = certificates(caFile);
  }
  const rejectUnauthorized = chosen.rejectUnauthorized !== false;
  return { ...chosen, rejectUnauthorized, servername: signer.hostname };
}

/**
 * The TLS settings for MySQL's drivers, whose caller cannot have them weaker.
 *
 * @param {Signer} signer
 * @param {Record<string, unknown>} given The options.
 */
function strict(signer, given) {
  const tls = verified(signer, given);
  const { rejectUnauthorized, checkServerIdentity: identity, verifyIdentity } = tls;
  if (!rejectUnauthorized || identity !== undefined || verifyIdentity === false) {
    throw unencrypted('ssl');
  }
  return tls;
}

/** @param {unknown} caFile */
function certificates(caFile) {
  let text = '';
  try {
    text = readFileSync(String(caFile), 'utf8');
  } catch (error) {
    const { code } = /** @type {NodeJS.ErrnoException} */ (error);
    throw invalid('caFile', `expected a readable file (${code})`);
  }
  if (!text.includes('-----BEGIN CERTIFICATE-----')) {
    throw invalid('caFile', 'expected certificates in PEM, found none');
  }
  return text;
}

/**
 * What a server answers to a password that it does not take: PostgreSQL's invalid_password and
 * invalid_authorization_specification, MySQL's ER_ACCESS_DENIED_ERROR and
 * ER_ACCESS_DENIED_NO_PASSWORD_ERROR.
 *
 * @type {Set<unknown>}
 */
const REFUSALS = new Set(['28P01', '28000', 1045, 1698]);

/**
 * Tells the signer if a login failed because of its token, so that the next one gets a fresh token.
 *
 * @param {Signer} signer
 * @param {string} token
 * @param {unknown} code What the server called the failure.
 */
function tell(signer, token, code) {
  if (REFUSALS.has(code)) {
    signer.refused(token);
  }
}

module.exports = { agreed, invalid, isGiven, notEncrypted, silent, strict, tell, verified };
