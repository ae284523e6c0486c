/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * rdstoken.hpp: rdstoken.h for C++17. Header only: link with librdstoken as a C program does.
 *
 *   rdstoken::signer_options options;
 *   options.hostname = "mydb.cluster-abc123.us-east-1.rds.amazonaws.com";
 *   options.port = 5432;
 *   options.username = "app";
 *
 *   try {
 *     rdstoken::signer signer(options);
 *     rdstoken::token token = signer.token();
 *     connect_with_password(token.c_str());
 *   } catch (const rdstoken::error &error) {
 *     std::cerr << error.what() << '\n';
 *   }
 *
 * What rdstoken.h says of each function holds here too; what follows is the difference:
 *
 * - A failure is an exception, rdstoken::error. None leaves a callback of yours for the library.
 * - Handles free themselves. They move and do not copy; get() gives the C handle, which stays
 *   theirs. One that was moved from is like NULL in C: asking a signer is an error, and so is
 *   signing with such credentials; a token is empty.
 * - Options that are not set are std::nullopt, and a duration is what it says: no number stands for
 *   the default or for 0.
 * - A text with a NUL inside is refused, because C would see its beginning alone.
 * - A secret that you give as std::string is copied into the library, which wipes its copy; yours
 *   is yours to wipe. What c_str() and value() give belongs to the object and lives as long as it.
 */

#ifndef RDSTOKEN_HPP
#define RDSTOKEN_HPP

#include "rdstoken.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rdstoken {

/** A point in time, in whole Unix seconds. */
using time_point = std::chrono::time_point<std::chrono::system_clock, std::chrono::seconds>;

/**
 * Why a call failed. what() is one line of text for people; it holds no token, key, session token
 * or signature, so it may be logged.
 */
class error : public std::runtime_error {
 public:
  /** For credentials callbacks, which may throw it to say which failure it was. */
  explicit error(rdstoken_status status, const std::string &message = "rdstoken failed",
                 const std::string &field = std::string())
      : std::runtime_error(message),
        status_(status),
        field_(field.empty() ? nullptr : std::make_shared<const std::string>(field)) {}

  /** The status of the failed call. */
  rdstoken_status status() const noexcept { return status_; }

  /**
   * The name of the argument or option at fault, for RDSTOKEN_STATUS_INVALID_ARGUMENT; empty
   * otherwise. It lives as long as the error.
   */
  std::string_view field() const noexcept {
    return field_ ? std::string_view(*field_) : std::string_view();
  }

 private:
  rdstoken_status status_;
  std::shared_ptr<const std::string> field_;  // copying an exception must not throw
};

/** What the classes are made of; no part of the interface. */
namespace detail {

struct deleter {
  void operator()(rdstoken_credentials *handle) const noexcept {
    rdstoken_credentials_free(handle);
  }
  void operator()(rdstoken_token *handle) const noexcept { rdstoken_token_free(handle); }
  void operator()(rdstoken_signer *handle) const noexcept { rdstoken_signer_free(handle); }
  void operator()(rdstoken_error *handle) const noexcept { rdstoken_error_free(handle); }
  void operator()(rdstoken_connection_string *handle) const noexcept {
    rdstoken_connection_string_free(handle);
  }
};

template <typename Handle>
using owned = std::unique_ptr<Handle, deleter>;

/** Makes a call, which gets a place for its error, and throws that if the call fails. */
template <typename Call>
void check(Call call) {
  rdstoken_error *raw = nullptr;
  const rdstoken_status status = call(&raw);
  const owned<rdstoken_error> reason(raw);
  if (status == RDSTOKEN_STATUS_OK) return;
  std::string message = rdstoken_error_message(raw);
  std::string field = rdstoken_error_field(raw) == nullptr ? "" : rdstoken_error_field(raw);
  // C's names of durations end in their unit; here the type says it. Messages begin with the name.
  for (const std::string_view unit : {"_seconds", "_milliseconds"}) {
    if (field.size() <= unit.size()) continue;
    const std::size_t end = field.size() - unit.size();
    if (field.compare(end, std::string::npos, unit) != 0) continue;
    field.erase(end);
    message.erase(end, unit.size());
    break;
  }
  throw error(status, message, field);
}

[[noreturn]] inline void refuse(const char *field, const char *expected) {
  throw error(RDSTOKEN_STATUS_INVALID_ARGUMENT, std::string(field) + ": " + expected, field);
}

inline const char *text(const char *field, const std::string &value) {
  if (value.find('\0') != std::string::npos) refuse(field, "expected a text without NUL");
  return value.c_str();
}

inline const char *text(const char *field, const std::optional<std::string> &value) {
  return value ? text(field, *value) : nullptr;
}

/** For the options whose 0 stands for the default: `zero` stands for 0. */
template <typename Duration>
std::uint32_t count(const char *field, const std::optional<Duration> &value, std::uint32_t zero) {
  if (!value) return 0;
  if (value->count() == 0) return zero;
  // The largest number stands for 0.
  if (value->count() < 0 || value->count() >= std::numeric_limits<std::uint32_t>::max())
    refuse(field, "expected a time that is not negative and far shorter");
  return static_cast<std::uint32_t>(value->count());
}

/** For the options of which 0 is no valid value. */
template <typename Duration>
std::uint32_t count_of_some(const char *field, const std::optional<Duration> &value) {
  if (value && value->count() == 0) refuse(field, "expected more than 0");
  return count(field, value, 0);
}

inline time_point time_of(std::int64_t unix_seconds) {
  return time_point(std::chrono::seconds(unix_seconds));
}

}  // namespace detail

