/* Bad input through the C interface: a status that names the argument, never a crash. */
#include "support.h"

#define NOT_UTF8 "a\xff\xfe"

static rdstoken_credentials *credentials;

static void assert_credentials_refused(const char *id, const char *secret, const char *token,
                                       const char *field) {
  rdstoken_credentials *made = (rdstoken_credentials *)(uintptr_t)1;
  rdstoken_error *error = NULL;
  rdstoken_status status = rdstoken_credentials_new_static(id, secret, token, &made, &error);
  assert_null(made);
  assert_failed(status, error, RDSTOKEN_STATUS_INVALID_ARGUMENT, field);
}

static void credentials_arguments(void **state) {
  (void)state;
  assert_credentials_refused(NULL, SECRET, NULL, "access_key_id");
  assert_credentials_refused("", SECRET, NULL, "access_key_id");
  assert_credentials_refused(NOT_UTF8, SECRET, NULL, "access_key_id");
  assert_credentials_refused("AKID", NULL, NULL, "secret_access_key");
  assert_credentials_refused("AKID", "", NULL, "secret_access_key");
  assert_credentials_refused("AKID", NOT_UTF8, NULL, "secret_access_key");
  assert_credentials_refused("AKID", SECRET, NOT_UTF8, "session_token");
  assert_credentials_refused("AKID", SECRET, "two words", "session_token");

  rdstoken_error *error = NULL;
  rdstoken_status status = rdstoken_credentials_new_static("AKID", SECRET, NULL, NULL, &error);
  assert_failed(status, error, RDSTOKEN_STATUS_INVALID_ARGUMENT, "credentials");
  assert_int_equal(rdstoken_credentials_new_static(NULL, NULL, NULL, NULL, NULL),
                   RDSTOKEN_STATUS_INVALID_ARGUMENT);
  rdstoken_credentials_free(NULL);
}

static void assert_signer_refused(const rdstoken_signer_options *options, const char *field) {
  rdstoken_signer *signer = (rdstoken_signer *)(uintptr_t)1;
  rdstoken_error *error = NULL;
  rdstoken_status status = rdstoken_signer_new(options, &signer, &error);
  assert_null(signer);
  assert_failed(status, error, RDSTOKEN_STATUS_INVALID_ARGUMENT, field);
  assert_int_equal(rdstoken_signer_new(options, &signer, NULL), RDSTOKEN_STATUS_INVALID_ARGUMENT);
}

#define SIGNER_REFUSED(change, field)                              \
  do {                                                             \
    rdstoken_signer_options options = signer_options(credentials); \
    options.change;                                                \
    assert_signer_refused(&options, field);                        \
  } while (0)

static void signer_arguments(void **state) {
  (void)state;
  assert_signer_refused(NULL, "options");
  SIGNER_REFUSED(hostname = NULL, "hostname");
  SIGNER_REFUSED(hostname = "", "hostname");
  SIGNER_REFUSED(hostname = NOT_UTF8, "hostname");
  SIGNER_REFUSED(port = 0, "port");
  SIGNER_REFUSED(username = NULL, "username");
  SIGNER_REFUSED(username = "", "username");
  SIGNER_REFUSED(username = NOT_UTF8, "username");
  SIGNER_REFUSED(region = "", "region");
  SIGNER_REFUSED(region = "us-east-1a", "region");
  SIGNER_REFUSED(region = NOT_UTF8, "region");
  SIGNER_REFUSED(profile = "dev", "profile"); /* credentials are given too */
  SIGNER_REFUSED(profile = NOT_UTF8, "profile");
  SIGNER_REFUSED(expires_in_seconds = 901, "expires_in_seconds");
  SIGNER_REFUSED(expires_in_seconds = UINT32_MAX, "expires_in_seconds");
  SIGNER_REFUSED(timeout_milliseconds = 3600001, "timeout_milliseconds");
  SIGNER_REFUSED(timeout_milliseconds = UINT32_MAX, "timeout_milliseconds");

  rdstoken_signer_options options = signer_options(credentials);
  rdstoken_error *error = NULL;
  rdstoken_status status = rdstoken_signer_new(&options, NULL, &error);
  assert_failed(status, error, RDSTOKEN_STATUS_INVALID_ARGUMENT, "signer");
  rdstoken_signer_free(NULL);
}

static void struct_sizes(void **state) {
  (void)state;
  const size_t absurd[] = {0,    1,    8,
                           offsetof(rdstoken_signer_options, region) - 8,
                           sizeof(rdstoken_signer_options) - 1,
                           4104, SIZE_MAX};
  for (size_t i = 0; i < sizeof absurd / sizeof *absurd; i++) {
    SIGNER_REFUSED(struct_size = absurd[i], "struct_size");
  }

  /* A caller compiled when the optional fields did not exist yet: they are not read. */
  rdstoken_signer_options older = signer_options(credentials);
  older.struct_size = offsetof(rdstoken_signer_options, region);
  older.region = (const char *)(uintptr_t)1;
  rdstoken_signer *signer = NULL;
  assert_int_equal(rdstoken_signer_new(&older, &signer, NULL), RDSTOKEN_STATUS_OK);
  rdstoken_signer_free(signer);

  /* A caller compiled with a field that this library does not have. */
  struct {
    rdstoken_signer_options known;
    uint64_t added;
  } newer = {signer_options(credentials), 0};
  newer.known.struct_size = sizeof newer;
  assert_int_equal(rdstoken_signer_new(&newer.known, &signer, NULL), RDSTOKEN_STATUS_OK);
  rdstoken_signer_free(signer);
  newer.added = 1;
  assert_signer_refused(&newer.known, "struct_size");
}

