/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * rdstoken.h: IAM authentication tokens for Aurora and RDS.
 *
 * Aurora and RDS accept an authentication token in place of a password: a SigV4-presigned URL,
 * valid for at most 15 minutes, sent over TLS. This library makes that token and hands it out
 * whole: there is no fixed buffer in it.
 *
 *   rdstoken_signer_options options = {0};
 *   options.struct_size = sizeof options;
 *   options.hostname = "mydb.cluster-abc123.us-east-1.rds.amazonaws.com";
 *   options.port = 5432;
 *   options.username = "app";
 *
 *   rdstoken_signer *signer = NULL;
 *   rdstoken_token *token = NULL;
 *   rdstoken_error *error = NULL;
 *   if (rdstoken_signer_new(&options, &signer, &error) == RDSTOKEN_STATUS_OK &&
 *       rdstoken_signer_token(signer, &token, &error) == RDSTOKEN_STATUS_OK)
 *     connect_with_password(rdstoken_token_value(token));
 *   else
 *     fprintf(stderr, "%s\n", rdstoken_error_message(error));
 *   rdstoken_error_free(error);
 *   rdstoken_token_free(token);
 *   rdstoken_signer_free(signer);
 *
 * Compile with `pkg-config --cflags --libs rdstoken`.
 *
 * Conventions, which hold for every function:
 *
 * - Functions that can fail return rdstoken_status and write their outputs through the pointers
 *   that come last. Handle outputs are set to NULL on entry, so after an error they can be freed,
 *   or the call repeated, without a check.
 * - `error` may be NULL. If it is not, it receives an object on failure and NULL on success. An
 *   object that it held before is not freed.
 * - What a function hands out is yours until you give it to its rdstoken_..._free(), once. Freeing
 *   NULL does nothing. Texts inside a handle belong to the handle.
 * - Texts are NUL-terminated UTF-8 and are copied. A text that is not UTF-8, or a NULL where a
 *   value is required, is RDSTOKEN_STATUS_INVALID_ARGUMENT, never a crash.
 * - Credentials, tokens and errors do not change; signers may be shared. Any thread may call any
 *   function, and the library starts no thread that outlives a call (one that a file or a name
 *   server never answers ends when it is answered).
 * - Time stamps are int64_t Unix seconds; durations carry their unit in their name.
 * - No message holds a secret. Treat the token itself as a password.
 */


#ifndef RDSTOKEN_H
#define RDSTOKEN_H

#include <stddef.h>
#include <stdint.h>

/** The version of this header; rdstoken_version() is that of the library. */
#define RDSTOKEN_VERSION "0.1.0"
/** RDSTOKEN_VERSION in parts, for the preprocessor. */
#define RDSTOKEN_VERSION_MAJOR 0
#define RDSTOKEN_VERSION_MINOR 1
#define RDSTOKEN_VERSION_PATCH 0


/**
 * Stands for 0 seconds in the options where 0 means the default.
 */
#define RDSTOKEN_ZERO_SECONDS UINT32_MAX

/**
 * The result of a call. The numbers never change and are never used again; new ones are added at
 * the end, so treat a number that you do not know as an error.
 */
enum rdstoken_status
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * The call did what was asked.
   */
  RDSTOKEN_STATUS_OK = 0,
  /**
   * A fault in rdstoken itself. Please report it.
   */
  RDSTOKEN_STATUS_INTERNAL = 1,
  /**
   * An argument is not what it must be; rdstoken_error_field() names it.
   */
  RDSTOKEN_STATUS_INVALID_ARGUMENT = 2,
  /**
   * The buffer is too small for the whole token, and nothing was written into it.
   */
  RDSTOKEN_STATUS_BUFFER_TOO_SMALL = 3,
  /**
   * The region was neither given nor found in the hostname, the environment or the profile.
   */
  RDSTOKEN_STATUS_REGION_NOT_FOUND = 4,
  /**
   * No credential source had any credentials.
   */
  RDSTOKEN_STATUS_CREDENTIALS_NOT_FOUND = 5,
  /**
   * A credential source is set up, but failed to give usable credentials.
   */
  RDSTOKEN_STATUS_CREDENTIALS_FAILED = 6,
  /**
   * The credentials had expired at the signing time.
   */
  RDSTOKEN_STATUS_CREDENTIALS_EXPIRED = 7,
  /**
   * The deadline passed before the credentials arrived.
   */
  RDSTOKEN_STATUS_TIMEOUT = 8,
  /**
   * The driver, or the way the token would be given to it, cuts or alters a token of this
   * length.
   */
  RDSTOKEN_STATUS_DRIVER_LIMIT = 9,
  /**
   * The login would send the token without TLS. No function of this header returns it; the
   * number stands for the error of that name in other languages.
   */
  RDSTOKEN_STATUS_TLS_REQUIRED = 10,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum rdstoken_status rdstoken_status;
