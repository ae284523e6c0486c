export type Signer = import("../index.cjs").Signer;
export type AdapterOptions = import("./shared.cjs").AdapterOptions;
/**
 * What the adapter sets of Sequelize's options.
 */
export type SequelizeLogin = {
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
    username: string;
    /**
     * TLS, and the driver's hook.
     */
    dialectOptions: object;
    /**
     * `beforeConnect`, which asks the signer.
     */
    hooks: object;
};
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
export function sequelizeOptions<T extends {
    dialect: "mariadb" | "mysql" | "postgres";
}>(signer: Signer, options: T & AdapterOptions): Omit<T, keyof AdapterOptions | keyof SequelizeLogin> & SequelizeLogin;