/** AWS credentials. Signers keep what they need: these may go as soon as the signer is made. */
class credentials {
 public:
  /**
   * Credentials from an access key.
   *
   * - `access_key_id`: 1 to 128 visible ASCII characters.
   * - `secret_access_key`: 1 to 1,024 visible ASCII characters.
   * - `session_token`: for temporary credentials, up to 65,536 visible ASCII characters; empty if
   *   there is none.
   * - `expires_at`: when temporary credentials expire, if that is known. No token signed with them
   *   is said to live longer, and a signer that got them from a callback asks for others in time.
   *
   * Throws an error with RDSTOKEN_STATUS_INVALID_ARGUMENT.
   */
  credentials(const std::string &access_key_id, const std::string &secret_access_key,
              const std::string &session_token = std::string(),
              std::optional<time_point> expires_at = std::nullopt) {
    const char *id = detail::text("access_key_id", access_key_id);
    const char *secret = detail::text("secret_access_key", secret_access_key);
    const char *session = detail::text("session_token", session_token);
    rdstoken_credentials *made = nullptr;
    detail::check([&](rdstoken_error **reason) {
      if (!expires_at) return rdstoken_credentials_new_static(id, secret, session, &made, reason);
      return rdstoken_credentials_new_temporary(
          id, secret, session, expires_at->time_since_epoch().count(), &made, reason);
    });
    handle_.reset(made);
  }

  /** The C handle, which stays this object's. */
  rdstoken_credentials *get() const noexcept { return handle_.get(); }

  /** The C handle, which is the caller's from now on. */
  rdstoken_credentials *release() noexcept { return handle_.release(); }

 private:
  detail::owned<rdstoken_credentials> handle_;
};

namespace detail {

/** Those that were moved from must not pass for none, in whose place others would be found. */
inline rdstoken_credentials *handle_of(const credentials *given) {
  if (given == nullptr) return nullptr;
  if (given->get() == nullptr)
    refuse("credentials", "expected credentials that were not moved from");
  return given->get();
}

}  // namespace detail

/** An authentication token: the password for one login. It is wiped from memory when freed. */
class token {
 public:
  /** Takes over a token of the C interface's. */
  explicit token(rdstoken_token *handle) noexcept : handle_(handle) {}

  /** The token's text. Give it to the driver whole, as the password, over TLS. */
  const char *c_str() const noexcept { return handle_ ? rdstoken_token_value(handle_.get()) : ""; }

  /** The same, with its length. */
  std::string_view value() const noexcept { return std::string_view(c_str(), length()); }

  /** The length in bytes, without the NUL. */
  std::size_t length() const noexcept { return rdstoken_token_length(handle_.get()); }