#else
typedef int32_t rdstoken_status;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * How grave a log record is. Larger numbers are less grave.
 */
enum rdstoken_log_level
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * No record has this level: as the largest level wanted, it turns the log off.
   */
  RDSTOKEN_LOG_OFF = 0,
  /**
   * Something failed for good.
   */
  RDSTOKEN_LOG_ERROR = 1,
  /**
   * Something failed that the library gets over, or is likely to fail at the server.
   */
  RDSTOKEN_LOG_WARN = 2,
  /**
   * Something worth knowing.
   */
  RDSTOKEN_LOG_INFO = 3,
  /**
   * Each token signed and each renewal of credentials.
   */
  RDSTOKEN_LOG_DEBUG = 4,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum rdstoken_log_level rdstoken_log_level;
#else
typedef int32_t rdstoken_log_level;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * A connection string with a token in it, and so as secret as the token. It is yours: free it with
 * rdstoken_connection_string_free(), which wipes it from memory.
 *
 * It does not change, and any thread may use it.
 */
typedef struct rdstoken_connection_string rdstoken_connection_string;

/**
 * AWS credentials. They are yours: free them with rdstoken_credentials_free().
 *
 * They do not change, and any thread may use them. Signers keep what they need: the credentials
 * may be freed as soon as rdstoken_signer_new() has returned. The secrets are wiped from memory
 * when the last user of them is freed.
 */
typedef struct rdstoken_credentials rdstoken_credentials;

/**
 * Why a call failed. It is yours: free it with rdstoken_error_free().
 *
 * It holds no token, key, session token or signature, so it may be logged. It does not change,
 * and any thread may use it.
 */
typedef struct rdstoken_error rdstoken_error;

/**
 * Makes tokens for one database user at one endpoint, and finds credentials and region itself. It
 * is yours: free it with rdstoken_signer_free() when no thread uses it any more.
 *
 * Any number of threads may use one signer at a time.
 */
typedef struct rdstoken_signer rdstoken_signer;

/**
 * An authentication token: the password for one login. It is yours: free it with
 * rdstoken_token_free().
 *
 * It does not change, and any thread may use it. It is wiped from memory when the last user of it
 * frees it.
 */
typedef struct rdstoken_token rdstoken_token;

/**
 * What a connection string is made from, beside a signer's login. Set it to zero (`= {0}`), then
 * `struct_size`, then the fields you need.
 */
typedef struct rdstoken_connection_options {
  /**
   * sizeof(rdstoken_connection_options), so that fields can be added later.
   */
  size_t struct_size;
  /**
   * The driver that reads the string, for example "psqlodbc", "mariadb-odbc" or "libpq";
   * `rdstoken drivers` lists them. Required.
   */
  const char *driver;
  /**
   * The string's syntax, for example "connection-string" for ODBC, or "conninfo", "uri" and
   * "passfile" for libpq. NULL: the first that is written for the driver.
   */
  const char *form;
  /**
   * The database to use. NULL: the driver's default.
   */
  const char *database;
  /**
   * The file of the certificate authorities to trust. NULL: the driver's default.
   */
  const char *ca_file;
  /**
   * Connect to this address, while the certificate is still that of the endpoint's name. Only
   * for libpq and psqlodbc. NULL: the name's.
   */
  const char *hostaddr;
  /**
   * What ODBC calls the driver: its name in odbcinst.ini or its library's path. NULL:
   * "PostgreSQL Unicode" or "MariaDB Unicode".
   */
  const char *odbc_driver;
  /**
   * Not 0: log a warning if the driver is known to cut or alter a token of this length.
   * 0: RDSTOKEN_STATUS_DRIVER_LIMIT.
   */
  uint32_t warn_on_limit;
} rdstoken_connection_options;

