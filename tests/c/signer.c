/* The signer's lifetimes through the C interface: reuse, callbacks, statistics, log. */
#include <pthread.h>
#include <time.h>
#include <unistd.h>

#include "support.h"

/* --- a source of credentials that does as it is told --- */

struct source {
  int calls;
  int destroyed;
  rdstoken_status answer;
  int gives_nothing;
  int64_t life_seconds; /* 0: no expiry */
  unsigned sleep_milliseconds;
};

static void sleep_milliseconds(unsigned milliseconds) {
  struct timespec time = {milliseconds / 1000, (long)(milliseconds % 1000) * 1000000L};
  nanosleep(&time, NULL);
}

static int32_t fetch(void *user_data, rdstoken_credentials **credentials) {
  struct source *source = user_data;
  source->calls++;
  sleep_milliseconds(source->sleep_milliseconds);
  if (source->answer != RDSTOKEN_STATUS_OK || source->gives_nothing) return source->answer;
  char id[32];
  snprintf(id, sizeof id, "AKID%d", source->calls);
  if (source->life_seconds == 0) {
    return rdstoken_credentials_new_static(id, SECRET, NULL, credentials, NULL);
  }
  return rdstoken_credentials_new_temporary(
      id, SECRET, NULL, (int64_t)time(NULL) + source->life_seconds, credentials, NULL);
}

static void destroy(void *user_data) {
  ((struct source *)user_data)->destroyed++;
}

static rdstoken_signer_options callback_options(struct source *source) {
  rdstoken_signer_options options = signer_options(NULL);
  options.credentials_callback = fetch;
  options.credentials_user_data = source;
  options.credentials_destroy = destroy;
  return options;
}

static rdstoken_signer *signer_of(const rdstoken_signer_options *options) {
  rdstoken_signer *signer = NULL;
  rdstoken_error *error = NULL;
  if (rdstoken_signer_new(options, &signer, &error) != RDSTOKEN_STATUS_OK) {
    fail_msg("%s", rdstoken_error_message(error));
  }
  return signer;
}

static rdstoken_token *token_of(rdstoken_signer *signer) {
  rdstoken_token *token = NULL;
  rdstoken_error *error = NULL;
  if (rdstoken_signer_token(signer, &token, &error) != RDSTOKEN_STATUS_OK) {
    fail_msg("%s", rdstoken_error_message(error));
  }
  return token;
}

static int is_signed_by(const rdstoken_token *token, const char *access_key_id) {
  char text[64];
  snprintf(text, sizeof text, "X-Amz-Credential=%s%%2F", access_key_id);
  return strstr(rdstoken_token_value(token), text) != NULL;
}

static void assert_signed_by(rdstoken_signer *signer, const char *access_key_id) {
  rdstoken_token *token = token_of(signer);
  assert_true(is_signed_by(token, access_key_id));
  rdstoken_token_free(token);
}

static rdstoken_stats stats_of(rdstoken_signer *signer) {
  rdstoken_stats stats = {0};
  stats.struct_size = sizeof stats;
  assert_int_equal(rdstoken_signer_stats(signer, &stats, NULL), RDSTOKEN_STATUS_OK);
  assert_int_equal(stats.struct_size, sizeof stats);
  return stats;
}

/* --- tests --- */

static void the_same_token_is_given_out_again(void **state) {
  (void)state;
  rdstoken_signer *signer = new_signer(NULL);
  rdstoken_token *first = token_of(signer);
  rdstoken_token *second = token_of(signer);
  /* The same text in the same place: nothing was copied. */
  assert_ptr_equal(rdstoken_token_value(first), rdstoken_token_value(second));
  rdstoken_token_free(first);
  assert_true(strlen(rdstoken_token_value(second)) > 300);

  rdstoken_stats stats = stats_of(signer);
  assert_int_equal(stats.tokens_signed, 1);
  assert_int_equal(stats.tokens_reused, 1);
  assert_int_equal(stats.expires_at, rdstoken_token_expires_at(second));
  assert_int_equal(stats.last_error, RDSTOKEN_STATUS_OK);
  rdstoken_token_free(second);
  rdstoken_signer_free(signer);
}

