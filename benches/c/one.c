/* Signs one token, or takes the one at hand, in a function of its own, for valgrind to count.
 *
 *   one cold|hit|tick SESSION_TOKEN
 *
 * prints how often the library asked for memory meanwhile. After "tick" the kernel's clock has gone
 * on, so the token at hand is held against both clocks again. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rdstoken.h>

/* The executable's malloc goes before the C library's, also for the library. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

static unsigned allocations;

void *malloc(size_t size) {
  ++allocations;
  return __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
  ++allocations;
  return __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size) {
  ++allocations;
  return __libc_realloc(memory, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size) {
  ++allocations;
  *memory = __libc_memalign(alignment, size);
  return *memory == NULL;
}

void *aligned_alloc(size_t alignment, size_t size) {
  ++allocations;
  return __libc_memalign(alignment, size);
}

static void fail(void) {
  fputs("failed\n", stderr);
  exit(EXIT_FAILURE);
}

__attribute__((noinline)) void measured(const rdstoken_signer *signer) {
  rdstoken_token *token;
  if (rdstoken_signer_token(signer, &token, NULL) != RDSTOKEN_STATUS_OK)
    fail();
  rdstoken_token_free(token);
}

int main(int argc, char **argv) {
  if (argc != 3)
    return 2;
  rdstoken_credentials *credentials = NULL;
  if (rdstoken_credentials_new_static("ASIAIOSFODNN7EXAMPLE",
                                      "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", argv[2],
                                      &credentials, NULL) != RDSTOKEN_STATUS_OK)
    fail();
  rdstoken_signer_options options = {0};
  options.struct_size = sizeof options;
  options.hostname = "mydb.cluster-abc123def456.us-east-1.rds.amazonaws.com";
  options.port = 5432;
  options.username = "app";
  options.credentials = credentials;
  options.no_cache = strcmp(argv[1], "cold") == 0;
  rdstoken_signer *signer = NULL;
  if (rdstoken_signer_new(&options, &signer, NULL) != RDSTOKEN_STATUS_OK)
    fail();
  rdstoken_token *token = NULL;
  for (int i = 0; i < 3; ++i) { /* The first derives the day's key and finds the thread's place. */
    if (rdstoken_signer_token(signer, &token, NULL) != RDSTOKEN_STATUS_OK)
      fail();
    rdstoken_token_free(token);
  }
  if (strcmp(argv[1], "tick") == 0)
    usleep(50000); /* A tick is 10 ms at most. */
  unsigned before = allocations;
  measured(signer);
  printf("%u\n", allocations - before);
  rdstoken_signer_free(signer);
  rdstoken_credentials_free(credentials);
  return EXIT_SUCCESS;
}