/**
 * Receives log records. `level` is a number of rdstoken_log_level; `message` is one line, which
 * lives until the function returns and never holds a secret.
 *
 * It is called by whatever thread has something to log, several at once, and while no lock of the
 * library's is held. It must not unwind or jump out of the call.
 */
typedef void (*rdstoken_log_callback)(void *user_data, int32_t level, const char *message);

/**
 * All that a token depends on, for rdstoken_presign(). Set it to zero (`= {0}`), then
 * `struct_size`, then the fields you need.
 */
typedef struct rdstoken_presign_options {
  /**
   * sizeof(rdstoken_presign_options), so that fields can be added later.
   */
  size_t struct_size;
  /**
   * The database's endpoint name: a DNS name alone, no IP address. Required.
   */
  const char *hostname;
  /**
   * The database's port. Required.
   */
  uint16_t port;
  /**
   * The database user, UTF-8, 1 to 255 bytes. Required.
   */
  const char *username;
  /**
   * The endpoint's region, for example "us-east-1". NULL: find it in the hostname.
   */
  const char *region;
  /**
   * Who signs. Required.
   */
  const struct rdstoken_credentials *credentials;
  /**
   * When the token begins to be valid, in Unix seconds, 0 (1970) to the end of the year 9999.
   * Zero is a time like any other.
   */
  int64_t signing_time;
  /**
   * How long the token is valid, 1 to 900 seconds. 0: 900.
   */
  uint32_t expires_in_seconds;
} rdstoken_presign_options;

/**
 * Gets credentials from a place that rdstoken does not know.
 *
 * Write credentials of your making through `credentials` and return RDSTOKEN_STATUS_OK; they
 * become the signer's. Any other status is a failure: RDSTOKEN_STATUS_CREDENTIALS_NOT_FOUND,
 * RDSTOKEN_STATUS_CREDENTIALS_EXPIRED and RDSTOKEN_STATUS_TIMEOUT are passed on, the rest becomes
 * RDSTOKEN_STATUS_CREDENTIALS_FAILED.
 *
 * It is called on a short-lived thread of the library's, with a stack of 1 MiB, by one thread at
 * a time, and only when the credentials at hand had better be renewed: give them an expiry with
 * rdstoken_credentials_new_temporary(), or they are asked for again after 15 minutes. If it takes
 * longer than the signer's timeout, the caller is answered without it, and it may be called again
 * before it has come back. It must not use the signer that it serves.
 */
typedef int32_t (*rdstoken_credentials_callback)(void *user_data,
                                                 struct rdstoken_credentials **credentials);

/**
 * What a signer is made from. Set it to zero (`= {0}`), then `struct_size`, then the fields you
 * need.
 */