static void without_the_cache_each_call_signs(void **state) {
  (void)state;
  rdstoken_credentials *credentials = new_credentials(NULL);
  rdstoken_signer_options options = signer_options(credentials);
  options.no_cache = 1;
  rdstoken_signer *signer = signer_of(&options);
  for (int i = 0; i < 3; i++) rdstoken_token_free(token_of(signer));
  assert_int_equal(stats_of(signer).tokens_signed, 3);
  assert_int_equal(stats_of(signer).tokens_reused, 0);
  rdstoken_signer_free(signer);
  rdstoken_credentials_free(credentials);
}

static void a_callback_gives_credentials(void **state) {
  (void)state;
  struct source source = {0};
  rdstoken_signer_options options = callback_options(&source);
  rdstoken_signer *signer = signer_of(&options);
  assert_int_equal(source.calls, 0);
  assert_signed_by(signer, "AKID1");
  assert_signed_by(signer, "AKID1");
  assert_int_equal(source.calls, 1);

  rdstoken_signer_invalidate(signer);
  assert_signed_by(signer, "AKID1");
  assert_int_equal(stats_of(signer).tokens_signed, 2);
  rdstoken_signer_invalidate_credentials(signer);
  assert_signed_by(signer, "AKID2");
  assert_int_equal(stats_of(signer).renewals, 2);

  assert_int_equal(source.destroyed, 0);
  rdstoken_signer_free(signer);
  assert_int_equal(source.destroyed, 1);
}

static void the_data_stays_the_callers_if_there_is_no_signer(void **state) {
  (void)state;
  struct source source = {0};
  rdstoken_signer_options options = callback_options(&source);
  options.port = 0;
  rdstoken_signer *signer = NULL;
  assert_int_equal(rdstoken_signer_new(&options, &signer, NULL), RDSTOKEN_STATUS_INVALID_ARGUMENT);
  assert_int_equal(source.destroyed, 0);
}

static void temporary_credentials_bound_the_token(void **state) {
  (void)state;
  struct source source = {0};
  source.life_seconds = 100;
  rdstoken_signer_options options = callback_options(&source);
  options.advisory_window_seconds = 10;
  options.mandatory_window_seconds = RDSTOKEN_ZERO_SECONDS;
  rdstoken_signer *signer = signer_of(&options);
  rdstoken_token *token = token_of(signer);
  int64_t left = rdstoken_token_expires_at(token) - (int64_t)time(NULL);
  assert_in_range(left, 98, 100);
  rdstoken_token_free(token);
  rdstoken_signer_free(signer);
}

static void assert_callback_fails(struct source *source, rdstoken_status expected) {
  rdstoken_signer_options options = callback_options(source);
  rdstoken_signer *signer = signer_of(&options);
  rdstoken_token *token = NULL;
  rdstoken_error *error = NULL;
  rdstoken_status status = rdstoken_signer_token(signer, &token, &error);
  assert_null(token);
  assert_failed(status, error, expected, NULL);
  assert_int_equal(stats_of(signer).failures, 1);
  assert_int_equal(stats_of(signer).last_error, expected);
  rdstoken_signer_free(signer);
}

static void callbacks_that_fail(void **state) {
  (void)state;
  struct source source = {0};
  source.answer = RDSTOKEN_STATUS_CREDENTIALS_NOT_FOUND;
  assert_callback_fails(&source, RDSTOKEN_STATUS_CREDENTIALS_NOT_FOUND);
  source.answer = RDSTOKEN_STATUS_TIMEOUT;
  assert_callback_fails(&source, RDSTOKEN_STATUS_TIMEOUT);
  source.answer = RDSTOKEN_STATUS_INVALID_ARGUMENT; /* whose argument? not our caller's */
  assert_callback_fails(&source, RDSTOKEN_STATUS_CREDENTIALS_FAILED);
  source.answer = 4711;
  assert_callback_fails(&source, RDSTOKEN_STATUS_CREDENTIALS_FAILED);
  source.answer = RDSTOKEN_STATUS_OK;
  source.gives_nothing = 1;
  assert_callback_fails(&source, RDSTOKEN_STATUS_CREDENTIALS_FAILED);
}

