export type Signer = import("../index.cjs").Signer;
export type AdapterOptions = import("./shared.cjs").AdapterOptions;
export type Tls = import("./shared.cjs").Tls;
/**
 * What the adapter sets of mariadb's options.
 */
export type MariadbLogin = {
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
     * TLS, with the certificate verified for the signer's hostname.
     */
    ssl: Tls;
    /**
     * False: a token is for one endpoint.
     */
    permitRedirect: boolean;
    /**
     * Asks the signer, then
     * connects.
     */
    stream: (callback?: any) => void;
};
/**
 * Options for `createPool` and `createConnection` of MariaDB's driver, 3.4 and newer, and for what
 * stands on it: Prisma's `PrismaMariaDb`, Sequelize, MikroORM. Every new connection asks the signer
 * for a token.
 *
 * TLS is on, and the server's certificate is verified for the signer's hostname; `ssl` may be an
 * object with more TLS options, but none that weaken that. The token is sent over such a connection
 * only. One from the cache that the server refuses is forgotten; the driver's pool then tries a fresh
 * one. `changeUser` without a password sends the token that its connection logged in with, which
 * works as long as that lives: 15 minutes.
 *
 * @template {object} T
 * @param {Signer} signer Who logs in, and where.
 * @param {T & AdapterOptions} [options] Options of the driver, such as `database` and
 *   `connectionLimit`, and `caFile` and `hostaddr`. `connectTimeout` is 10 seconds unless given.
 * @returns {Omit<T, keyof AdapterOptions | keyof MariadbLogin> & MariadbLogin} The options for the
 *   driver.
 * @throws {RdsTokenError} `InvalidArgument`, naming the option in `field`, if one would win over the
 *   signer or print the token (`debug`, `logger.network`); `TlsRequired` if the token could go out
 *   without verified TLS.
 */
export function mariadbOptions<T extends object>(signer: Signer, options?: T & AdapterOptions): Omit<T, keyof AdapterOptions | keyof MariadbLogin> & MariadbLogin;
