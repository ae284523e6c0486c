/* rdstoken.hpp: all that it offers, what it throws, and who owns what. Under AddressSanitizer, whose
   leak check is half of the test. Linked with cpp_again.cpp. */
#include "rdstoken.hpp"
#include "rdstoken.hpp"

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <thread>
#include <type_traits>

using namespace std::chrono_literals;

rdstoken::token token_from_another_file(const rdstoken::signer &signer);

namespace {

const char *const hostname = "mydb.cluster-abc123.us-east-1.rds.amazonaws.com";
const char *const secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

#define CHECK(condition) \
  ((condition) ? static_cast<void>(0) : failed(__FILE__, __LINE__, #condition))

[[noreturn]] void failed(const char *file, int line, const char *what) {
  std::fprintf(stderr, "%s:%d: failed: %s\n", file, line, what);
  std::_Exit(3);
}

/* Runs something that must throw. */
template <typename Action>
rdstoken::error failure_of(Action action) {
  try {
    action();
  } catch (const rdstoken::error &failure) {
    return failure;
  }
  failed(__FILE__, __LINE__, "nothing was thrown");
}

template <typename Action>
void check_refused(const char *field, Action action) {
  const rdstoken::error failure = failure_of(action);
  if (failure.status() != RDSTOKEN_STATUS_INVALID_ARGUMENT || failure.field() != field)
    failed(__FILE__, __LINE__, field);
  CHECK(std::strncmp(failure.what(), field, std::strlen(field)) == 0);
}

rdstoken::signer_options basic_options() {
  rdstoken::signer_options options;
  options.hostname = hostname;
  options.port = 5432;
  options.username = "app";
  return options;
}

rdstoken::signer new_signer(rdstoken::signer_options options = basic_options()) {
  const rdstoken::credentials keys("AKIDEXAMPLE", secret, "session");
  options.credentials = &keys;
  return rdstoken::signer(options); /* which outlives the credentials */
}

/* They are never taken for none, which would stand for those of the default chain. */
template <typename Use>
void check_moved_from_credentials(Use use) {
  rdstoken::credentials first("AKIDEXAMPLE", secret);
  const rdstoken::credentials second = std::move(first);
  use(second);
  check_refused("credentials", [&] { use(first); });
}

rdstoken::time_point now() {
  return std::chrono::time_point_cast<std::chrono::seconds>(std::chrono::system_clock::now());
}

void what_moves() {
  static_assert(std::is_nothrow_move_constructible_v<rdstoken::signer>);
  static_assert(std::is_nothrow_move_assignable_v<rdstoken::token>);
  static_assert(!std::is_copy_constructible_v<rdstoken::signer>);
  static_assert(!std::is_copy_constructible_v<rdstoken::token>);
  static_assert(!std::is_copy_constructible_v<rdstoken::credentials>);
  static_assert(!std::is_copy_constructible_v<rdstoken::connection_string>);
  static_assert(std::is_nothrow_copy_constructible_v<rdstoken::error>);
  static_assert(std::is_base_of_v<std::runtime_error, rdstoken::error>);

  rdstoken::signer first = new_signer();
  rdstoken::token token = first.token();
  const rdstoken::signer second = std::move(first);
  CHECK(second.token().value() == token.value());
  CHECK(failure_of([&] { first.token(); }).status() == RDSTOKEN_STATUS_INVALID_ARGUMENT);
  const rdstoken::token moved = std::move(token);
  CHECK(token.value().empty() && token.length() == 0 && *token.c_str() == '\0');
  CHECK(moved.length() > 300);
}

void tokens() {
  std::optional<rdstoken::signer> signer(new_signer());
  const rdstoken::token token = signer->token();
  CHECK(token.value().substr(0, std::strlen(hostname)) == hostname);
  CHECK(token.length() == std::strlen(token.c_str()));
  CHECK(token.expires_at() > now() + 890s && token.expires_at() <= now() + 900s);
  CHECK(token_from_another_file(*signer).value() == token.value());

  const rdstoken::signer_stats stats = signer->stats();
  CHECK(stats.tokens_signed == 1 && stats.tokens_reused == 1 && stats.failures == 0);
  CHECK(stats.expires_at == token.expires_at() && stats.last_error == RDSTOKEN_STATUS_OK);
  CHECK(!new_signer().stats().expires_at);

  signer.reset();
  CHECK(token.length() > 300); /* it outlives the signer */
}

void buffers() {
  const rdstoken::signer signer = new_signer();
  const rdstoken::copied_token asked = signer.copy_token(nullptr, 0);
  CHECK(!asked.copied && asked.needed > 300);
  std::string buffer(asked.needed, '#');
  CHECK(!signer.copy_token(buffer.data(), asked.needed - 1).copied);
  CHECK(buffer == std::string(asked.needed, '#'));
  const rdstoken::copied_token done = signer.copy_token(buffer.data(), buffer.size());
  CHECK(done.copied && done.needed == buffer.size() && done.expires_at > now());
  CHECK(buffer.c_str() == signer.token().value());
}

void presigning() {
  const rdstoken::credentials keys("AKIDEXAMPLE", secret);
  rdstoken::presign_options options;
  options.hostname = hostname;
  options.port = 5432;
  options.username = "app";
  options.credentials = &keys;
  options.signing_time = rdstoken::time_point(1767225600s);
  const rdstoken::token token = rdstoken::presign(options);
  CHECK(token.value().find("X-Amz-Date=20260101T000000Z&X-Amz-Expires=900") != std::string_view::npos);
  CHECK(token.expires_at() == options.signing_time + 900s);
  options.expires_in = 60s;
  CHECK(rdstoken::presign(options).expires_at() == options.signing_time + 60s);
  options.region = "eu-central-1";
  CHECK(rdstoken::presign(options).value().find("eu-central-1") != std::string_view::npos);

  options.region.reset();
  options.hostname = "db.example.com";
  const rdstoken::error failure = failure_of([&] { rdstoken::presign(options); });
  CHECK(failure.status() == RDSTOKEN_STATUS_REGION_NOT_FOUND && failure.field().empty());
  options.hostname = hostname;
  options.credentials = nullptr;
  check_refused("credentials", [&] { rdstoken::presign(options); });
  check_moved_from_credentials([&](const rdstoken::credentials &who) {
    options.credentials = &who;
    rdstoken::presign(options);
  });
}

void options_are_passed_on() {
  rdstoken::signer_options options = basic_options();
  options.region = "eu-central-1";
  options.expires_in = 600s;
  options.min_validity = 0s; /* and not the default of 60 */
  options.align = 300s;
  options.advisory_window = 0s;
  options.mandatory_window = 0s;
  options.timeout = 250ms;
  options.cache = false;
  options.warn_hostname = false;
  const rdstoken::signer signer = new_signer(options);
  CHECK(signer.token().value().find("%2Feu-central-1%2F") != std::string_view::npos);
  CHECK(signer.token().value().find("X-Amz-Expires=600") != std::string_view::npos);
  CHECK(signer.stats().tokens_signed == 2); /* no cache */

  options.credentials = nullptr;
  options.profile = "nobody";
  options.role_arn = "arn:aws:iam::123456789012:role/app";
  options.role_session_name = "nightly";
  options.external_id = "x-1";
  const rdstoken::error failure = failure_of([&] { rdstoken::signer(options).token(); });
  CHECK(failure.status() == RDSTOKEN_STATUS_CREDENTIALS_NOT_FOUND ||
        failure.status() == RDSTOKEN_STATUS_CREDENTIALS_FAILED);
}

template <typename Set>
void check_option(const char *field, Set set) {
  rdstoken::signer_options options = basic_options();
  set(options);
  check_refused(field, [&] { rdstoken::signer signer(options); });
}

void options_are_checked() {
  using options = rdstoken::signer_options;
  check_option("hostname", [](options &o) { o.hostname.clear(); });
  check_option("hostname", [](options &o) { o.hostname += std::string("\0.example", 9); });
  check_option("port", [](options &o) { o.port = 0; });
  check_option("username", [](options &o) { o.username = std::string("app\0x", 5); });
  check_option("region", [](options &o) { o.region = std::string("us-east-1\0", 10); });
  check_option("profile", [](options &o) { o.profile = ""; });
  check_option("expires_in", [](options &o) { o.expires_in = 0s; });
  check_option("expires_in", [](options &o) { o.expires_in = -1s; });
  check_option("expires_in", [](options &o) { o.expires_in = 901s; });
  check_option("expires_in", [](options &o) { o.expires_in = std::chrono::seconds::max(); });
  check_option("timeout", [](options &o) { o.timeout = 0ms; });
  check_option("min_validity", [](options &o) { o.min_validity = 4294967295s; });
  check_option("align", [](options &o) { o.align = 601s; });
  check_option("advisory_window", [](options &o) { o.advisory_window = 13h; });
  check_option("mandatory_window", [](options &o) { o.mandatory_window = 301s; });
  check_option("role_arn", [](options &o) { o.role_arn = "app"; });
  check_option("role_session_name", [](options &o) { o.role_session_name = "x"; });
  check_option("external_id", [](options &o) { o.external_id = "x-1"; });

  check_moved_from_credentials([](const rdstoken::credentials &who) {
    rdstoken::signer_options given = basic_options();
    given.credentials = &who;
    rdstoken::signer signer(given);
  });

  check_refused("access_key_id", [] { rdstoken::credentials("", secret); });
  check_refused("secret_access_key", [] { rdstoken::credentials("AKID", std::string("a\0b", 3)); });
  check_refused("session_token", [] { rdstoken::credentials("AKID", secret, "a b"); });
}

void callbacks() {
  auto alive = std::make_shared<int>(0);
  std::atomic<int> calls{0};
  {
    rdstoken::signer_options options = basic_options();
    options.credentials_callback = [alive, &calls] {
      calls++;
      return rdstoken::credentials("AKIDCALLBACK", secret, "session", now() + 3600s);
    };
    const rdstoken::signer signer(options);
    options.credentials_callback = nullptr; /* the signer has its own */
    CHECK(signer.token().value().find("AKIDCALLBACK") != std::string_view::npos);
    signer.token();
    CHECK(calls == 1 && alive.use_count() == 2);
    signer.invalidate_credentials();
    signer.token();
    CHECK(calls == 2 && signer.stats().renewals == 2);
  }
  CHECK(alive.use_count() == 1); /* gone with the signer */

  /* One that has moved its credentials elsewhere gives none. */
  rdstoken::signer_options careless = basic_options();
  careless.credentials_callback = [] {
    rdstoken::credentials keys("AKIDCALLBACK", secret);
    const rdstoken::credentials elsewhere = std::move(keys);
    return keys;
  };
  CHECK(failure_of([&] { rdstoken::signer(careless).token(); }).status() ==
        RDSTOKEN_STATUS_CREDENTIALS_FAILED);

  /* A signer that is not made takes nothing over. */
  check_option("port", [alive](rdstoken::signer_options &options) {
    options.port = 0;
    options.credentials_callback = [alive]() -> rdstoken::credentials { throw *alive; };
  });
  CHECK(alive.use_count() == 1);
}

/* Whatever a callback throws, it is a status for the caller, and no text of it is kept. */
template <typename Thrown>
void check_thrown(const Thrown &thrown, rdstoken_status expected) {
  rdstoken::signer_options options = basic_options();
  options.credentials_callback = [&thrown]() -> rdstoken::credentials { throw thrown; };
  const rdstoken::signer signer(options);
  const rdstoken::error failure = failure_of([&] { signer.token(); });
  CHECK(failure.status() == expected);
  CHECK(std::strstr(failure.what(), "hidden") == nullptr);
}

void throwing_callbacks() {
  using rdstoken::error;
  check_thrown(error(RDSTOKEN_STATUS_CREDENTIALS_NOT_FOUND, "hidden"),
               RDSTOKEN_STATUS_CREDENTIALS_NOT_FOUND);
  check_thrown(error(RDSTOKEN_STATUS_CREDENTIALS_EXPIRED), RDSTOKEN_STATUS_CREDENTIALS_EXPIRED);
  check_thrown(error(RDSTOKEN_STATUS_TIMEOUT), RDSTOKEN_STATUS_TIMEOUT);
  check_thrown(error(RDSTOKEN_STATUS_OK), RDSTOKEN_STATUS_CREDENTIALS_FAILED);
  check_thrown(std::runtime_error("hidden"), RDSTOKEN_STATUS_CREDENTIALS_FAILED);
  check_thrown(42, RDSTOKEN_STATUS_CREDENTIALS_FAILED);
}

void refused_logins() {
  const rdstoken::signer signer = new_signer();
  const rdstoken::token fresh = signer.token();
  CHECK(!signer.refused(fresh));
  std::this_thread::sleep_for(std::chrono::seconds(1)); /* the next one shall differ */
  const rdstoken::token reused = signer.token();
  CHECK(signer.refused(std::string(reused.value())));
  CHECK(signer.stats().tokens_signed == 1);
  signer.token();
  CHECK(signer.stats().tokens_signed == 2); /* the refused one is forgotten */
  signer.invalidate();
  signer.token();
  CHECK(signer.stats().tokens_signed == 3);
  CHECK(!signer.refused("a password of somebody else's"));
  check_refused("token", [&] { signer.refused(std::string("a\0b", 3)); });
}

void connection_strings() {
  const rdstoken::signer signer = new_signer();
  rdstoken::connection_options options;
  options.driver = "libpq";
  options.form = "conninfo";
  options.database = "postgres";
  options.ca_file = "/tmp/ca.crt";
  options.hostaddr = "127.0.0.1";
  const rdstoken::connection_string conninfo = signer.connection_string(options);
  CHECK(conninfo.length() == std::strlen(conninfo.c_str()));
  for (const char *part : {hostname, "verify-full", "/tmp/ca.crt", "127.0.0.1", "postgres"})
    CHECK(conninfo.value().find(part) != std::string_view::npos);
  CHECK(conninfo.value().find(signer.token().value()) != std::string_view::npos);

  rdstoken::connection_options odbc;
  odbc.driver = "psqlodbc";
  odbc.odbc_driver = "mine.so";
  CHECK(signer.connection_string(odbc).value().find("mine.so") != std::string_view::npos);
  odbc.driver = "nobody's";
  check_refused("driver", [&] { signer.connection_string(odbc); });
  odbc.driver = std::string("libpq\0", 6);
  check_refused("driver", [&] { signer.connection_string(odbc); });
}

void lengths() {
  const rdstoken::token token = new_signer().token();
  rdstoken::check_length("libpq", "conninfo", token);
  CHECK(failure_of([&] { rdstoken::check_length("mariadb-cli", "prompt", token); }).status() ==
        RDSTOKEN_STATUS_DRIVER_LIMIT);
  rdstoken::check_length("mariadb-cli", "prompt", std::string(79, 'x'));
  check_refused("form", [&] { rdstoken::check_length("libpq", "", std::string()); });
}

void logging() {
  std::atomic<int> records{0}, others{0};
  rdstoken::set_log_callback(
      [&records](rdstoken_log_level level, std::string_view message) {
        records += level == RDSTOKEN_LOG_DEBUG && !message.empty();
        throw std::runtime_error("passed over");
      },
      RDSTOKEN_LOG_DEBUG);
  new_signer().token();
  CHECK(records == 1);
  rdstoken::set_log_callback([&others](auto, auto) { others++; }, RDSTOKEN_LOG_DEBUG);
  new_signer().token();
  CHECK(records == 1 && others == 1);
  rdstoken::set_log_callback(nullptr, RDSTOKEN_LOG_DEBUG);
  new_signer().token();
  CHECK(records == 1 && others == 1);
}

void threads() {
  const rdstoken::signer signer = new_signer();
  std::vector<std::thread> all;
  for (int i = 0; i < 4; i++)
    all.emplace_back([&signer] {
      for (int call = 0; call < 100; call++) CHECK(signer.token().length() > 300);
    });
  for (std::thread &one : all) one.join();
  CHECK(signer.stats().tokens_signed == 1);
}

void names() {
  CHECK(rdstoken::version() == RDSTOKEN_VERSION);
  CHECK(rdstoken::status_name(RDSTOKEN_STATUS_TIMEOUT) == "RDSTOKEN_STATUS_TIMEOUT");
}

}  // namespace

int main() {
  if (std::getenv("RDSTOKEN_TEST_GUARD") == nullptr) {
    std::fputs("run this through tests/guard.sh, as `make test` does\n", stderr);
    return 2;
  }
  what_moves();
  tokens();
  buffers();
  presigning();
  options_are_passed_on();
  options_are_checked();
  callbacks();
  throwing_callbacks();
  refused_logins();
  connection_strings();
  lengths();
  logging();
  threads();
  names();
}
