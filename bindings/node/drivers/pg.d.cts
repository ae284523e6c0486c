export type Signer = import("../index.cjs").Signer;
export type AdapterOptions = import("./shared.cjs").AdapterOptions;
export type Tls = import("./shared.cjs").Tls;
/**
 * What the adapter sets of pg's options.
 */
export type PgLogin = {
    /**
     * Where to connect to.
     */
    host: string;
    /**
     * The port.
     */
    port: number;
    /**
     * The user.
     */
    user: string;
    /**
     * Asked by pg's Client at every login.
     */
    password: () => Promise<string>;
    /**
     * TLS, with the certificate verified for the signer's hostname.
     */
    ssl: Tls;
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
export function pgOptions<T extends object>(signer: Signer, options?: T & AdapterOptions): Omit<T, keyof AdapterOptions | keyof PgLogin> & PgLogin;
