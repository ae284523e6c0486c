/* What the C tests share: cmocka, the guard, JSON files, a static signer. */
#ifndef RDSTOKEN_TEST_SUPPORT_H
#define RDSTOKEN_TEST_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

#include "rdstoken.h"

#define HOSTNAME "mydb.cluster-abc123.us-east-1.rds.amazonaws.com"
#define SECRET "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"

/* A file of tests/, parsed. Free it with cJSON_Delete(). */
static inline cJSON *read_json(const char *name) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%s", RDSTOKEN_TESTS, name);
  FILE *file = fopen(path, "rb");
  assert_non_null(file);
  assert_int_equal(fseek(file, 0, SEEK_END), 0);
  long size = ftell(file);
  assert_true(size > 0);
  rewind(file);
  char *text = calloc(1, (size_t)size + 1);
  assert_non_null(text);
  assert_int_equal(fread(text, 1, (size_t)size, file), size);
  fclose(file);
  cJSON *json = cJSON_Parse(text);
  free(text);
  assert_non_null(json);
  return json;
}

static inline const char *text_of(const cJSON *object, const char *name) {
  return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
}

static inline double number_of(const cJSON *object, const char *name) {
  const cJSON *number = cJSON_GetObjectItemCaseSensitive(object, name);
  assert_true(cJSON_IsNumber(number));
  return number->valuedouble;
}

/* Checks a failed call and frees its error. `field` is NULL if none is at fault. */
static inline void assert_failed(rdstoken_status status, rdstoken_error *error,
                                 rdstoken_status expected, const char *field) {
  assert_string_equal(rdstoken_status_name(status), rdstoken_status_name(expected));
  assert_non_null(error);
  assert_int_equal(rdstoken_error_status(error), expected);
  assert_true(strlen(rdstoken_error_message(error)) > 10);
  if (field == NULL) {
    assert_null(rdstoken_error_field(error));
  } else {
    assert_non_null(rdstoken_error_field(error));
    assert_string_equal(rdstoken_error_field(error), field);
    assert_int_equal(strncmp(rdstoken_error_message(error), field, strlen(field)), 0);
  }
  rdstoken_error_free(error);
}

static inline rdstoken_credentials *new_credentials(const char *session_token) {
  rdstoken_credentials *credentials = NULL;
  assert_int_equal(
      rdstoken_credentials_new_static("AKIDEXAMPLE", SECRET, session_token, &credentials, NULL),
      RDSTOKEN_STATUS_OK);
  assert_non_null(credentials);
  return credentials;
}

static inline rdstoken_signer_options signer_options(const rdstoken_credentials *credentials) {
  rdstoken_signer_options options = {0};
  options.struct_size = sizeof options;
  options.hostname = HOSTNAME;
  options.port = 5432;
  options.username = "app";
  options.credentials = credentials;
  return options;
}

static inline rdstoken_signer *new_signer(const char *session_token) {
  rdstoken_credentials *credentials = new_credentials(session_token);
  rdstoken_signer_options options = signer_options(credentials);
  rdstoken_signer *signer = NULL;
  assert_int_equal(rdstoken_signer_new(&options, &signer, NULL), RDSTOKEN_STATUS_OK);
  rdstoken_credentials_free(credentials); /* the signer keeps what it needs */
  return signer;
}

static inline rdstoken_presign_options presign_options(const rdstoken_credentials *credentials) {
  rdstoken_presign_options options = {0};
  options.struct_size = sizeof options;
  options.hostname = HOSTNAME;
  options.port = 5432;
  options.username = "app";
  options.credentials = credentials;
  options.signing_time = 1767225600;
  return options;
}

/* The chain must not find, or reach, anything of the machine's. */
static inline void require_guard(void) {
  if (getenv("RDSTOKEN_TEST_GUARD") == NULL) {
    fputs("run this through tests/guard.sh, as `make test` does\n", stderr);
    exit(2);
  }
}

#endif