static void a_callback_that_takes_too_long(void **state) {
  (void)state;
  static struct source source; /* outlives the test: the callback comes back after it */
  source.sleep_milliseconds = 1500;
  rdstoken_signer_options options = callback_options(&source);
  options.timeout_milliseconds = 100;
  rdstoken_signer *signer = signer_of(&options);
  struct timespec before, after;
  clock_gettime(CLOCK_MONOTONIC, &before);
  rdstoken_token *token = NULL;
  rdstoken_error *error = NULL;
  rdstoken_status status = rdstoken_signer_token(signer, &token, &error);
  clock_gettime(CLOCK_MONOTONIC, &after);
  assert_failed(status, error, RDSTOKEN_STATUS_TIMEOUT, NULL);
  double took = difftime(after.tv_sec, before.tv_sec) + (double)(after.tv_nsec - before.tv_nsec) / 1e9;
  assert_true(took < 1.0);
  rdstoken_signer_free(signer);
  /* The data is destroyed when the callback has come back, not before. */
  assert_int_equal(source.destroyed, 0);
  for (int i = 0; i < 100 && !source.destroyed; i++) sleep_milliseconds(50);
  assert_int_equal(source.destroyed, 1);
}

static void new_options_are_checked(void **state) {
  (void)state;
  struct source source = {0};
  static const char *const arn = "arn:aws:iam::123456789012:role/app";
#define REFUSED(change, field)                                                     \
  do {                                                                             \
    rdstoken_signer_options options = callback_options(&source);                   \
    rdstoken_signer *signer = NULL;                                                \
    rdstoken_error *error = NULL;                                                  \
    change;                                                                        \
    rdstoken_status status = rdstoken_signer_new(&options, &signer, &error);       \
    assert_null(signer);                                                           \
    assert_failed(status, error, RDSTOKEN_STATUS_INVALID_ARGUMENT, field);         \
  } while (0)
  REFUSED(options.profile = "dev", "profile");
  REFUSED(options.role_arn = "app", "role_arn");
  REFUSED(options.role_arn = "\xff", "role_arn");
  REFUSED((options.role_arn = arn, options.role_session_name = "?"), "role_session_name");
  REFUSED((options.role_arn = arn, options.external_id = "?"), "external_id");
  REFUSED(options.external_id = "id", "external_id");
  REFUSED(options.min_validity_seconds = 900, "min_validity_seconds");
  REFUSED(options.align_seconds = 601, "align_seconds");
  REFUSED((options.align_seconds = 600, options.min_validity_seconds = 301), "align_seconds");
  REFUSED(options.advisory_window_seconds = 43201, "advisory_window_seconds");
  REFUSED(options.mandatory_window_seconds = 301, "mandatory_window_seconds");
  REFUSED(options.advisory_window_seconds = RDSTOKEN_ZERO_SECONDS, "mandatory_window_seconds");
  assert_int_equal(source.destroyed, 0);

  rdstoken_credentials *credentials = new_credentials(NULL);
  REFUSED(options.credentials = credentials, "credentials");
  rdstoken_credentials_free(credentials);

  credentials = (rdstoken_credentials *)(uintptr_t)1;
  rdstoken_error *error = NULL;
  rdstoken_status status =
      rdstoken_credentials_new_temporary("A", SECRET, NULL, INT64_MIN, &credentials, &error);
  if (status == RDSTOKEN_STATUS_OK) {
    rdstoken_credentials_free(credentials); /* long expired, as a signer will say */
  } else {
    assert_failed(status, error, RDSTOKEN_STATUS_INVALID_ARGUMENT, "expires_at");
  }
}

static void statistics_arguments(void **state) {
  (void)state;
  rdstoken_signer *signer = new_signer(NULL);
  rdstoken_stats stats = {0};
  rdstoken_error *error = NULL;
  rdstoken_status status = rdstoken_signer_stats(signer, &stats, &error);
  assert_failed(status, error, RDSTOKEN_STATUS_INVALID_ARGUMENT, "struct_size");
  status = rdstoken_signer_stats(signer, NULL, &error);
  assert_failed(status, error, RDSTOKEN_STATUS_INVALID_ARGUMENT, "stats");
  stats.struct_size = sizeof stats;
  status = rdstoken_signer_stats(NULL, &stats, &error);
  assert_failed(status, error, RDSTOKEN_STATUS_INVALID_ARGUMENT, "signer");

  /* A caller with a longer struct keeps what this library does not know. */
  struct {
    rdstoken_stats known;
    uint64_t added;
  } newer = {{0}, 4711};
  newer.known.struct_size = sizeof newer;
  rdstoken_token_free(token_of(signer));
  assert_int_equal(rdstoken_signer_stats(signer, &newer.known, NULL), RDSTOKEN_STATUS_OK);
  assert_int_equal(newer.known.tokens_signed, 1);
  assert_int_equal(newer.added, 4711);
  assert_int_equal(newer.known.struct_size, sizeof newer);

  rdstoken_signer_invalidate(NULL);
  rdstoken_signer_invalidate_credentials(NULL);
  rdstoken_signer_free(signer);
}

