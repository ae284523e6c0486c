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
 */
export type RdsTokenErrorCode = "CredentialsExpired" | "CredentialsFailed" | "CredentialsNotFound" | "DriverLimit" | "Internal" | "InvalidArgument" | "RegionNotFound" | "Timeout" | "TlsRequired";
/**
 * AWS credentials, in the shape of the AWS SDK's.
 */
export type Credentials = {
    /**
     * The access key id.
     */
    accessKeyId: string;
    /**
     * The secret key.
     */
    secretAccessKey: string;
    /**
     * The session token of temporary credentials.
     */
    sessionToken?: string | null | undefined;
    /**
     * When temporary credentials expire, if that is known. No
     * token signed with them is said to live longer.
     */
    expiration?: Date | null | undefined;
};
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
 */
export type CredentialsFunction = () => Credentials | Promise<Credentials>;
/**
 * What a `Signer` is made from. Keys that are not listed here are ignored.
 */
export type SignerOptions = {
    /**
     * The database's endpoint name: a DNS name alone. Connect to this same
     * name, because the server checks it.
     */
    hostname: string;
    /**
     * The database's port, 1 to 65535. It is signed and never guessed.
     */
    port: number;
    /**
     * The database user. Case and spaces are kept.
     */
    username: string;
    /**
     * The endpoint's region. Unless given, it is found: in the
     * hostname, else in `AWS_REGION` or `AWS_DEFAULT_REGION`, else in the profile.
     */
    region?: string | null | undefined;
    /**
     * Take credentials from this profile of the shared config and
     * credentials files, and from nowhere else. Not together with `credentials`.
     */
    profile?: string | null | undefined;
    /**
     * Sign with these and look for
     * none, or ask this function for them. They are copied, and cannot be read back from the signer.
     * Unless given, the AWS SDKs' default chain is asked: environment variables, shared files, web
     * identity, container, instance metadata.
     */
    credentials?: Credentials | CredentialsFunction | null | undefined;
    /**
     * Assume this role, named by its ARN, with the credentials found
     * as above.
     */
    roleArn?: string | null | undefined;
    /**
     * The name of the assumed role's session, 2 to 64
     * characters. `rdstoken` unless given. Only with `roleArn`.
     */
    roleSessionName?: string | null | undefined;
    /**
     * The external id that the role's trust policy asks for. Only
     * with `roleArn`.
     */
    externalId?: string | null | undefined;
    /**
     * How long a token is valid, in whole seconds: 1 to 900.
     * 900 unless given.
     */
    expiresIn?: number | null | undefined;
    /**
     * How long to wait for credentials, all sources together, in
     * whole milliseconds, up to an hour. 5000 unless given.
     */
    timeout?: number | null | undefined;
    /**
     * A token is reused while it has at least this much left, in
     * whole seconds: 0 to 899, and less than `expiresIn`. 60 unless given, or `expiresIn` - 1 if that
     * is less.
     */
    minValidity?: number | null | undefined;
    /**
     * Sign as of the last multiple of this, in whole seconds: 0 to 600.
     * 0, which is off, unless given. Then all who hold the same credentials make the same token, which
     * Aurora does not throttle. A fresh token has `expiresIn` - `align` to live at least, which must
     * be no less than `minValidity`.
     */
    align?: number | null | undefined;
    /**
     * Reuse tokens. True unless given. Without, every call signs anew;
     * credentials are kept all the same.
     */
    cache?: boolean | null | undefined;
    /**
     * So long before the expiry of the credentials, in whole
     * seconds up to 12 hours, one caller renews them and the others use what is there. 300 unless
     * given, and lengthened by up to a fifth at random.
     */
    advisoryWindow?: number | null | undefined;
    /**
     * So long before the expiry of the credentials, in whole
     * seconds, all callers wait for a renewal. 60 unless given, and no longer than `advisoryWindow`.
     */
    mandatoryWindow?: number | null | undefined;
    /**
     * Log a warning, once, if the hostname is none of RDS's
     * own: the server checks the name that is signed, and knows only its own. True unless given. See
     * `setLogger`.
     */
    warnHostname?: boolean | null | undefined;
};
/**
 * All that a token depends on. Keys that are not listed here are ignored.
 */