typedef struct rdstoken_signer_options {
  /**
   * sizeof(rdstoken_signer_options), so that fields can be added later.
   */
  size_t struct_size;
  /**
   * The database's endpoint name: a DNS name alone, no IP address. Required.
   */
  const char *hostname;
  /**
   * The database's port. Required.
   */
  uint16_t port;
  /**
   * The database user, UTF-8, 1 to 255 bytes. Required.
   */
  const char *username;
  /**
   * The endpoint's region, for example "us-east-1". NULL: find it in the hostname, else in
   * AWS_REGION or AWS_DEFAULT_REGION, else in the profile.
   */
  const char *region;
  /**
   * Take credentials from this profile of the shared config and credentials files, and from
   * nowhere else. NULL: the AWS SDKs' default chain.
   */
  const char *profile;
  /**
   * Sign with these credentials and look for none. Not together with `profile`. NULL: find
   * them.
   */
  const struct rdstoken_credentials *credentials;
  /**
   * How long a token is valid, 1 to 900 seconds. 0: 900.
   */
  uint32_t expires_in_seconds;
  /**
   * How long to wait for credentials, all sources together, at most 3,600,000 milliseconds.
   * 0: 5000.
   */
  uint32_t timeout_milliseconds;
  /**
   * Ask this for credentials, instead of the AWS SDKs' sources. Not together with `profile` or
   * `credentials`. NULL: no callback.
   */
  rdstoken_credentials_callback credentials_callback;
  /**
   * Handed to the callback. If rdstoken_signer_new() succeeds, it must live until
   * `credentials_destroy` is called with it; otherwise it stays yours.
   */
  void *credentials_user_data;
  /**
   * Called once, on any thread, when `credentials_user_data` is no longer used: when the signer
   * is freed, or later if the callback has not come back by then. NULL: nothing to destroy.
   */
  void (*credentials_destroy)(void *user_data);
  /**
   * Assume this role, named by its ARN, with the credentials found as above. NULL: none.
   */
  const char *role_arn;
  /**
   * The name of the assumed role's session, 2 to 64 characters. NULL: "rdstoken".
   */
  const char *role_session_name;
  /**
   * The external id that the role's trust policy asks for. NULL: none.
   */
  const char *external_id;
  /**
   * A token is reused while it has at least this much left, up to 899 seconds and less than
   * `expires_in_seconds`. 0: 60, or 1 less than `expires_in_seconds` if that is less.
   * RDSTOKEN_ZERO_SECONDS: 0.
   */
  uint32_t min_validity_seconds;
  /**
   * Sign as of the last multiple of this, at most 600 seconds, so that all who hold the same
   * credentials make the same bytes, which Aurora does not throttle. A fresh token then lives
   * `expires_in_seconds` - `align_seconds` at least, which must be no less than
   * `min_validity_seconds`. 0: sign as of now.
   */
  uint32_t align_seconds;
  /**
   * So long before the expiry of the credentials, one caller renews them and the others use
   * what is there; lengthened by up to a fifth at random. 0: 300. RDSTOKEN_ZERO_SECONDS: 0.
   */
  uint32_t advisory_window_seconds;
  /**
   * So long before the expiry of the credentials, all callers wait for a renewal; no longer
   * than `advisory_window_seconds`. 0: 60. RDSTOKEN_ZERO_SECONDS: 0.
   */
  uint32_t mandatory_window_seconds;
  /**
   * Not 0: sign a new token at each call. 0: reuse tokens.
   */
  uint32_t no_cache;
  /**
   * Not 0: no warning to the log if the hostname is none of RDS's own. 0: warn, once.
   */
  uint32_t no_hostname_warning;
} rdstoken_signer_options;

/**
 * What a signer has done so far, from rdstoken_signer_stats().
 */
typedef struct rdstoken_stats {
  /**
   * sizeof(rdstoken_stats), set by the caller, so that fields can be added later.
   */
  size_t struct_size;
  /**
   * Tokens signed.
   */
  uint64_t tokens_signed;
  /**
   * Tokens given out again.
   */
  uint64_t tokens_reused;
  /**
   * Fetches of credentials that succeeded, by all signers that share them.
   */
  uint64_t renewals;
  /**
   * Fetches of credentials that failed, by all signers that share them.
   */
  uint64_t failures;
  /**
   * When the token signed last stops working, in Unix seconds; 0 before the first.
   */
  int64_t expires_at;
  /**
   * The status of the failure last met; RDSTOKEN_STATUS_OK if there was none.
   */
  int32_t last_error;
} rdstoken_stats;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * Writes a connection string with a token for the next login: quoted and escaped as the driver's
 * parser wants it, with TLS and a check of the certificate and its name. It works as long as the
 * token in it.
 *
 * Blocks and fails as rdstoken_signer_token() too.
 *
 * - `signer`: who signs.
 * - `options`: for which driver, and what else to put in. All is copied.
 * - `connection_string`: receives the string, or NULL on error.
 * - `error`: receives the reason for a failure; may be NULL.
 *
 * Returns RDSTOKEN_STATUS_OK; RDSTOKEN_STATUS_INVALID_ARGUMENT naming an unknown driver or form,
 * or an option that the string has no room for; RDSTOKEN_STATUS_DRIVER_LIMIT; or what
 * rdstoken_signer_token() returns.
 */
