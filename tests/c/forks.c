/* Forks under threads that renew: parent and children go on getting tokens. A child that hangs is
 * killed by its alarm, and that is a failure. */
#include <pthread.h>
#include <sys/wait.h>

#include "host.h"

enum { FORKS = 1000, THREADS = 3, AT_A_TIME = 4, CHILD_SECONDS = 10 };
enum { COLD_PARENTS = 60, COLD_FORKS = 6 };
enum { STATIC, UNCACHED, INVALIDATED, PROCESS, PROCESS_AGAIN, FILE_KEYS, CALLBACK, SIGNERS };

static rdstoken_signer *signers[SIGNERS];
static volatile sig_atomic_t ending;

/* --- the signers, and ways to use them --- */

/* Other keys at each call, in their mandatory window from the start. */
static int32_t give(void *user_data, rdstoken_credentials **credentials) {
  (void)user_data;
  static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  char id[] = "AKIDCALLBACK?????????";
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  unsigned long bits = (unsigned long)now.tv_nsec ^ (unsigned long)now.tv_sec << 20;
  for (size_t i = strlen(id) - 9; i < strlen(id); i++, bits >>= 5) id[i] = letters[bits & 31];
  return rdstoken_credentials_new_temporary(id, SECRET, "t", (int64_t)time(NULL) + 30, credentials,
                                            NULL);
}

static void make_signers(void) {
  rdstoken_signer_options options = chain_options(NULL);
  signers[STATIC] = make_static_signer(0);
  signers[UNCACHED] = make_static_signer(1);
  signers[INVALIDATED] = make_static_signer(0);
  signers[PROCESS] = make_chain_signer(NULL);
  signers[PROCESS_AGAIN] = make_chain_signer(NULL); /* shares the credentials of the other */
  signers[FILE_KEYS] = make_chain_signer("file");
  options.credentials_callback = give;
  signers[CALLBACK] = make_signer(&options);
}

static void use(size_t which) {
  if (which == INVALIDATED) rdstoken_signer_invalidate(signers[which]);
  if (which == FILE_KEYS) rdstoken_signer_invalidate_credentials(signers[which]);
  if (which % 2) {
    use_token(signers[which]);
  } else {
    use_copy(signers[which]);
  }
}

static void *renew(void *number) {
  for (size_t turn = (size_t)(uintptr_t)number; !ending; turn++) use(turn % SIGNERS);
  return NULL;
}

static void free_signers(void) {
  for (size_t i = 0; i < SIGNERS; i++) rdstoken_signer_free(signers[i]);
}

/* --- processes --- */

static void be_child(void) {
  alarm(CHILD_SECONDS);
  /* Those that fetch first: a hit might heal what a fetch would trip over. */
  for (size_t i = SIGNERS; i-- > 0;) use(i);
  rdstoken_signer *own = make_chain_signer(NULL);
  use_token(own);
  rdstoken_signer *own_static = make_static_signer(0);
  use_copy(own_static);
  rdstoken_signer_free(own);
  rdstoken_signer_free(own_static);
  free_signers();
  exit(0);
}

static pid_t start_child(void) {
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) be_child();
  return child;
}

static void check_child(pid_t child, const char *whose) {
  int status = 0;
  CHECK(waitpid(child, &status, 0) == child);
  if (WIFSIGNALED(status)) {
    int hung = WTERMSIG(status) == SIGALRM;
    fprintf(stderr, "%s %s (signal %d)\n", whose, hung ? "hung" : "crashed", WTERMSIG(status));
    exit(1);
  }
  if (WEXITSTATUS(status) != 0) exit(1); /* it has said why */
}

static void start_threads(pthread_t *threads) {
  for (uintptr_t i = 0; i < THREADS; i++) {
    CHECK(pthread_create(&threads[i], NULL, renew, (void *)(i * 2)) == 0);
  }
}

/* The library has never run in this process when its threads start; the forks come in the midst of
 * what it does once only. */
static void be_cold_parent(unsigned number) {
  pthread_t threads[THREADS];
  pid_t children[COLD_FORKS];
  alarm(2 * CHILD_SECONDS);
  make_signers();
  start_threads(threads);
  struct timespec delay = {0, (long)(number % 20) * 200000L};
  nanosleep(&delay, NULL);
  for (int i = 0; i < COLD_FORKS; i++) {
    children[i] = start_child();
    delay.tv_nsec = 500000;
    nanosleep(&delay, NULL);
  }
  for (int i = 0; i < COLD_FORKS; i++) check_child(children[i], "a child of a cold parent");
  ending = 1;
  for (int i = 0; i < THREADS; i++) CHECK(pthread_join(threads[i], NULL) == 0);
  free_signers();
  exit(0);
}

static void fork_from_cold_parents(void) {
  for (unsigned i = 0; i < COLD_PARENTS; i++) {
    set_keys_expiry(30);
    pid_t parent = fork();
    CHECK(parent >= 0);
    if (parent == 0) be_cold_parent(i);
    check_child(parent, "a cold parent");
  }
}

static void fork_under_renewing_threads(void) {
  pthread_t threads[THREADS];
  pid_t children[AT_A_TIME] = {0};
  time_t written = 0;
  make_signers();
  start_threads(threads);
  rdstoken_stats before = {0};
  for (unsigned i = 0; i < FORKS; i++) {
    if (time(NULL) != written) {
      written = time(NULL);
      set_keys_expiry(5 + (int)(i % 7)); /* short lives, so that there are always renewals */
    }
    if (children[i % AT_A_TIME]) check_child(children[i % AT_A_TIME], "a child");
    children[i % AT_A_TIME] = start_child();
    if (i == 0) before = stats_of(signers[PROCESS]);
  }
  for (unsigned i = 0; i < AT_A_TIME; i++) check_child(children[i], "a child");

  /* The parent's threads have renewed all the while, and go on. */
  rdstoken_stats after = stats_of(signers[PROCESS]);
  CHECK(after.renewals > before.renewals + 100);
  CHECK(after.failures == 0);
  sleep_milliseconds(300);
  CHECK(stats_of(signers[PROCESS]).renewals > after.renewals);
  CHECK(stats_of(signers[CALLBACK]).failures == 0);
  ending = 1;
  for (int i = 0; i < THREADS; i++) CHECK(pthread_join(threads[i], NULL) == 0);
  printf("forks: %d children under %d threads, which renewed %llu times\n", FORKS, THREADS,
         (unsigned long long)after.renewals);
  free_signers();
}

int main(void) {
  enter(300);
  set_up_chain();
  double start = seconds_now();
  fork_from_cold_parents();
  double cold = seconds_now();
  fork_under_renewing_threads();
  printf("forks: cold parents %.1f s, renewing threads %.1f s\n", cold - start,
         seconds_now() - cold);
  return 0;
}
