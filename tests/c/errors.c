/* The header's part of tests/errors.json, and the promises about error objects. */
#include "support.h"

static const struct {
  const char *name;
  int number;
} statuses[] = {
#define STATUS(name) {#name, name}
    STATUS(RDSTOKEN_STATUS_OK),
    STATUS(RDSTOKEN_STATUS_INTERNAL),
    STATUS(RDSTOKEN_STATUS_INVALID_ARGUMENT),
    STATUS(RDSTOKEN_STATUS_BUFFER_TOO_SMALL),
    STATUS(RDSTOKEN_STATUS_REGION_NOT_FOUND),
    STATUS(RDSTOKEN_STATUS_CREDENTIALS_NOT_FOUND),
    STATUS(RDSTOKEN_STATUS_CREDENTIALS_FAILED),
    STATUS(RDSTOKEN_STATUS_CREDENTIALS_EXPIRED),
    STATUS(RDSTOKEN_STATUS_TIMEOUT),
    STATUS(RDSTOKEN_STATUS_DRIVER_LIMIT),
    STATUS(RDSTOKEN_STATUS_TLS_REQUIRED),
};

static void assert_in_header(const cJSON *row) {
  for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
    if (strcmp(statuses[i].name, text_of(row, "c_name")) == 0) {
      assert_int_equal(statuses[i].number, (int)number_of(row, "c_status"));
      assert_string_equal(rdstoken_status_name(statuses[i].number), statuses[i].name);
      return;
    }
  }
  fail_msg("%s is not in the header", text_of(row, "c_name"));
}

static void the_table(void **state) {
  (void)state;
  cJSON *table = read_json("errors.json");
  assert_in_header(cJSON_GetObjectItem(table, "ok"));
  const cJSON *row;
  cJSON_ArrayForEach(row, cJSON_GetObjectItem(table, "errors")) assert_in_header(row);
  assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(table, "errors")) + 1,
                   sizeof statuses / sizeof *statuses);
  cJSON_Delete(table);
}

static void null_is_a_harmless_error(void **state) {
  (void)state;
  assert_int_equal(rdstoken_error_status(NULL), RDSTOKEN_STATUS_OK);
  assert_string_equal(rdstoken_error_message(NULL), "");
  assert_null(rdstoken_error_field(NULL));
  rdstoken_error_free(NULL);
}

static void success_sets_the_error_to_null(void **state) {
  (void)state;
  rdstoken_signer *signer = new_signer(NULL);
  rdstoken_token *token = NULL;
  rdstoken_error *error = (rdstoken_error *)(uintptr_t)1;
  assert_int_equal(rdstoken_signer_token(signer, &token, &error), RDSTOKEN_STATUS_OK);
  assert_null(error);
  rdstoken_token_free(token);
  rdstoken_signer_free(signer);
}

static void no_credentials_anywhere(void **state) {
  (void)state;
  rdstoken_signer_options options = signer_options(NULL);
  rdstoken_signer *signer = NULL;
  assert_int_equal(rdstoken_signer_new(&options, &signer, NULL), RDSTOKEN_STATUS_OK);
  rdstoken_token *token = NULL;
  rdstoken_error *error = NULL;
  rdstoken_status status = rdstoken_signer_token(signer, &token, &error);
  assert_null(token);
  assert_non_null(strstr(rdstoken_error_message(error), "EC2 instance metadata"));
  assert_failed(status, error, RDSTOKEN_STATUS_CREDENTIALS_NOT_FOUND, NULL);
  rdstoken_signer_free(signer);
}

static void no_message_holds_a_secret(void **state) {
  (void)state;
  rdstoken_credentials *credentials = NULL;
  rdstoken_error *error = NULL;
  assert_int_equal(
      rdstoken_credentials_new_static("AKIDEXAMPLE", SECRET "\n", NULL, &credentials, &error),
      RDSTOKEN_STATUS_INVALID_ARGUMENT);
  assert_null(strstr(rdstoken_error_message(error), SECRET));
  rdstoken_error_free(error);
}

static void versions(void **state) {
  (void)state;
  assert_string_equal(rdstoken_version(), RDSTOKEN_VERSION);
  char parts[64];
  snprintf(parts, sizeof parts, "%d.%d.%d", RDSTOKEN_VERSION_MAJOR, RDSTOKEN_VERSION_MINOR,
           RDSTOKEN_VERSION_PATCH);
  assert_string_equal(parts, RDSTOKEN_VERSION);
}

int main(void) {
  require_guard();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_table),
      cmocka_unit_test(null_is_a_harmless_error),
      cmocka_unit_test(success_sets_the_error_to_null),
      cmocka_unit_test(no_credentials_anywhere),
      cmocka_unit_test(no_message_holds_a_secret),
      cmocka_unit_test(versions),
  };
  return cmocka_run_group_tests_name("errors", tests, NULL, NULL);
}
