export type Signer = import("../index.cjs").Signer;
export type AdapterOptions = import("./shared.cjs").AdapterOptions;
export type Tls = import("./shared.cjs").Tls;
/**
 * What the adapter sets of mysql2's options.
 */
export type Mysql2Login = {
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
    user: string;
    /**
     * TLS, with the certificate verified for the signer's
     * hostname.
     */
    ssl: Tls & {
        verifyIdentity: true;
    };
    /**
     *   `mysql_clear_password`, which asks the signer at every login.
     */
    authPlugins: {
        [name: string]: (plugin: any) => () => Promise<any>;
    };
};
/**
 * Options for mysql2's `createPool` and `createConnection`, and for what stands on mysql2: knex,
 * Sequelize, TypeORM, Drizzle, Kysely, MikroORM. Every new connection asks the signer for a token.
 *
 * TLS is on, and the server's certificate is verified for the signer's hostname; `ssl` may be an
 * object with more TLS options, but none that weaken that. The token is sent over such a connection
 * only. One from the cache that the server refuses is forgotten, and the next login gets a fresh one.
 *
 * @template {object} T
 * @param {Signer} signer Who logs in, and where.
 * @param {T & AdapterOptions} [options] Options of mysql2, such as `database` and
 *   `connectionLimit`, and `caFile` and `hostaddr`.
 * @returns {Omit<T, keyof AdapterOptions | keyof Mysql2Login> & Mysql2Login} The options for mysql2.
 * @throws {RdsTokenError} `InvalidArgument`, naming the option in `field`, if one would win over the
 *   signer, such as `uri`, or print the token (`debug`); `TlsRequired` if the token could go out
 *   without verified TLS.
 */
export function mysql2Options<T extends object>(signer: Signer, options?: T & AdapterOptions): Omit<T, keyof AdapterOptions | keyof Mysql2Login> & Mysql2Login;