/* --- log --- */

struct book {
  pthread_mutex_t lock;
  int count[5];
  char text[65536];
};

static void write_down(void *user_data, int32_t level, const char *message) {
  struct book *book = user_data;
  pthread_mutex_lock(&book->lock);
  assert_in_range(level, RDSTOKEN_LOG_ERROR, RDSTOKEN_LOG_DEBUG);
  book->count[level]++;
  strncat(book->text, message, sizeof book->text - strlen(book->text) - 2);
  strcat(book->text, "\n");
  pthread_mutex_unlock(&book->lock);
}

static void the_log(void **state) {
  (void)state;
  static struct book book = {PTHREAD_MUTEX_INITIALIZER, {0}, ""};
  rdstoken_log_set_callback(write_down, &book, RDSTOKEN_LOG_DEBUG);

  struct source source = {0};
  rdstoken_signer_options options = callback_options(&source);
  options.hostname = "db.example.com";
  options.region = "us-east-1";
  rdstoken_signer *signer = signer_of(&options);
  rdstoken_token *token = token_of(signer);
  rdstoken_signer_invalidate(signer);
  rdstoken_token_free(token_of(signer));
  assert_int_equal(book.count[RDSTOKEN_LOG_WARN], 1); /* once, not at each token */
  assert_non_null(strstr(book.text, "db.example.com is not an RDS endpoint's name"));
  assert_true(book.count[RDSTOKEN_LOG_DEBUG] >= 2);

  source.answer = RDSTOKEN_STATUS_TIMEOUT;
  rdstoken_signer_invalidate_credentials(signer);
  assert_int_equal(rdstoken_signer_token(signer, &(rdstoken_token *){NULL}, NULL),
                   RDSTOKEN_STATUS_TIMEOUT);
  assert_int_equal(book.count[RDSTOKEN_LOG_WARN], 1); /* the caller was told */
  assert_null(strstr(book.text, SECRET));
  assert_null(strstr(book.text, strstr(rdstoken_token_value(token), "X-Amz-Signature=")));
  rdstoken_token_free(token);
  rdstoken_signer_free(signer);

  /* Only what is as grave as asked for; and the warning can be switched off. */
  memset(book.count, 0, sizeof book.count);
  rdstoken_log_set_callback(write_down, &book, RDSTOKEN_LOG_WARN);
  source.answer = RDSTOKEN_STATUS_OK;
  options.no_hostname_warning = 1;
  signer = signer_of(&options);
  rdstoken_token_free(token_of(signer));
  rdstoken_signer_free(signer);
  assert_int_equal(book.count[RDSTOKEN_LOG_DEBUG], 0);
  assert_int_equal(book.count[RDSTOKEN_LOG_WARN], 0);

  rdstoken_log_set_callback(NULL, NULL, RDSTOKEN_LOG_DEBUG);
  signer = signer_of(&options);
  rdstoken_token_free(token_of(signer));
  rdstoken_signer_free(signer);
  assert_int_equal(book.count[RDSTOKEN_LOG_DEBUG], 0);
}

int main(void) {
  require_guard();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_same_token_is_given_out_again),
      cmocka_unit_test(without_the_cache_each_call_signs),
      cmocka_unit_test(a_callback_gives_credentials),
      cmocka_unit_test(the_data_stays_the_callers_if_there_is_no_signer),
      cmocka_unit_test(temporary_credentials_bound_the_token),
      cmocka_unit_test(callbacks_that_fail),
      cmocka_unit_test(a_callback_that_takes_too_long),
      cmocka_unit_test(new_options_are_checked),
      cmocka_unit_test(statistics_arguments),
      cmocka_unit_test(the_log),
  };
  return cmocka_run_group_tests_name("signer", tests, NULL, NULL);
}