export type PresignOptions = {
    /**
     * The database's endpoint name.
     */
    hostname: string;
    /**
     * The database's port, 1 to 65535.
     */
    port: number;
    /**
     * The database user.
     */
    username: string;
    /**
     * The endpoint's region. Unless given, it is found in the
     * hostname.
     */
    region?: string | null | undefined;
    /**
     * Who signs.
     */
    credentials: Credentials;
    /**
     * When the token begins to be valid, in the years 1970 to 9999. The
     * fraction of a second is dropped.
     */
    signingTime: Date;
    /**
     * How long the token is valid, in whole seconds: 1 to 900.
     * 900 unless given.
     */
    expiresIn?: number | null | undefined;
};
/**
 * A token and when it stops working.
 */
export type AuthTokenInfo = {
    /**
     * The token. Hand it to the driver whole, as the password. It is a secret.
     */
    value: string;
    /**
     * The earlier of signing time + `expiresIn` and the expiry of the
     * credentials. A connection that is open by then stays open.
     */
    expiresAt: Date;
};
/**
 * What `Signer.invalidate` is to forget.
 */
export type InvalidateOptions = {
    /**
     * Forget the credentials too. False unless given.
     */
    credentials?: boolean | null | undefined;
};
/**
 * What a signer has done so far.
 */
export type SignerStats = {
    /**
     * Tokens signed.
     */
    signed: number;
    /**
     * Tokens handed out again.
     */
    reused: number;
    /**
     * Fetches of credentials that succeeded, by all signers that share them.
     */
    renewals: number;
    /**
     * Fetches of credentials that failed, by all signers that share them.
     */
    failures: number;
    /**
     * The code of the failure last met.
     */
    lastError: RdsTokenErrorCode | undefined;
    /**
     * When the token signed last stops working; undefined before
     * the first. Whole seconds.
     */
    expiresAt: Date | undefined;
};
/**
 * What a connection string is made from, beside the signer's login.
 */
export type ConnectionStringOptions = {
    /**
     * The driver that reads it: `pg`, `mysql2`, `psqlodbc`, `libpq`, …; see
     * `limits()`.
     */
    driver: string;
    /**
     * Its syntax: `uri`, `connection-string` for ODBC, …. Unless given,
     * the first that can be written for the driver.
     */
    form?: string | null | undefined;
    /**
     * The database to use. Unless given, the driver's default.
     */
    database?: string | null | undefined;
    /**
     * The file of the certificate authorities to trust. Unless given,
     * the driver's default.
     */
    caFile?: string | null | undefined;
    /**
     * Connect to this address, while the certificate is still that
     * of the endpoint's name. Only for libpq and what stands on it.
     */
    hostaddr?: string | null | undefined;
    /**
     * What ODBC calls the driver: its name in odbcinst.ini or its
     * library's path. `PostgreSQL Unicode` or `MariaDB Unicode` unless given.
     */
    odbcDriver?: string | null | undefined;
    /**
     * What to do if the driver is known to cut or alter a
     * token of this length: fail, or log a warning. `refuse` unless given.
     */
    onLimit?: "refuse" | "warn" | null | undefined;
};
/**
 * A way to give a driver a password, and how long a token it passes on whole.
 */
export type Limit = {
    /**
     * The driver, for example `psqlodbc`.
     */
    driver: string;
    /**
     * The way that the password is given, for example `connection-string`.
     */
    form: string;
    /**
     * The longest token that arrives whole, in bytes; 0 if none does,
     * undefined if there is no limit below 65,000.
     */
    maxLength?: number | undefined;
    /**
     * What the driver does to a
     * longer one. It is cut or altered without a word.
     */
    beyond: "altered" | "crash" | "cut" | "error" | "nothing";
    /**
     * Whether `connectionString` can write this form.
     */
    written: boolean;
    /**
     * What to do instead, or what else to know. May be empty.
     */
    note: string;
    /**
     * Where the row comes from.
     */
    source: string;
};
/**
 * How grave a log record is.
 */
export type LogLevel = "debug" | "error" | "info" | "warn";
/**
 * A log record.
 */
export type LogRecord = {
    /**
     * How grave it is.
     */
    level: LogLevel;
    /**
     * One line, which never holds a secret.
     */
    message: string;
};
/**
 * Checks that a driver passes on a token whole that is given to it in a certain form.
 *
 * @param {string} driver The driver, as `limits()` names it.
 * @param {string} form The way that the token is given, as `limits()` names it.
 * @param {string} token The token; its length counts.
 * @throws {RdsTokenError} `DriverLimit` if the driver is known not to; `InvalidArgument` for a driver
 *   or form that is not known.
 */
export function checkLength(driver: string, form: string, token: string): void;
/**
 * What drivers do to long passwords.
 *
 * @returns {Limit[]} An entry for each driver and way to give it a password.
 */
