/* Prints the token of a signer with the alignment of test_align.py. */
#include <stdio.h>
#include <stdlib.h>

#include "rdstoken.h"

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  rdstoken_signer_options options = {0};
  options.struct_size = sizeof options;
  options.hostname = argv[1];
  options.port = 5432;
  options.username = "app";
  options.align_seconds = (uint32_t)strtoul(argv[2], NULL, 10);
  rdstoken_signer *signer = NULL;
  rdstoken_token *token = NULL;
  rdstoken_error *error = NULL;
  if (rdstoken_signer_new(&options, &signer, &error) != RDSTOKEN_STATUS_OK ||
      rdstoken_signer_token(signer, &token, &error) != RDSTOKEN_STATUS_OK) {
    fprintf(stderr, "%s\n", rdstoken_error_message(error));
    return 1;
  }
  puts(rdstoken_token_value(token));
  rdstoken_token_free(token);
  rdstoken_signer_free(signer);
  return 0;
}