  /** When the token stops working. A connection that is open by then stays open. */
  time_point expires_at() const noexcept {
    return detail::time_of(rdstoken_token_expires_at(handle_.get()));
  }

  /** The C handle, which stays this object's. */
  rdstoken_token *get() const noexcept { return handle_.get(); }

 private:
  detail::owned<rdstoken_token> handle_;
};

/** All that a token depends on, for presign(). */
struct presign_options {
  /** The database's endpoint name: a DNS name alone, no IP address. Required. */
  std::string hostname;
  /** The database's port. Required. */
  std::uint16_t port = 0;
  /** The database user, UTF-8, 1 to 255 bytes. Required. */
  std::string username;
  /** The endpoint's region, for example "us-east-1". Not set: find it in the hostname. */
  std::optional<std::string> region;
  /** Who signs. Required; it must live until presign() returns. */
  const rdstoken::credentials *credentials = nullptr;
  /** When the token begins to be valid. */
  time_point signing_time;
  /** How long the token is valid, 1 to 900 seconds. Not set: 900. */
  std::optional<std::chrono::seconds> expires_in;
};

/**
 * Makes one token from explicit inputs. A pure function: it reads no clock, file, variable or
 * network, and the same inputs give the same bytes in every language.
 *
 * Throws an error with RDSTOKEN_STATUS_INVALID_ARGUMENT, or RDSTOKEN_STATUS_REGION_NOT_FOUND if
 * `region` is not set and the hostname has none.
 */
inline token presign(const presign_options &options) {
  rdstoken_presign_options given{};
  given.struct_size = sizeof given;
  given.hostname = detail::text("hostname", options.hostname);
  given.port = options.port;
  given.username = detail::text("username", options.username);
  given.region = detail::text("region", options.region);
  given.credentials = detail::handle_of(options.credentials);
  given.signing_time = options.signing_time.time_since_epoch().count();
  given.expires_in_seconds = detail::count_of_some("expires_in", options.expires_in);
  rdstoken_token *made = nullptr;
  detail::check([&](rdstoken_error **reason) {
    return rdstoken_presign(&given, &made, reason);
  });
  return token(made);
}

/**
 * Gets credentials from a place that rdstoken does not know.
 *
 * It is called on a short-lived thread of the library's, with a stack of 1 MiB, by one thread at a
 * time, and only when the credentials at hand had better be renewed: give them an expiry, or they
 * are asked for again after 15 minutes. If it takes longer than the signer's timeout, the caller is
 * answered without it, and it may be called again before it has come back. It must not use the
 * signer that it serves.
 *
 * Whatever it throws is a failure. An rdstoken::error with RDSTOKEN_STATUS_CREDENTIALS_NOT_FOUND,
 * RDSTOKEN_STATUS_CREDENTIALS_EXPIRED or RDSTOKEN_STATUS_TIMEOUT passes its status on; all else
 * becomes RDSTOKEN_STATUS_CREDENTIALS_FAILED. No text of it is kept: such texts are known to quote
 * secrets.
 */
using credentials_callback = std::function<rdstoken::credentials()>;