rdstoken_status rdstoken_signer_connection_string(const struct rdstoken_signer *signer,
                                                  const struct rdstoken_connection_options *options,
                                                  struct rdstoken_connection_string **connection_string,
                                                  struct rdstoken_error **error);

/**
 * The text: UTF-8, no line end, NUL-terminated. NULL for NULL.
 *
 * It belongs to `connection_string` and lives as long as it.
 */
const char *rdstoken_connection_string_value(const struct rdstoken_connection_string *connection_string);

/**
 * The text's length in bytes, without the NUL. 0 for NULL.
 */
size_t rdstoken_connection_string_length(const struct rdstoken_connection_string *connection_string);

/**
 * Frees a connection string. NULL is fine.
 */
void rdstoken_connection_string_free(struct rdstoken_connection_string *connection_string);

/**
 * Checks that a driver passes on a token whole that is given to it in a certain form.
 *
 * - `driver`: the driver, as in rdstoken_connection_options, or another, such as "mariadb-cli":
 *   `rdstoken drivers` lists them all.
 * - `form`: the way that the token is given, for example "connection-string" or "prompt".
 * - `token`: the token; its length counts.
 * - `error`: receives the reason for a failure; may be NULL.
 *
 * Returns RDSTOKEN_STATUS_OK, RDSTOKEN_STATUS_DRIVER_LIMIT if it is known not to, or
 * RDSTOKEN_STATUS_INVALID_ARGUMENT for a driver or form that is not known.
 */
rdstoken_status rdstoken_check_length(const char *driver,
                                      const char *form,
                                      const char *token,
                                      struct rdstoken_error **error);

/**
 * Makes credentials from an access key.
 *
 * - `access_key_id`: 1 to 128 visible ASCII characters.
 * - `secret_access_key`: 1 to 1,024 visible ASCII characters.
 * - `session_token`: for temporary credentials, up to 65,536 visible ASCII characters; NULL or
 *   empty if there is none.
 * - `credentials`: receives the new credentials, or NULL on error.
 * - `error`: receives the reason for a failure; may be NULL.
 *
 * Returns RDSTOKEN_STATUS_OK or RDSTOKEN_STATUS_INVALID_ARGUMENT. The texts are copied.
 */
rdstoken_status rdstoken_credentials_new_static(const char *access_key_id,
                                                const char *secret_access_key,
                                                const char *session_token,
                                                struct rdstoken_credentials **credentials,
                                                struct rdstoken_error **error);

/**
 * Makes temporary credentials, whose expiry is known. No token signed with them is said to live
 * longer, and a signer that got them from a callback asks for others in time.
 *
 * - `access_key_id`: 1 to 128 visible ASCII characters.
 * - `secret_access_key`: 1 to 1,024 visible ASCII characters.
 * - `session_token`: up to 65,536 visible ASCII characters; NULL or empty if there is none.
 * - `expires_at`: when they expire, in Unix seconds.
 * - `credentials`: receives the new credentials, or NULL on error.
 * - `error`: receives the reason for a failure; may be NULL.
 *
 * Returns RDSTOKEN_STATUS_OK or RDSTOKEN_STATUS_INVALID_ARGUMENT. The texts are copied.
 */
rdstoken_status rdstoken_credentials_new_temporary(const char *access_key_id,
                                                   const char *secret_access_key,
                                                   const char *session_token,
                                                   int64_t expires_at,
                                                   struct rdstoken_credentials **credentials,
                                                   struct rdstoken_error **error);

/**
 * Frees credentials. NULL is fine.
 */
void rdstoken_credentials_free(struct rdstoken_credentials *credentials);

/**
 * The status that the failed call returned. RDSTOKEN_STATUS_OK for NULL.
 */
rdstoken_status rdstoken_error_status(const struct rdstoken_error *error);

/**
 * One line of text for people, in English, without a line end. The empty text for NULL.
 *
 * The text belongs to `error` and lives as long as it.
 */
const char *rdstoken_error_message(const struct rdstoken_error *error);

