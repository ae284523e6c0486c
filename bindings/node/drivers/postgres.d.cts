export type Signer = import("../index.cjs").Signer;
export type AdapterOptions = import("./shared.cjs").AdapterOptions;
export type Tls = import("./shared.cjs").Tls;
/**
 * What the adapter sets of postgres.js's options.
 */
export type PostgresLogin = {
    /**
     * The signer's hostname.
     */
    host: string;
    /**
     * The port.
     */
    port: number;
    /**
     * The user.
     */
    username: string;
    /**
     * Asked for at every login.
     */
    password: () => Promise<string>;
    /**
     * TLS, with the certificate verified for the signer's hostname.
     */
    ssl: Tls;
    /**
     * Asks the signer, then connects.
     */
    socket: (options: any) => Promise<any>;
};
/**
 * Options for postgres.js. Every new connection asks the signer for a token.
 *
 * TLS is on, and the server's certificate is verified for the signer's hostname. `ssl` may be an
 * object with more TLS options; `ssl: 'require'` gives up the verification. They also win over a
 * URL: `postgres(url, postgresOptions(signer))`. postgres.js does not tell of a refused login: call
 * `signer.invalidate()` after one.
 *
 * @template {object} T
 * @param {Signer} signer Who logs in, and where.
 * @param {T & AdapterOptions} [options] Options of postgres.js, such as `database` and `max`, and
 *   `caFile` and `hostaddr`.
 * @returns {Omit<T, keyof AdapterOptions | keyof PostgresLogin> & PostgresLogin} The options for
 *   postgres.js.
 * @throws {RdsTokenError} `InvalidArgument`, naming the option in `field`, if one would win over the
 *   signer; `TlsRequired` if the token could go out without TLS.
 */
export function postgresOptions<T extends object>(signer: Signer, options?: T & AdapterOptions): Omit<T, keyof AdapterOptions | keyof PostgresLogin> & PostgresLogin;