/** What a signer is made from. Set the fields you need. */
struct signer_options {
  /** The database's endpoint name: a DNS name alone, no IP address. Required. */
  std::string hostname;
  /** The database's port. Required. */
  std::uint16_t port = 0;
  /** The database user, UTF-8, 1 to 255 bytes. Required. */
  std::string username;
  /**
   * The endpoint's region, for example "us-east-1". Not set: find it in the hostname, else in
   * AWS_REGION or AWS_DEFAULT_REGION, else in the profile.
   */
  std::optional<std::string> region;
  /**
   * Take credentials from this profile of the shared config and credentials files, and from nowhere
   * else. Not set: the AWS SDKs' default chain.
   */
  std::optional<std::string> profile;
  /**
   * Sign with these credentials and look for none. Not together with `profile`. They may go as soon
   * as the signer is made. nullptr: find them.
   */
  const rdstoken::credentials *credentials = nullptr;
  /**
   * Ask this for credentials, instead of the AWS SDKs' sources. Not together with `profile` or
   * `credentials`. Empty: no callback.
   */
  rdstoken::credentials_callback credentials_callback;
  /** How long a token is valid, 1 to 900 seconds. Not set: 900. */
  std::optional<std::chrono::seconds> expires_in;
  /** How long to wait for credentials, all sources together, at most an hour. Not set: 5 s. */
  std::optional<std::chrono::milliseconds> timeout;
  /** Assume this role, named by its ARN, with the credentials found as above. */
  std::optional<std::string> role_arn;
  /** The name of the assumed role's session, 2 to 64 characters. Not set: "rdstoken". */
  std::optional<std::string> role_session_name;
  /** The external id that the role's trust policy asks for. */
  std::optional<std::string> external_id;
  /**
   * A token is reused while it has at least this much left, up to 899 seconds and less than
   * `expires_in`. Not set: 60 seconds, or 1 less than `expires_in` if that is less.
   */
  std::optional<std::chrono::seconds> min_validity;
  /**
   * Sign as of the last multiple of this, at most 600 seconds, so that all who hold the same
   * credentials make the same bytes, which Aurora does not throttle. A fresh token then lives
   * `expires_in` - `align` at least, which must be no less than `min_validity`. Not set: sign as of
   * now.
   */
  std::optional<std::chrono::seconds> align;
  /**
   * So long before the expiry of the credentials, one caller renews them and the others use what is
   * there; lengthened by up to a fifth at random. Not set: 300 seconds.
   */
  std::optional<std::chrono::seconds> advisory_window;
  /**
   * So long before the expiry of the credentials, all callers wait for a renewal; no longer than
   * `advisory_window`. Not set: 60 seconds.
   */
  std::optional<std::chrono::seconds> mandatory_window;
  /** Whether tokens are reused; false: sign a new one at each call. */
  bool cache = true;
  /** Whether to log a warning, once, if the hostname is none of RDS's own. */
  bool warn_hostname = true;
};

/** What signer::copy_token() has done. */
struct copied_token {
  /** Whether the whole token is in the buffer; else the buffer is as it was. */
  bool copied;
  /** The size that the token needs, its NUL included. The next can be longer: ask in a loop. */
  std::size_t needed;
  /** When the token stops working; only if it was copied. */
  time_point expires_at;
};

/** What a signer has done so far, from signer::stats(). */
struct signer_stats {
  /** Tokens signed. */
  std::uint64_t tokens_signed;
  /** Tokens given out again. */
  std::uint64_t tokens_reused;
  /** Fetches of credentials that succeeded, by all signers that share them. */
  std::uint64_t renewals;
  /** Fetches of credentials that failed, by all signers that share them. */
  std::uint64_t failures;
  /** When the token signed last stops working; not set before the first. */
  std::optional<time_point> expires_at;
  /** The status of the failure last met; RDSTOKEN_STATUS_OK if there was none. */
  rdstoken_status last_error;
};

/** What a connection string is made from, beside a signer's login. */
struct connection_options {
  /**
   * The driver that reads the string, for example "psqlodbc", "mariadb-odbc" or "libpq"; `rdstoken
   * drivers` lists them. Required.
   */
  std::string driver;
  /**
   * The string's syntax, for example "connection-string" for ODBC, or "conninfo", "uri" and
   * "passfile" for libpq. Not set: the first that is written for the driver.
   */
  std::optional<std::string> form;
  /** The database to use. Not set: the driver's default. */
  std::optional<std::string> database;
  /** The file of the certificate authorities to trust. Not set: the driver's default. */
  std::optional<std::string> ca_file;
  /**
   * Connect to this address, while the certificate is still that of the endpoint's name. Only for
   * libpq and psqlodbc. Not set: the name's.
   */
  std::optional<std::string> hostaddr;
  /**
   * What ODBC calls the driver: its name in odbcinst.ini or its library's path. Not set:
   * "PostgreSQL Unicode" or "MariaDB Unicode".
   */
  std::optional<std::string> odbc_driver;
  /**
   * If the driver is known to cut or alter a token of this length: false throws an error with
   * RDSTOKEN_STATUS_DRIVER_LIMIT, true logs a warning.
   */
  bool warn_on_limit = false;
};

