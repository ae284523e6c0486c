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
 */
export type RdsTokenErrorCode = "CredentialsExpired" | "CredentialsFailed" | "CredentialsNotFound" | "Internal" | "InvalidArgument" | "RegionNotFound" | "Timeout";
/**
 * Static AWS credentials, in the shape of the AWS SDK's.
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
     * Sign with these and look for none. They are copied,
     * and cannot be read back from the signer. Unless given, the AWS SDKs' default chain is asked:
     * environment variables, shared files, web identity, container, instance metadata.
     */
    credentials?: Credentials | null | undefined;
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
export class Signer {
    /**
     * Checks the options. Looks for nothing yet: no file, variable or network is touched.
     *
     * @param {SignerOptions} options Whom the tokens let in where, and who signs.
     * @throws {RdsTokenError} `InvalidArgument`, naming the option in `field`.
     */
    constructor(options: SignerOptions);
    /**
     * Makes a token: the password for the next login.
     *
     * @returns {Promise<string>} The token: a few hundred characters with static keys, 1 to 4 KB and
     *   sometimes more with a session token. It is a secret.
     * @throws {RdsTokenError} The promise is rejected with `RegionNotFound`, `CredentialsNotFound`,
     *   `CredentialsFailed`, `CredentialsExpired` or `Timeout`.
     */
    getAuthToken(): Promise<string>;
    /**
     * Makes a token and tells when it stops working.
     *
     * @returns {Promise<AuthTokenInfo>} The token and its expiry.
     * @throws {RdsTokenError} The promise is rejected as by `getAuthToken`.
     */
    getAuthTokenInfo(): Promise<AuthTokenInfo>;
    #private;
}
/**
 * The version of rdstoken, for example `0.1.0`; the same in every language.
 *
 * @type {string}
 */
export const version: string;
