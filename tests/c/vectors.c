/* tests/vectors: the same bytes as every other language. */
#include "support.h"

static void every_vector(void **state) {
  (void)state;
  cJSON *vectors = read_json("vectors/presign.json");
  const cJSON *item;
  int count = 0;
  cJSON_ArrayForEach(item, cJSON_GetObjectItem(vectors, "cases")) {
    rdstoken_credentials *credentials = NULL;
    assert_int_equal(rdstoken_credentials_new_static(
                         text_of(item, "access_key_id"), text_of(item, "secret_access_key"),
                         text_of(item, "session_token"), &credentials, NULL),
                     RDSTOKEN_STATUS_OK);
    rdstoken_presign_options options = presign_options(credentials);
    options.hostname = text_of(item, "hostname");
    options.port = (uint16_t)number_of(item, "port");
    options.username = text_of(item, "username");
    options.region = text_of(item, "region");
    options.signing_time = (int64_t)number_of(item, "signing_time");
    options.expires_in_seconds = (uint32_t)number_of(item, "expires_in");

    rdstoken_token *token = NULL;
    rdstoken_error *error = NULL;
    rdstoken_status status = rdstoken_presign(&options, &token, &error);
    if (status != RDSTOKEN_STATUS_OK) {
      fail_msg("%s: %s", text_of(item, "name"), rdstoken_error_message(error));
    }
    const char *expected = text_of(item, "token");
    if (strcmp(rdstoken_token_value(token), expected) != 0) {
      fail_msg("%s: another token", text_of(item, "name"));
    }
    assert_int_equal(rdstoken_token_length(token), strlen(expected));
    assert_int_equal(rdstoken_token_expires_at(token),
                     options.signing_time + options.expires_in_seconds);
    rdstoken_token_free(token);
    rdstoken_credentials_free(credentials);
    count++;
  }
  assert_true(count > 30);
  cJSON_Delete(vectors);
}

static void hostnames_that_are_refused(void **state) {
  (void)state;
  cJSON *vectors = read_json("vectors/endpoints.json");
  rdstoken_credentials *credentials = new_credentials(NULL);
  const cJSON *item;
  int count = 0;
  cJSON_ArrayForEach(item, cJSON_GetObjectItem(vectors, "refused")) {
    rdstoken_presign_options options = presign_options(credentials);
    options.hostname = text_of(item, "hostname");
    rdstoken_token *token = NULL;
    rdstoken_error *error = NULL;
    rdstoken_status status = rdstoken_presign(&options, &token, &error);
    assert_null(token);
    assert_failed(status, error, RDSTOKEN_STATUS_INVALID_ARGUMENT, "hostname");
    count++;
  }
  assert_true(count > 20);
  cJSON_ArrayForEach(item, cJSON_GetObjectItem(vectors, "look_alikes")) {
    rdstoken_presign_options options = presign_options(credentials);
    options.hostname = cJSON_GetStringValue(item);
    rdstoken_token *token = NULL;
    rdstoken_error *error = NULL;
    rdstoken_status status = rdstoken_presign(&options, &token, &error);
    assert_failed(status, error, RDSTOKEN_STATUS_REGION_NOT_FOUND, NULL);
  }
  rdstoken_credentials_free(credentials);
  cJSON_Delete(vectors);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_vector),
      cmocka_unit_test(hostnames_that_are_refused),
  };
  return cmocka_run_group_tests_name("vectors", tests, NULL, NULL);
}