/**
 * The name of the argument or option at fault, for RDSTOKEN_STATUS_INVALID_ARGUMENT; NULL
 * otherwise and for NULL.
 *
 * The text belongs to `error` and lives as long as it.
 */
const char *rdstoken_error_field(const struct rdstoken_error *error);

/**
 * Frees an error and its texts. NULL is fine.
 */
void rdstoken_error_free(struct rdstoken_error *error);

/**
 * Sends the log records of the whole process to a callback, in place of the one set before.
 *
 * - `callback`: receives the records. NULL: no one does, as in the beginning.
 * - `user_data`: handed to the callback.
 * - `max_level`: the largest rdstoken_log_level that is wanted.
 *
 * A call of the old callback that is under way on another thread may still end after this
 * function has returned, so its `user_data` had better live for ever.
 */
void rdstoken_log_set_callback(rdstoken_log_callback callback, void *user_data, int32_t max_level);

/**
 * Makes one token from explicit inputs. A pure function: it reads no clock, file, variable or
 * network, and the same inputs give the same bytes in every language.
 *
 * - `options`: what to sign. All is copied.
 * - `token`: receives the new token, or NULL on error.
 * - `error`: receives the reason for a failure; may be NULL.
 *
 * Returns RDSTOKEN_STATUS_OK, RDSTOKEN_STATUS_INVALID_ARGUMENT, or
 * RDSTOKEN_STATUS_REGION_NOT_FOUND if `region` is NULL and the hostname has none.
 */
rdstoken_status rdstoken_presign(const struct rdstoken_presign_options *options,
                                 struct rdstoken_token **token,
                                 struct rdstoken_error **error);

/**
 * Makes a signer. Checks the options and looks for nothing yet: no file, variable or network is
 * touched.
 *
 * - `options`: what to sign for. All is copied.
 * - `signer`: receives the new signer, or NULL on error.
 * - `error`: receives the reason for a failure; may be NULL.
 *
 * Returns RDSTOKEN_STATUS_OK or RDSTOKEN_STATUS_INVALID_ARGUMENT.
 */
rdstoken_status rdstoken_signer_new(const struct rdstoken_signer_options *options,
                                    struct rdstoken_signer **signer,
                                    struct rdstoken_error **error);

/**
 * Gives a token for the next login: the one at hand if it is good for long enough, else a new one.
 *
 * Takes some ten nanoseconds if the token at hand serves. Blocks while credentials are fetched, no
 * longer than `timeout_milliseconds` and 100 ms. While a renewal of the credentials fails, a token
 * that is still valid is given out; one that is not, never.
 *
 * - `signer`: who signs.
 * - `token`: receives the token, or NULL on error. It is yours; it outlives the signer.
 * - `error`: receives the reason for a failure; may be NULL.
 *
 * Returns RDSTOKEN_STATUS_OK, RDSTOKEN_STATUS_INVALID_ARGUMENT for a NULL, or
 * RDSTOKEN_STATUS_REGION_NOT_FOUND, RDSTOKEN_STATUS_CREDENTIALS_NOT_FOUND,
 * RDSTOKEN_STATUS_CREDENTIALS_FAILED, RDSTOKEN_STATUS_CREDENTIALS_EXPIRED or
 * RDSTOKEN_STATUS_TIMEOUT.
 */
rdstoken_status rdstoken_signer_token(const struct rdstoken_signer *signer,
                                      struct rdstoken_token **token,
                                      struct rdstoken_error **error);

/**
 * Copies a token for the next login, as rdstoken_signer_token() gives it, into the caller's memory: the whole token and
 * its NUL, or nothing at all. For callers, such as drivers, that have a buffer of their own.
 *
 * - `signer`: who signs.
 * - `buffer`: receives the token and a NUL. NULL only with a `capacity` of 0, to ask for the size.
 * - `capacity`: the size of `buffer` in bytes.
 * - `needed`: receives the size that the token needs, its NUL included, with
 *   RDSTOKEN_STATUS_OK and RDSTOKEN_STATUS_BUFFER_TOO_SMALL; 0 otherwise. May be NULL. The next
 *   token can be longer, so ask in a loop.
 * - `expires_at`: receives the Unix second at which the token stops working; 0 on error. May be
 *   NULL.
 * - `error`: receives the reason for a failure; may be NULL.
 *
 * Blocks and fails as rdstoken_signer_token(), and with RDSTOKEN_STATUS_BUFFER_TOO_SMALL, which
 * leaves `buffer` as it was.
 */