/**
 * A connection string with a token in it, and so as secret as the token. It is wiped from memory
 * when it is freed.
 */
class connection_string {
 public:
  /** Takes over a string of the C interface's. */
  explicit connection_string(rdstoken_connection_string *handle) noexcept : handle_(handle) {}

  /** The text: UTF-8, no line end. */
  const char *c_str() const noexcept {
    return handle_ ? rdstoken_connection_string_value(handle_.get()) : "";
  }

  /** The same, with its length. */
  std::string_view value() const noexcept { return std::string_view(c_str(), length()); }

  /** The length in bytes, without the NUL. */
  std::size_t length() const noexcept { return rdstoken_connection_string_length(handle_.get()); }

  /** The C handle, which stays this object's. */
  rdstoken_connection_string *get() const noexcept { return handle_.get(); }

 private:
  detail::owned<rdstoken_connection_string> handle_;
};

}  // namespace rdstoken

/** What the library calls back; no part of the interface. */
extern "C" {

inline std::int32_t rdstoken_hpp_call_credentials(void *user_data,
                                                  rdstoken_credentials **credentials) {
  try {
    rdstoken::credentials made = (*static_cast<rdstoken::credentials_callback *>(user_data))();
    *credentials = made.release();
    return RDSTOKEN_STATUS_OK;
  } catch (const rdstoken::error &failure) {
    const std::int32_t status = failure.status();
    return status == RDSTOKEN_STATUS_OK ? RDSTOKEN_STATUS_CREDENTIALS_FAILED : status;
  } catch (...) {
    return RDSTOKEN_STATUS_CREDENTIALS_FAILED;
  }
}

inline void rdstoken_hpp_destroy_credentials(void *user_data) {
  delete static_cast<rdstoken::credentials_callback *>(user_data);
}

inline void rdstoken_hpp_call_log(void *user_data, std::int32_t level, const char *message) {
  using callback = std::function<void(rdstoken_log_level, std::string_view)>;
  try {
    (*static_cast<const callback *>(user_data))(static_cast<rdstoken_log_level>(level), message);
  } catch (...) {  // a log that fails has nobody to tell
  }
}

}  // extern "C"

namespace rdstoken {

/**
 * Makes tokens for one database user at one endpoint, and finds credentials and region itself. Any
 * number of threads may use one signer at a time.
 */
class signer {
 public:
  /**
   * Checks the options and looks for nothing yet: no file, variable or network is touched.
   *
   * Throws an error with RDSTOKEN_STATUS_INVALID_ARGUMENT.
   */
  explicit signer(const signer_options &options) {
    rdstoken_signer_options given{};
    given.struct_size = sizeof given;
    given.hostname = detail::text("hostname", options.hostname);
    given.port = options.port;
    given.username = detail::text("username", options.username);
    given.region = detail::text("region", options.region);
    given.profile = detail::text("profile", options.profile);
    given.credentials = detail::handle_of(options.credentials);
    given.expires_in_seconds = detail::count_of_some("expires_in", options.expires_in);
    given.timeout_milliseconds = detail::count_of_some("timeout", options.timeout);
    given.role_arn = detail::text("role_arn", options.role_arn);
    given.role_session_name = detail::text("role_session_name", options.role_session_name);
    given.external_id = detail::text("external_id", options.external_id);
    given.min_validity_seconds =
        detail::count("min_validity", options.min_validity, RDSTOKEN_ZERO_SECONDS);
    given.align_seconds = detail::count("align", options.align, 0);
    given.advisory_window_seconds =
        detail::count("advisory_window", options.advisory_window, RDSTOKEN_ZERO_SECONDS);
    given.mandatory_window_seconds =
        detail::count("mandatory_window", options.mandatory_window, RDSTOKEN_ZERO_SECONDS);
    given.no_cache = !options.cache;
    given.no_hostname_warning = !options.warn_hostname;
    std::unique_ptr<rdstoken::credentials_callback> callback;
    if (options.credentials_callback) {
      callback = std::make_unique<rdstoken::credentials_callback>(options.credentials_callback);
      given.credentials_callback = rdstoken_hpp_call_credentials;
      given.credentials_user_data = callback.get();
      given.credentials_destroy = rdstoken_hpp_destroy_credentials;
    }
    rdstoken_signer *made = nullptr;
    detail::check([&](rdstoken_error **reason) {
      return rdstoken_signer_new(&given, &made, reason);
    });
    handle_.reset(made);
    callback.release();  // the signer's from now on
  }

