/* A program that asks for tokens, one for each line of its standard input, and says in a line of
 * JSON what came of it and how long it took. Log records go to standard error. Tokens go nowhere:
 * only the access key id that signed one, and its expiry.
 *
 *   probe HOSTNAME PORT USERNAME TIMEOUT_MILLISECONDS
 *
 * The windows are so wide that every call renews the credentials if it can. */
#define _POSIX_C_SOURCE 200809L
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <rdstoken.h>

static void say(void *user_data, int32_t level, const char *message) {
  (void)user_data;
  fprintf(stderr, "log %d: %s\n", (int)level, message);
}

static double now(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

/* Our own texts hold no quotes or backslashes but for those that are escaped here. */
static void print_text(const char *text) {
  putchar('"');
  for (; *text; text++) {
    if (*text == '"' || *text == '\\') {
      putchar('\\');
    }
    putchar(*text);
  }
  putchar('"');
}

static void ask(const rdstoken_signer *signer) {
  rdstoken_token *token = NULL;
  rdstoken_error *error = NULL;
  double start = now();
  rdstoken_status status = rdstoken_signer_token(signer, &token, &error);
  double elapsed = now() - start;
  printf("{\"status\": %d, \"elapsed\": %.4f", (int)status, elapsed);
  if (status == RDSTOKEN_STATUS_OK) {
    const char *id = strstr(rdstoken_token_value(token), "X-Amz-Credential=");
    int length = 0;
    if (id) {
      id += strlen("X-Amz-Credential=");
      length = (int)strcspn(id, "%");
    }
    printf(", \"access_key_id\": \"%.*s\", \"expires_at\": %" PRId64, length, id ? id : "",
           rdstoken_token_expires_at(token));
  } else {
    printf(", \"message\": ");
    print_text(rdstoken_error_message(error));
  }
  puts("}");
  fflush(stdout);
  rdstoken_token_free(token);
  rdstoken_error_free(error);
}

int main(int argc, char **argv) {
  if (argc != 5) {
    fprintf(stderr, "usage: %s HOSTNAME PORT USERNAME TIMEOUT_MILLISECONDS\n", argv[0]);
    return 2;
  }
  rdstoken_log_set_callback(say, NULL, RDSTOKEN_LOG_DEBUG);
  rdstoken_signer_options options = {0};
  options.struct_size = sizeof options;
  options.hostname = argv[1];
  options.port = (uint16_t)atoi(argv[2]);
  options.username = argv[3];
  options.timeout_milliseconds = (uint32_t)atoi(argv[4]);
  options.advisory_window_seconds = 43200;
  options.mandatory_window_seconds = RDSTOKEN_ZERO_SECONDS;
  options.min_validity_seconds = RDSTOKEN_ZERO_SECONDS;

  rdstoken_signer *signer = NULL;
  rdstoken_error *error = NULL;
  if (rdstoken_signer_new(&options, &signer, &error) != RDSTOKEN_STATUS_OK) {
    fprintf(stderr, "%s\n", rdstoken_error_message(error));
    rdstoken_error_free(error);
    return EXIT_FAILURE;
  }
  char line[16];
  while (fgets(line, sizeof line, stdin)) {
    ask(signer);
  }
  rdstoken_signer_free(signer);
  return EXIT_SUCCESS;
}
