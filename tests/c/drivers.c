/* Connection strings, limits, and the one retry, through the C interface. What the strings hold is
 * core's, and tested there. */
#include <unistd.h>

#include "support.h"

/* The arguments of a call may be evaluated in any order. */
#define ASSERT_FAILED(call, expected, field)        \
  do {                                              \
    rdstoken_error *error = NULL;                   \
    rdstoken_status status = call;                  \
    assert_failed(status, error, expected, field);  \
  } while (0)

static rdstoken_connection_options connection_options(const char *driver) {
  rdstoken_connection_options options = {0};
  options.struct_size = sizeof options;
  options.driver = driver;
  return options;
}

static void assert_string_refused(const rdstoken_connection_options *options, const char *field) {
  rdstoken_signer *signer = new_signer(NULL);
  rdstoken_connection_string *string = (rdstoken_connection_string *)(uintptr_t)1;
  rdstoken_error *error = NULL;
  rdstoken_status status = rdstoken_signer_connection_string(signer, options, &string, &error);
  assert_null(string);
  assert_failed(status, error, RDSTOKEN_STATUS_INVALID_ARGUMENT, field);
  rdstoken_signer_free(signer);
}

static void a_connection_string_holds_the_token(void **state) {
  (void)state;
  rdstoken_signer *signer = new_signer("session");
  rdstoken_token *token = NULL;
  assert_int_equal(rdstoken_signer_token(signer, &token, NULL), RDSTOKEN_STATUS_OK);

  rdstoken_connection_options options = connection_options("psqlodbc");
  options.form = "connection-string";
  options.database = "shop";
  options.ca_file = "/ca.pem";
  options.hostaddr = "127.0.0.1";
  options.odbc_driver = "/usr/lib/mine.so";
  rdstoken_connection_string *string = NULL;
  assert_int_equal(rdstoken_signer_connection_string(signer, &options, &string, NULL),
                   RDSTOKEN_STATUS_OK);
  const char *text = rdstoken_connection_string_value(string);
  assert_int_equal(rdstoken_connection_string_length(string), strlen(text));
  for (size_t i = 0; i < 5; i++) {
    const char *parts[] = {"Database=shop;", "sslrootcert='/ca.pem'", "hostaddr='127.0.0.1'",
                           "Driver={/usr/lib/mine.so};", rdstoken_token_value(token)};
    assert_non_null(strstr(text, parts[i]));
  }
  rdstoken_connection_string_free(string);

  /* Without a form, the driver's first. */
  options = connection_options("libpq");
  assert_int_equal(rdstoken_signer_connection_string(signer, &options, &string, NULL),
                   RDSTOKEN_STATUS_OK);
  assert_int_equal(strncmp(rdstoken_connection_string_value(string), "host='", 6), 0);
  rdstoken_connection_string_free(string);
  rdstoken_token_free(token);
  rdstoken_signer_free(signer);
}

static void bad_options_are_named(void **state) {
  (void)state;
  assert_string_refused(NULL, "options");
  rdstoken_connection_options options = connection_options(NULL);
  assert_string_refused(&options, "driver");
  options = connection_options("oracle");
  assert_string_refused(&options, "driver");
  options = connection_options("libpq");
  options.form = "prompt";
  assert_string_refused(&options, "form");
  options.form = NULL;
  options.database = "\xff";
  assert_string_refused(&options, "database");
  options = connection_options("libpq");
  options.struct_size = 1;
  assert_string_refused(&options, "struct_size");

  options = connection_options("libpq");
  rdstoken_connection_string *string = NULL;
  ASSERT_FAILED(rdstoken_signer_connection_string(NULL, &options, &string, &error),
                RDSTOKEN_STATUS_INVALID_ARGUMENT, "signer");
  rdstoken_signer *signer = new_signer(NULL);
  ASSERT_FAILED(rdstoken_signer_connection_string(signer, &options, NULL, &error),
                RDSTOKEN_STATUS_INVALID_ARGUMENT, "connection_string");
  rdstoken_signer_free(signer);
}

static void null_is_no_string(void **state) {
  (void)state;
  assert_null(rdstoken_connection_string_value(NULL));
  assert_int_equal(rdstoken_connection_string_length(NULL), 0);
  rdstoken_connection_string_free(NULL);
}

static void lengths_are_checked(void **state) {
  (void)state;
  char token[81];
  memset(token, 'x', sizeof token);
  token[79] = '\0';
  assert_int_equal(rdstoken_check_length("mariadb-cli", "prompt", token, NULL),
                   RDSTOKEN_STATUS_OK);
  token[79] = 'x';
  token[80] = '\0';
  ASSERT_FAILED(rdstoken_check_length("mariadb-cli", "prompt", token, &error),
                RDSTOKEN_STATUS_DRIVER_LIMIT, NULL);
  ASSERT_FAILED(rdstoken_check_length(NULL, "prompt", token, &error),
                RDSTOKEN_STATUS_INVALID_ARGUMENT, "driver");
  ASSERT_FAILED(rdstoken_check_length("mariadb-cli", NULL, token, &error),
                RDSTOKEN_STATUS_INVALID_ARGUMENT, "form");
  ASSERT_FAILED(rdstoken_check_length("mariadb-cli", "prompt", NULL, &error),
                RDSTOKEN_STATUS_INVALID_ARGUMENT, "token");
}

static void a_refused_token_is_tried_again_if_it_was_given_out_before(void **state) {
  (void)state;
  rdstoken_signer *signer = new_signer(NULL);
  rdstoken_token *token = NULL;
  int32_t retry = 7;
  assert_int_equal(rdstoken_signer_token(signer, &token, NULL), RDSTOKEN_STATUS_OK);
  assert_int_equal(rdstoken_signer_refused(signer, rdstoken_token_value(token), &retry, NULL),
                   RDSTOKEN_STATUS_OK);
  assert_int_equal(retry, 0);
  rdstoken_token_free(token);
  sleep(1); /* the next one shall differ */
  assert_int_equal(rdstoken_signer_token(signer, &token, NULL), RDSTOKEN_STATUS_OK);
  assert_int_equal(rdstoken_signer_refused(signer, rdstoken_token_value(token), &retry, NULL),
                   RDSTOKEN_STATUS_OK);
  assert_int_equal(retry, 1);

  ASSERT_FAILED(rdstoken_signer_refused(NULL, rdstoken_token_value(token), &retry, &error),
                RDSTOKEN_STATUS_INVALID_ARGUMENT, "signer");
  assert_int_equal(retry, 0);
  ASSERT_FAILED(rdstoken_signer_refused(signer, NULL, &retry, &error),
                RDSTOKEN_STATUS_INVALID_ARGUMENT, "token");
  ASSERT_FAILED(rdstoken_signer_refused(signer, rdstoken_token_value(token), NULL, &error),
                RDSTOKEN_STATUS_INVALID_ARGUMENT, "retry");
  rdstoken_token_free(token);
  rdstoken_signer_free(signer);
}

int main(void) {
  require_guard();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_connection_string_holds_the_token),
      cmocka_unit_test(bad_options_are_named),
      cmocka_unit_test(null_is_no_string),
      cmocka_unit_test(lengths_are_checked),
      cmocka_unit_test(a_refused_token_is_tried_again_if_it_was_given_out_before),
  };
  return cmocka_run_group_tests_name("drivers", tests, NULL, NULL);
}
