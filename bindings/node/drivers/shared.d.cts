/**
 * What the adapters add to a driver's own options.
 */
export type AdapterOptions = {
    /**
     * A file of PEM certificates to trust, such as AWS's
     * `global-bundle.pem`. Unless given, Node's own roots are trusted.
     */
    caFile?: string | null | undefined;
    /**
     * An IP address to connect to in place of the one that the
     * signer's hostname resolves to: a tunnel's or a proxy's. The certificate must still be for the
     * signer's hostname.
     */
    hostaddr?: string | null | undefined;
};
/**
 * The TLS settings that an adapter makes.
 */
export type Tls = {
    /**
     * Whether the server's certificate is verified.
     */
    rejectUnauthorized: boolean;
    /**
     * The name that the certificate must be for.
     */
    servername: string;
};
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
export function agreed(signer: Signer, options: unknown, names: {
    host: string[];
    user: string[];
    refused: string[];
}): Record<string, unknown>;
/**
 * @param {string} field
 * @param {string} detail
 */
export function invalid(field: string, detail: string): RdsTokenError;
/** @param {unknown} value */
export function isGiven(value: unknown): value is {};
/** At a login, by the hook that would have handed the token out. */
export function notEncrypted(): RdsTokenError;
/**
 * Refuses what makes the driver print all that it sends.
 *
 * @param {string} field
 * @param {unknown} value
 */
export function silent(field: string, value: unknown): void;
/**
 * The TLS settings for MySQL's drivers, whose caller cannot have them weaker.
 *
 * @param {Signer} signer
 * @param {Record<string, unknown>} given The options.
 */
export function strict(signer: Signer, given: Record<string, unknown>): Tls & Record<string, unknown>;
/**
 * Tells the signer if a login failed because of its token, so that the next one gets a fresh token.
 *
 * @param {Signer} signer
 * @param {string} token
 * @param {unknown} code What the server called the failure.
 */
export function tell(signer: Signer, token: string, code: unknown): void;
/**
 * The TLS settings: verified, against the signer's hostname.
 *
 * @param {Signer} signer
 * @param {Record<string, unknown>} given The options.
 * @returns {Tls & Record<string, unknown>}
 */
export function verified(signer: Signer, given: Record<string, unknown>): Tls & Record<string, unknown>;
import { Signer } from "../index.cjs";
import { RdsTokenError } from "../index.cjs";
