/* Tokens whole and of any length; buffers; lifetimes; threads. */
#include <pthread.h>

#include "support.h"

static char *repeated(char character, size_t length) {
  char *text = malloc(length + 1);
  assert_non_null(text);
  memset(text, character, length);
  text[length] = '\0';
  return text;
}

static size_t token_length(const char *session_token) {
  rdstoken_signer *signer = new_signer(session_token);
  rdstoken_token *token = NULL;
  assert_int_equal(rdstoken_signer_token(signer, &token, NULL), RDSTOKEN_STATUS_OK);
  size_t length = rdstoken_token_length(token);
  assert_int_equal(length, strlen(rdstoken_token_value(token)));
  rdstoken_token_free(token);
  rdstoken_signer_free(signer);
  return length;
}

/* A token of exactly `length` bytes comes out whole, shared and copied. */
static void assert_whole(size_t length) {
  static const size_t parameter = sizeof "&X-Amz-Security-Token=" - 1;
  char *session_token = repeated('A', length - token_length(NULL) - parameter);
  rdstoken_signer *signer = new_signer(session_token);

  rdstoken_token *token = NULL;
  assert_int_equal(rdstoken_signer_token(signer, &token, NULL), RDSTOKEN_STATUS_OK);
  assert_int_equal(rdstoken_token_length(token), length);
  assert_int_equal(strlen(rdstoken_token_value(token)), length);
  assert_non_null(strstr(rdstoken_token_value(token), session_token));
  rdstoken_token_free(token);

  char *buffer = malloc(length + 1);
  size_t needed = 0;
  int64_t expires_at = 0;
  assert_int_equal(
      rdstoken_signer_copy_token(signer, buffer, length + 1, &needed, &expires_at, NULL),
      RDSTOKEN_STATUS_OK);
  assert_int_equal(needed, length + 1);
  assert_int_equal(strlen(buffer), length);
  assert_true(expires_at > 1700000000);

  /* One byte too few: nothing is written. */
  memset(buffer, '#', length + 1);
  rdstoken_error *error = NULL;
  rdstoken_status status =
      rdstoken_signer_copy_token(signer, buffer, length, &needed, &expires_at, &error);
  assert_failed(status, error, RDSTOKEN_STATUS_BUFFER_TOO_SMALL, NULL);
  assert_int_equal(needed, length + 1);
  assert_int_equal(expires_at, 0);
  for (size_t i = 0; i <= length; i++) assert_int_equal(buffer[i], '#');

  free(buffer);
  rdstoken_signer_free(signer);
  free(session_token);
}

static void tokens_of_many_lengths(void **state) {
  (void)state;
  const size_t lengths[] = {400,  1000,  1012,  1013,  1024,  2047,  2048,  4085,  4091,  4095,
                            4096, 8192,  10239, 16384, 32000, 32767, 32768, 65000, 65530, 65535,
                            65536};
  for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) assert_whole(lengths[i]);
}

static void static_keys_make_a_short_token(void **state) {
  (void)state;
  size_t length = token_length(NULL);
  assert_in_range(length, 300, 400);
  assert_int_equal(token_length(""), length);
}

static void the_size_can_be_asked_for(void **state) {
  (void)state;
  rdstoken_signer *signer = new_signer(NULL);
  size_t needed = 0;
  rdstoken_error *error = NULL;
  rdstoken_status status = rdstoken_signer_copy_token(signer, NULL, 0, &needed, NULL, &error);
  assert_failed(status, error, RDSTOKEN_STATUS_BUFFER_TOO_SMALL, NULL);
  char *buffer = malloc(needed);
  assert_int_equal(rdstoken_signer_copy_token(signer, buffer, needed, NULL, NULL, NULL),
                   RDSTOKEN_STATUS_OK);
  assert_int_equal(strlen(buffer) + 1, needed);
  free(buffer);
  rdstoken_signer_free(signer);
}

static void a_token_outlives_its_signer(void **state) {
  (void)state;
  rdstoken_signer *signer = new_signer(NULL);
  rdstoken_token *token = NULL;
  assert_int_equal(rdstoken_signer_token(signer, &token, NULL), RDSTOKEN_STATUS_OK);
  rdstoken_signer_free(signer);
  assert_int_equal(strncmp(rdstoken_token_value(token), HOSTNAME ":5432/?Action=connect",
                           strlen(HOSTNAME ":5432/?Action=connect")),
                   0);
  rdstoken_token_free(token);
}

static void *make_tokens(void *signer) {
  for (int i = 0; i < 200; i++) {
    rdstoken_token *token = NULL;
    if (rdstoken_signer_token(signer, &token, NULL) != RDSTOKEN_STATUS_OK) return signer;
    rdstoken_token_free(token);
  }
  return NULL;
}

static void threads_share_a_signer(void **state) {
  (void)state;
  rdstoken_signer *signer = new_signer(NULL);
  pthread_t threads[8];
  for (size_t i = 0; i < 8; i++) {
    assert_int_equal(pthread_create(&threads[i], NULL, make_tokens, signer), 0);
  }
  for (size_t i = 0; i < 8; i++) {
    void *failed = NULL;
    assert_int_equal(pthread_join(threads[i], &failed), 0);
    assert_null(failed);
  }
  rdstoken_signer_free(signer);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(static_keys_make_a_short_token),
      cmocka_unit_test(tokens_of_many_lengths),
      cmocka_unit_test(the_size_can_be_asked_for),
      cmocka_unit_test(a_token_outlives_its_signer),
      cmocka_unit_test(threads_share_a_signer),
  };
  return cmocka_run_group_tests_name("tokens", tests, NULL, NULL);
}