export function limits(): Limit[];
/**
 * Makes a token from its arguments alone. A pure function: it reads no clock, file, variable or
 * network, and the same arguments give the same token. To log in, most programs want a `Signer`.
 *
 * @param {PresignOptions} options All that the token depends on.
 * @returns {string} The token. It is a secret.
 * @throws {RdsTokenError} `InvalidArgument`, naming the option in `field`; `RegionNotFound`;
 *   `CredentialsExpired` if the credentials are known to expire before the signing time.
 */
export function presign(options: PresignOptions): string;
/**
 * Every error that rdstoken throws or rejects with. The message is one line, `hostname: expected …`
 * or just the text, and never holds a secret.
 */
export class RdsTokenError extends Error {
    /**
     * rdstoken makes these; programs catch them.
     *
     * @param {RdsTokenErrorCode} code What went wrong, for programs.
     * @param {string} detail What went wrong, for people.
     * @param {string} [field] The argument at fault.
     */
    constructor(code: RdsTokenErrorCode, detail: string, field?: string);
    /**
     * What went wrong, for programs.
     * @readonly
     * @type {RdsTokenErrorCode}
     */
    readonly code: RdsTokenErrorCode;
    /**
     * The name of the argument at fault, such as `hostname` or `secretAccessKey`, if `code` is
     * `InvalidArgument`.
     * @readonly
     * @type {string | undefined}
     */
    readonly field: string | undefined;
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
export class Signer {
    /**
     * Checks the options. Looks for nothing yet: no file, variable or network is touched, and no
     * function called.
     *
     * @param {SignerOptions} options Whom the tokens let in where, and who signs.
     * @throws {RdsTokenError} `InvalidArgument`, naming the option in `field`.
     */
    constructor(options: SignerOptions);
    /**
     * A token: the password for the next login.
     *
     * @returns {Promise<string>} The token: a few hundred characters with static keys, 1 to 4 KB and
     *   sometimes more with a session token. It is a secret.
     * @throws {RdsTokenError} The promise is rejected with `RegionNotFound`, `CredentialsNotFound`,
     *   `CredentialsFailed`, `CredentialsExpired` or `Timeout`.
     */
    getAuthToken(): Promise<string>;
    /**
     * A token, and when it stops working.
     *
     * @returns {Promise<AuthTokenInfo>} The token and its expiry.
     * @throws {RdsTokenError} The promise is rejected as by `getAuthToken`.
     */
    getAuthTokenInfo(): Promise<AuthTokenInfo>;
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
    connectionString(options: ConnectionStringOptions): Promise<string>;
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
    refused(token: string): boolean;
    /**
     * The endpoint's name, as it is signed: lower case, no final dot.
     *
     * @returns {string} The name.
     */
    get hostname(): string;
    /**
     * The endpoint's port.
     *
     * @returns {number} The port.
     */
    get port(): number;
    /**
     * The database user.
     *
     * @returns {string} The name.
     */
    get username(): string;
    /**
     * `getAuthToken` as a function that needs no signer before it, for drivers whose `password` may be
     * a function. Always the same one.
     *
     * @returns {() => Promise<string>} The function.
     */
    get password(): () => Promise<string>;
    /**
     * When the token signed last stops working; undefined before the first. Whole seconds.
     *
     * @returns {Date | undefined} The time.
     */
    get expiresAt(): Date | undefined;
    /**
     * What has been done so far. The numbers are counted apart and so may be a call or two out of step
     * with each other.
     *
     * @returns {SignerStats} The numbers.
     */
    stats(): SignerStats;
    /**
     * Forgets the token, so that the next call signs a new one: for the one retry after a login was
     * refused with a token that had been handed out before. With `credentials: true` also the
     * credentials that signed it, for all signers that share them.
     *
     * @param {InvalidateOptions | null} [options] What to forget beyond the token.
     * @throws {RdsTokenError} `InvalidArgument`, naming the option in `field`.
     */
    invalidate(options?: InvalidateOptions | null): void;
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
    mysql2<T extends object>(options?: T & import("./drivers/shared.cjs").AdapterOptions): ReturnType<typeof import("./drivers/mysql2.cjs").mysql2Options<T>>;
    #private;
}
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
export function setLogger(logger: ((record: LogRecord) => void) | null, level?: LogLevel): void;
/**
 * The version of rdstoken, for example `0.1.0`; the same in every language.
 *
 * @type {string}
 */
export const version: string;
