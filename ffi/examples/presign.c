/* Prints the token for a given time: the same bytes from every language.
 *
 *   cc presign.c $(pkg-config --cflags --libs rdstoken) -o presign
 *   ./presign HOSTNAME PORT USERNAME UNIX_SECONDS
 *
 * The credentials come from AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN. */
#include <stdio.h>
#include <stdlib.h>

#include <rdstoken.h>

int main(int argc, char **argv) {
  if (argc != 5) {
    fprintf(stderr, "usage: %s HOSTNAME PORT USERNAME UNIX_SECONDS\n", argv[0]);
    return 2;
  }
  rdstoken_credentials *credentials = NULL;
  rdstoken_token *token = NULL;
  rdstoken_error *error = NULL;
  int ok = rdstoken_credentials_new_static(getenv("AWS_ACCESS_KEY_ID"),
                                           getenv("AWS_SECRET_ACCESS_KEY"),
                                           getenv("AWS_SESSION_TOKEN"), &credentials,
                                           &error) == RDSTOKEN_STATUS_OK;
  if (ok) {
    rdstoken_presign_options options = {0};
    options.struct_size = sizeof options;
    options.hostname = argv[1];
    options.port = (uint16_t)atoi(argv[2]);
    options.username = argv[3];
    options.credentials = credentials;
    options.signing_time = atoll(argv[4]);
    ok = rdstoken_presign(&options, &token, &error) == RDSTOKEN_STATUS_OK;
  }
  if (ok) {
    puts(rdstoken_token_value(token));
  } else {
    fprintf(stderr, "%s\n", rdstoken_error_message(error));
  }
  rdstoken_error_free(error);
  rdstoken_token_free(token);
  rdstoken_credentials_free(credentials);
  return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
