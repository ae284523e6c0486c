/* A client that uses the whole interface, for valgrind: `make valgrind`. Quick, because memcheck
 * and helgrind slow it down fifty times. */
#include <pthread.h>

#include "host.h"

enum { THREADS = 3, CALLS = 20 };

static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;
static int records;

static void count_record(void *user_data, int32_t level, const char *message) {
  (void)user_data;
  pthread_mutex_lock(&log_lock);
  records += level <= RDSTOKEN_LOG_DEBUG && strlen(message) > 10;
  pthread_mutex_unlock(&log_lock);
}

static rdstoken_credentials *new_credentials(const char *session_token, int64_t expires_at) {
  rdstoken_credentials *credentials = NULL;
  rdstoken_error *error = NULL;
  rdstoken_status status =
      expires_at == 0
          ? rdstoken_credentials_new_static("AKIDSTATIC", SECRET, session_token, &credentials,
                                            &error)
          : rdstoken_credentials_new_temporary("AKIDTEMPORARY", SECRET, session_token, expires_at,
                                               &credentials, &error);
  CHECK_OK(status, error);
  return credentials;
}

static void presign(void) {
  rdstoken_credentials *credentials = new_credentials("session", 0);
  rdstoken_presign_options options = {0};
  rdstoken_token *token = NULL;
  rdstoken_error *error = NULL;
  options.struct_size = sizeof options;
  options.hostname = HOSTNAME;
  options.port = 5432;
  options.username = "app";
  options.credentials = credentials;
  options.signing_time = 1767225600;
  CHECK_OK(rdstoken_presign(&options, &token, &error), error);
  CHECK(rdstoken_token_expires_at(token) == 1767225600 + 900);
  CHECK(strlen(rdstoken_token_value(token)) == rdstoken_token_length(token));
  rdstoken_token_free(token);
  rdstoken_credentials_free(credentials);
}

static void fail(void) {
  rdstoken_credentials *credentials = NULL;
  rdstoken_error *error = NULL;
  CHECK(rdstoken_credentials_new_static("", SECRET, NULL, &credentials, &error) ==
        RDSTOKEN_STATUS_INVALID_ARGUMENT);
  CHECK(rdstoken_error_status(error) == RDSTOKEN_STATUS_INVALID_ARGUMENT);
  CHECK(strcmp(rdstoken_error_field(error), "access_key_id") == 0);
  CHECK(strlen(rdstoken_error_message(error)) > 10);
  CHECK(strcmp(rdstoken_status_name(rdstoken_error_status(error)),
               "RDSTOKEN_STATUS_INVALID_ARGUMENT") == 0);
  rdstoken_error_free(error);
  CHECK(strcmp(rdstoken_version(), RDSTOKEN_VERSION) == 0);
  rdstoken_signer_free(NULL);
  rdstoken_token_free(NULL);
  rdstoken_credentials_free(NULL);
  rdstoken_error_free(NULL);
}

static int32_t give(void *user_data, rdstoken_credentials **credentials) {
  (void)user_data;
  *credentials = new_credentials("session", (int64_t)time(NULL) + 3600);
  return RDSTOKEN_STATUS_OK;
}

static void destroy(void *user_data) { free(user_data); }

static rdstoken_signer *callback_signer(void) {
  rdstoken_signer_options options = chain_options(NULL);
  options.credentials_callback = give;
  options.credentials_user_data = malloc(1); /* leaked, if it is not destroyed */
  options.credentials_destroy = destroy;
  return make_signer(&options);
}

/* Hits, renewals and forgetting, all at once. */
static void *use(void *data) {
  rdstoken_signer *const *signers = data;
  for (int i = 0; i < CALLS; i++) {
    for (rdstoken_signer *const *signer = signers; *signer != NULL; signer++) {
      if (i % 8 == 3) rdstoken_signer_invalidate(*signer);
      if (i % 8 == 7) rdstoken_signer_invalidate_credentials(*signer);
      use_token(*signer);
      use_copy(*signer);
      CHECK(stats_of(*signer).tokens_signed > 0);
    }
  }
  return NULL;
}

static void use_in_threads(rdstoken_signer **signers) {
  pthread_t threads[THREADS];
  for (int i = 0; i < THREADS; i++) CHECK(pthread_create(&threads[i], NULL, use, signers) == 0);
  for (int i = 0; i < THREADS; i++) CHECK(pthread_join(threads[i], NULL) == 0);
  for (; *signers != NULL; signers++) rdstoken_signer_free(*signers);
}

static void use_chain(const char *profile) {
  rdstoken_signer *signer = make_chain_signer(profile);
  use_token(signer);
  rdstoken_signer_free(signer);
}

int main(void) {
  enter(300);
  set_up_chain();
  set_keys_expiry(3600);
  rdstoken_log_set_callback(count_record, NULL, RDSTOKEN_LOG_DEBUG);
  presign();
  fail();
  rdstoken_signer *signers[] = {make_static_signer(0), make_static_signer(1), callback_signer(),
                                NULL};
  use_in_threads(signers);
  use_chain(NULL);
  use_chain("file");
  CHECK(records > 0);
  rdstoken_log_set_callback(NULL, NULL, RDSTOKEN_LOG_OFF);
  return 0;
}