static void assert_presign_refused(const rdstoken_presign_options *options, const char *field) {
  rdstoken_token *token = (rdstoken_token *)(uintptr_t)1;
  rdstoken_error *error = NULL;
  rdstoken_status status = rdstoken_presign(options, &token, &error);
  assert_null(token);
  assert_failed(status, error, RDSTOKEN_STATUS_INVALID_ARGUMENT, field);
}

#define PRESIGN_REFUSED(change, field)                               \
  do {                                                               \
    rdstoken_presign_options options = presign_options(credentials); \
    options.change;                                                  \
    assert_presign_refused(&options, field);                         \
  } while (0)

static void presign_arguments(void **state) {
  (void)state;
  assert_presign_refused(NULL, "options");
  PRESIGN_REFUSED(struct_size = 0, "struct_size");
  PRESIGN_REFUSED(struct_size = 4104, "struct_size");
  PRESIGN_REFUSED(hostname = NULL, "hostname");
  PRESIGN_REFUSED(hostname = NOT_UTF8, "hostname");
  PRESIGN_REFUSED(port = 0, "port");
  PRESIGN_REFUSED(username = NULL, "username");
  PRESIGN_REFUSED(username = NOT_UTF8, "username");
  PRESIGN_REFUSED(region = NOT_UTF8, "region");
  PRESIGN_REFUSED(region = "nowhere", "region");
  PRESIGN_REFUSED(credentials = NULL, "credentials");
  PRESIGN_REFUSED(signing_time = -1, "signing_time");
  PRESIGN_REFUSED(signing_time = INT64_MIN, "signing_time");
  PRESIGN_REFUSED(signing_time = INT64_MAX, "signing_time");
  PRESIGN_REFUSED(signing_time = INT64_C(253402300800), "signing_time");
  PRESIGN_REFUSED(expires_in_seconds = 901, "expires_in_seconds");

  rdstoken_presign_options options = presign_options(credentials);
  rdstoken_error *error = NULL;
  rdstoken_status status = rdstoken_presign(&options, NULL, &error);
  assert_failed(status, error, RDSTOKEN_STATUS_INVALID_ARGUMENT, "token");

  options.hostname = "db.example.com";
  rdstoken_token *token = NULL;
  status = rdstoken_presign(&options, &token, &error);
  assert_failed(status, error, RDSTOKEN_STATUS_REGION_NOT_FOUND, NULL);
}

static void null_handles(void **state) {
  (void)state;
  rdstoken_token *token = (rdstoken_token *)(uintptr_t)1;
  rdstoken_error *error = NULL;
  rdstoken_status status = rdstoken_signer_token(NULL, &token, &error);
  assert_null(token);
  assert_failed(status, error, RDSTOKEN_STATUS_INVALID_ARGUMENT, "signer");

  rdstoken_signer *signer = new_signer(NULL);
  status = rdstoken_signer_token(signer, NULL, &error);
  assert_failed(status, error, RDSTOKEN_STATUS_INVALID_ARGUMENT, "token");

  size_t needed = 7;
  int64_t expires_at = 7;
  char buffer[8];
  status = rdstoken_signer_copy_token(NULL, buffer, sizeof buffer, &needed, &expires_at, &error);
  assert_failed(status, error, RDSTOKEN_STATUS_INVALID_ARGUMENT, "signer");
  assert_int_equal(needed, 0);
  assert_int_equal(expires_at, 0);
  status = rdstoken_signer_copy_token(signer, NULL, 8, NULL, NULL, &error);
  assert_failed(status, error, RDSTOKEN_STATUS_INVALID_ARGUMENT, "buffer");
  rdstoken_signer_free(signer);

  assert_null(rdstoken_token_value(NULL));
  assert_int_equal(rdstoken_token_length(NULL), 0);
  assert_int_equal(rdstoken_token_expires_at(NULL), 0);
  rdstoken_token_free(NULL);
}

/* Outputs are NULL after an error, so the obvious clean-up is safe, and so is another try. */
static void a_failed_call_can_be_cleaned_up_and_repeated(void **state) {
  (void)state;
  rdstoken_signer_options options = signer_options(credentials);
  options.port = 0;
  rdstoken_signer *signer = NULL;
  rdstoken_error *error = NULL;
  assert_int_equal(rdstoken_signer_new(&options, &signer, &error),
                   RDSTOKEN_STATUS_INVALID_ARGUMENT);
  rdstoken_signer_free(signer);
  rdstoken_token *token = NULL;
  rdstoken_error *second = NULL;
  assert_int_equal(rdstoken_signer_token(signer, &token, &second),
                   RDSTOKEN_STATUS_INVALID_ARGUMENT);
  rdstoken_token_free(token);
  rdstoken_error_free(second);
  rdstoken_error_free(error);
  options.port = 5432;
  assert_int_equal(rdstoken_signer_new(&options, &signer, &error), RDSTOKEN_STATUS_OK);
  assert_null(error);
  rdstoken_signer_free(signer);
}

static void unknown_status_numbers_have_a_name(void **state) {
  (void)state;
  assert_string_equal(rdstoken_status_name(-1), "unknown status");
  assert_string_equal(rdstoken_status_name(INT32_MAX), "unknown status");
}

static int set_up(void **state) {
  (void)state;
  credentials = new_credentials(NULL);
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  rdstoken_credentials_free(credentials);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(credentials_arguments),
      cmocka_unit_test(signer_arguments),
      cmocka_unit_test(struct_sizes),
      cmocka_unit_test(presign_arguments),
      cmocka_unit_test(null_handles),
      cmocka_unit_test(a_failed_call_can_be_cleaned_up_and_repeated),
      cmocka_unit_test(unknown_status_numbers_have_a_name),
  };
  return cmocka_run_group_tests_name("arguments", tests, set_up, tear_down);
}