  /**
   * A token for the next login: the one at hand if it is good for long enough, else a new one.
   *
   * Takes some ten nanoseconds if the token at hand serves. Blocks while credentials are fetched,
   * no longer than the timeout and 100 ms. While a renewal of the credentials fails, a token that
   * is still valid is given out; one that is not, never. The token outlives the signer.
   *
   * Throws an error with RDSTOKEN_STATUS_REGION_NOT_FOUND, RDSTOKEN_STATUS_CREDENTIALS_NOT_FOUND,
   * RDSTOKEN_STATUS_CREDENTIALS_FAILED, RDSTOKEN_STATUS_CREDENTIALS_EXPIRED or
   * RDSTOKEN_STATUS_TIMEOUT.
   */
  rdstoken::token token() const {
    rdstoken_token *made = nullptr;
    detail::check([&](rdstoken_error **reason) {
      return rdstoken_signer_token(get(), &made, reason);
    });
    return rdstoken::token(made);
  }

  /**
   * Copies a token for the next login and its NUL into a buffer of the caller's: the whole token,
   * or nothing at all. `buffer` is nullptr only with a `capacity` of 0, to ask for the size.
   *
   * Blocks and throws as token(). A buffer that is too small is an answer, and no exception.
   */
  copied_token copy_token(char *buffer, std::size_t capacity) const {
    std::size_t needed = 0;
    std::int64_t expires_at = 0;
    bool too_small = false;
    detail::check([&](rdstoken_error **reason) {
      const rdstoken_status status =
          rdstoken_signer_copy_token(get(), buffer, capacity, &needed, &expires_at, reason);
      too_small = status == RDSTOKEN_STATUS_BUFFER_TOO_SMALL;
      return too_small ? RDSTOKEN_STATUS_OK : status;
    });
    return {!too_small, needed, detail::time_of(expires_at)};
  }

  /**
   * Writes a connection string with a token for the next login: quoted and escaped as the driver's
   * parser wants it, with TLS and a check of the certificate and its name. It works as long as the
   * token in it.
   *
   * Blocks and throws as token(), and throws an error with RDSTOKEN_STATUS_INVALID_ARGUMENT naming
   * an unknown driver or form, or an option that the string has no room for, or with
   * RDSTOKEN_STATUS_DRIVER_LIMIT.
   */
  rdstoken::connection_string connection_string(const connection_options &options) const {
    rdstoken_connection_options given{};
    given.struct_size = sizeof given;
    given.driver = detail::text("driver", options.driver);
    given.form = detail::text("form", options.form);
    given.database = detail::text("database", options.database);
    given.ca_file = detail::text("ca_file", options.ca_file);
    given.hostaddr = detail::text("hostaddr", options.hostaddr);
    given.odbc_driver = detail::text("odbc_driver", options.odbc_driver);
    given.warn_on_limit = options.warn_on_limit;
    rdstoken_connection_string *made = nullptr;
    detail::check([&](rdstoken_error **reason) {
      return rdstoken_signer_connection_string(get(), &given, &made, reason);
    });
    return rdstoken::connection_string(made);
  }

  /**
   * Tells the signer that the server refused a login because of the password, and answers whether
   * to try once more, with a fresh token.
   *
   * True if the token had been given out before, and so may have died since: it is forgotten, and
   * the next call signs a new one. False if it came fresh from signing, because the next would be
   * refused as well; if the next would be the same, within the same second or period of `align`; if
   * tokens are not reused at all; or if it is for another login.
   */
  bool refused(const rdstoken::token &token) const { return refused_text(token.c_str()); }

  /** The same, for a token as text. */
  bool refused(const std::string &token) const {
    return refused_text(detail::text("token", token));
  }

  /**
   * Forgets the token at hand, so that the next call signs a new one: for the one retry after a
   * login was refused with a token that had been given out before.
   */
  void invalidate() const noexcept { rdstoken_signer_invalidate(get()); }

