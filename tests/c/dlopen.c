/* Rounds of dlopen, use and dlclose around threads that then exit: the library's thread-local
 * destructors must still be there when the thread ends. Not linked with the library. */
#include <dlfcn.h>
#include <pthread.h>

/* These turn the header's declarations of functions into those of pointers, filled by dlsym(). */
#define rdstoken_status_name (*api_status_name)
#define rdstoken_error_message (*api_error_message)
#define rdstoken_error_free (*api_error_free)
#define rdstoken_credentials_new_static (*api_credentials_new_static)
#define rdstoken_credentials_free (*api_credentials_free)
#define rdstoken_signer_new (*api_signer_new)
#define rdstoken_signer_token (*api_signer_token)
#define rdstoken_signer_copy_token (*api_signer_copy_token)
#define rdstoken_signer_stats (*api_signer_stats)
#define rdstoken_signer_free (*api_signer_free)
#define rdstoken_token_value (*api_token_value)
#define rdstoken_token_length (*api_token_length)
#define rdstoken_token_expires_at (*api_token_expires_at)
#define rdstoken_token_free (*api_token_free)

#include "host.h"

enum { ROUNDS = 300 };

#define FIND(name) find(library, "rdstoken_" #name, &api_##name, sizeof api_##name)

static void find(void *library, const char *name, void *pointer, size_t size) {
  void *symbol = dlsym(library, name);
  CHECK(symbol != NULL);
  CHECK(size == sizeof symbol);
  memcpy(pointer, &symbol, size);
}

static void *open_library(void) {
  void *library = dlopen(RDSTOKEN_LIBRARY, RTLD_NOW | RTLD_LOCAL);
  CHECK(library != NULL);
  FIND(status_name);
  FIND(error_message);
  FIND(error_free);
  FIND(credentials_new_static);
  FIND(credentials_free);
  FIND(signer_new);
  FIND(signer_token);
  FIND(signer_copy_token);
  FIND(signer_stats);
  FIND(signer_free);
  FIND(token_value);
  FIND(token_length);
  FIND(token_expires_at);
  FIND(token_free);
  return library;
}

static int is_loaded(void) {
  void *library = dlopen(RDSTOKEN_LIBRARY, RTLD_NOW | RTLD_NOLOAD);
  if (library == NULL) return 0;
  CHECK(dlclose(library) == 0);
  return 1;
}

static void use_library(void) {
  rdstoken_signer *signer = make_static_signer(0);
  use_token(signer);
  use_copy(signer);
  CHECK(stats_of(signer).tokens_signed == 1);
  rdstoken_signer_free(signer);
  signer = make_chain_signer(NULL);
  use_token(signer);
  rdstoken_signer_free(signer);
}

/* Opens, uses, closes and exits. */
static void *all_by_itself(void *nothing) {
  void *library = open_library();
  use_library();
  CHECK(dlclose(library) == 0);
  return nothing;
}

/* Uses, and exits after another has closed. */
struct turn {
  pthread_barrier_t used, closed;
};

static void *only_use(void *data) {
  struct turn *turn = data;
  use_library();
  pthread_barrier_wait(&turn->used);
  pthread_barrier_wait(&turn->closed);
  return NULL;
}

static void run(pthread_t *thread, void *(*work)(void *), void *data) {
  CHECK(pthread_create(thread, NULL, work, data) == 0);
}

int main(void) {
  enter(120);
  set_up_chain();
  CHECK(!is_loaded());
  /* Linked to stay, for the threads that end after the dlclose: even when none has used it. */
  CHECK(dlclose(open_library()) == 0);
  CHECK(is_loaded());
  for (int round = 0; round < ROUNDS; round++) {
    pthread_t thread;
    if (round % 10 == 0) set_keys_expiry(30);
    if (round % 2) {
      run(&thread, all_by_itself, NULL);
      CHECK(pthread_join(thread, NULL) == 0);
      continue;
    }
    struct turn turn;
    CHECK(pthread_barrier_init(&turn.used, NULL, 2) == 0);
    CHECK(pthread_barrier_init(&turn.closed, NULL, 2) == 0);
    void *library = open_library();
    run(&thread, only_use, &turn);
    pthread_barrier_wait(&turn.used);
    CHECK(dlclose(library) == 0);
    pthread_barrier_wait(&turn.closed);
    CHECK(pthread_join(thread, NULL) == 0);
    pthread_barrier_destroy(&turn.used);
    pthread_barrier_destroy(&turn.closed);
  }
  printf("dlopen: %d rounds\n", ROUNDS);
  return 0;
}