rdstoken_status rdstoken_signer_copy_token(const struct rdstoken_signer *signer,
                                           char *buffer,
                                           size_t capacity,
                                           size_t *needed,
                                           int64_t *expires_at,
                                           struct rdstoken_error **error);

/**
 * Tells the signer that the server refused a login because of the password, and asks whether to
 * try once more, with a fresh token.
 *
 * - `signer`: who signed.
 * - `token`: the token that was refused, as text.
 * - `retry`: receives 1 if the token had been given out before, and so may have died since: it is
 *   forgotten, and the next call signs a new one. Receives 0 if it came fresh from signing, because
 *   the next would be refused as well; if the next would be the same, within the same second or
 *   period of `align`; if tokens are not reused at all; or if it is for another login.
 * - `error`: receives the reason for a failure; may be NULL.
 *
 * Returns RDSTOKEN_STATUS_OK, or RDSTOKEN_STATUS_INVALID_ARGUMENT for a NULL.
 */
rdstoken_status rdstoken_signer_refused(const struct rdstoken_signer *signer,
                                        const char *token,
                                        int32_t *retry,
                                        struct rdstoken_error **error);

/**
 * Forgets the token at hand, so that the next call signs a new one: for the one retry after a
 * login was refused with a token that had been given out before. NULL is fine.
 */
void rdstoken_signer_invalidate(const struct rdstoken_signer *signer);

/**
 * Forgets the token at hand and the credentials that signed it, for all signers that share them,
 * so that the next call fetches new ones. NULL is fine.
 */
void rdstoken_signer_invalidate_credentials(const struct rdstoken_signer *signer);

/**
 * Tells what a signer has done so far. The numbers are counted apart and so may be a call or two
 * out of step with each other. Does not block.
 *
 * - `signer`: the signer.
 * - `stats`: receives the numbers; its `struct_size` must be set.
 * - `error`: receives the reason for a failure; may be NULL.
 *
 * Returns RDSTOKEN_STATUS_OK or RDSTOKEN_STATUS_INVALID_ARGUMENT.
 */
rdstoken_status rdstoken_signer_stats(const struct rdstoken_signer *signer,
                                      struct rdstoken_stats *stats,
                                      struct rdstoken_error **error);

/**
 * Frees a signer. NULL is fine. No other thread may be using it; tokens made by it live on.
 */
void rdstoken_signer_free(struct rdstoken_signer *signer);

/**
 * The name of a status, for example `"RDSTOKEN_STATUS_TIMEOUT"`; `"unknown status"` for a number
 * that this library does not know.
 *
 * The text is static: never free it. `status` may be any number.
 */
const char *rdstoken_status_name(int32_t status);

/**
 * The token's text: ASCII, no line end, NUL-terminated. Give it to the driver whole, as the
 * password, over TLS. NULL for NULL.
 *
 * The text belongs to `token` and lives as long as it.
 */
const char *rdstoken_token_value(const struct rdstoken_token *token);

/**
 * The token's length in bytes, without the NUL: about 350 with a plain access key, 1,000 to 4,000
 * and sometimes more with a session token. 0 for NULL.
 */
size_t rdstoken_token_length(const struct rdstoken_token *token);

/**
 * When the token stops working, in Unix seconds: the earlier of signing time + expiry and the
 * expiry of the credentials. A connection that is open by then stays open. 0 for NULL.
 */
int64_t rdstoken_token_expires_at(const struct rdstoken_token *token);

/**
 * Frees a token. NULL is fine.
 */
void rdstoken_token_free(struct rdstoken_token *token);

/**
 * The version of the library that is loaded, for example `"0.1.0"`. `RDSTOKEN_VERSION` is the
 * version of the header that the program was compiled with.
 *
 * The text is static: never free it.
 */
const char *rdstoken_version(void);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* RDSTOKEN_H */