  /**
   * Forgets the token at hand and the credentials that signed it, for all signers that share them,
   * so that the next call fetches new ones.
   */
  void invalidate_credentials() const noexcept { rdstoken_signer_invalidate_credentials(get()); }

  /**
   * What the signer has done so far. The numbers are counted apart and so may be a call or two out
   * of step with each other. Does not block.
   */
  signer_stats stats() const {
    rdstoken_stats stats{};
    stats.struct_size = sizeof stats;
    detail::check([&](rdstoken_error **reason) {
      return rdstoken_signer_stats(get(), &stats, reason);
    });
    std::optional<time_point> expires_at;
    if (stats.expires_at != 0) expires_at = detail::time_of(stats.expires_at);
    const auto last_error = static_cast<rdstoken_status>(stats.last_error);
    return {stats.tokens_signed, stats.tokens_reused, stats.renewals,
            stats.failures,      expires_at,          last_error};
  }

  /** The C handle, which stays this object's. */
  rdstoken_signer *get() const noexcept { return handle_.get(); }

 private:
  bool refused_text(const char *text) const {
    std::int32_t retry = 0;
    detail::check([&](rdstoken_error **reason) {
      return rdstoken_signer_refused(get(), text, &retry, reason);
    });
    return retry != 0;
  }

  detail::owned<rdstoken_signer> handle_;
};

/**
 * Checks that a driver passes on a token whole that is given to it in a certain form.
 *
 * - `driver`, `form`: as in connection_options, and others, such as "mariadb-cli" and "prompt";
 *   `rdstoken drivers` lists them with their limits.
 * - `token`: the token; its length counts.
 *
 * Throws an error with RDSTOKEN_STATUS_DRIVER_LIMIT if it is known not to, or with
 * RDSTOKEN_STATUS_INVALID_ARGUMENT for a driver or form that is not known.
 */
inline void check_length(const std::string &driver, const std::string &form, const token &token) {
  detail::check([&](rdstoken_error **reason) {
    return rdstoken_check_length(detail::text("driver", driver), detail::text("form", form),
                                 token.c_str(), reason);
  });
}

/** The same, for a token as text. */
inline void check_length(const std::string &driver, const std::string &form,
                         const std::string &token) {
  detail::check([&](rdstoken_error **reason) {
    return rdstoken_check_length(detail::text("driver", driver), detail::text("form", form),
                                 detail::text("token", token), reason);
  });
}

/**
 * Receives log records. The message is one line, which lives until the function returns and never
 * holds a secret.
 *
 * It is called by whatever thread has something to log, several at once, and while no lock of the
 * library's is held. What it throws is passed over.
 */
using log_callback = std::function<void(rdstoken_log_level level, std::string_view message)>;

/**
 * Sends the log records of the whole process to a callback, in place of the one set before.
 *
 * - `callback`: receives the records. Empty: no one does, as in the beginning.
 * - `max_level`: the largest level that is wanted.
 *
 * A call of the old callback that is under way on another thread may still end after this function
 * has returned. So callbacks are kept as long as the process lives.
 */
inline void set_log_callback(log_callback callback, rdstoken_log_level max_level) {
  if (!callback) {
    rdstoken_log_set_callback(nullptr, nullptr, RDSTOKEN_LOG_OFF);
    return;
  }
  static std::mutex lock;
  static auto *const kept = new std::vector<std::unique_ptr<log_callback>>();
  const std::lock_guard<std::mutex> guard(lock);
  kept->push_back(std::make_unique<log_callback>(std::move(callback)));
  rdstoken_log_set_callback(rdstoken_hpp_call_log, kept->back().get(), max_level);
}

/** The name of a status, for example "RDSTOKEN_STATUS_TIMEOUT". The text is static. */
inline std::string_view status_name(rdstoken_status status) noexcept {
  return rdstoken_status_name(status);
}

/** The version of the library that is loaded. The text is static. */
inline std::string_view version() noexcept { return rdstoken_version(); }

}  // namespace rdstoken

#endif /* RDSTOKEN_HPP */
