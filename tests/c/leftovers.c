/* What a credential process must not leave behind in the host: a signal handler, and a descriptor
 * that the host may close and use for something else. */
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "host.h"

static void (*work)(void);

/* Each in a process of its own: what is left behind is left for good. */
static void in_a_process(void **state) {
  (void)state;
  set_up_chain();
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    alarm(30);
    work();
    exit(0);
  }
  int status = 0;
  CHECK(waitpid(child, &status, 0) == child);
  assert_true(WIFEXITED(status));
  assert_int_equal(WEXITSTATUS(status), 0);
}

#define IN_A_PROCESS(name)              \
  static void name(void **state) {      \
    work = name##_work;                 \
    in_a_process(state);                \
  }

static rdstoken_status fetch(const char *profile, uint32_t timeout_milliseconds) {
  rdstoken_signer_options options = chain_options(profile);
  options.timeout_milliseconds = timeout_milliseconds;
  rdstoken_signer *signer = make_signer(&options);
  rdstoken_token *token = NULL;
  rdstoken_status status = rdstoken_signer_token(signer, &token, NULL);
  rdstoken_token_free(token);
  rdstoken_signer_free(signer);
  return status;
}

static void check_handler(void (*expected)(int)) {
  struct sigaction now;
  CHECK(sigaction(SIGCHLD, NULL, &now) == 0);
  CHECK(!(now.sa_flags & SA_SIGINFO) && now.sa_handler == expected);
}

/* A profile whose process takes longer than any deadline here. */
static void add_slow_profile(void) {
  char config[8192];
  snprintf(config, sizeof config,
           "[default]\ncredential_process = %s/keys\n"
           "[profile slow]\ncredential_process = /bin/sh -c 'exec sleep 20'\n",
           getenv("HOME"));
  write_home_file("aws-config", config, 0600);
}

/* The host wants no zombies and gets none; that must not end with our second fetch. */
static void ignored_children_stay_ignored_work(void) {
  CHECK(signal(SIGCHLD, SIG_IGN) != SIG_ERR);
  for (int i = 0; i < 3; i++) {
    fetch(NULL, 0); /* whether it works is host.c's business */
    check_handler(SIG_IGN);
  }
}
IN_A_PROCESS(ignored_children_stay_ignored)

static void the_hosts_handler(int number) { (void)number; }

/* Not signal(): in strict C99 it sets a handler that is gone after one signal. */
static void set_handler(void (*handler)(int)) {
  struct sigaction action = {0};
  action.sa_handler = handler;
  CHECK(sigaction(SIGCHLD, &action, NULL) == 0);
}

static void a_late_process_sets_no_handler_work(void) {
  add_slow_profile();
  CHECK(fetch("slow", 300) == RDSTOKEN_STATUS_TIMEOUT);
  CHECK(fetch(NULL, 0) == RDSTOKEN_STATUS_OK);
  check_handler(SIG_DFL);
  set_handler(the_hosts_handler);
  CHECK(fetch("slow", 300) == RDSTOKEN_STATUS_TIMEOUT);
  CHECK(fetch(NULL, 0) == RDSTOKEN_STATUS_OK);
  check_handler(the_hosts_handler);
}
IN_A_PROCESS(a_late_process_sets_no_handler)

/* As a daemon does: closes what it does not know, then opens its own. */
static void descriptors_may_be_closed_between_calls_work(void) {
  enum { PAIRS = 16 };
  int pairs[PAIRS][2];
  char text[8];
  CHECK(fetch(NULL, 0) == RDSTOKEN_STATUS_OK);
  for (int descriptor = 3; descriptor < 256; descriptor++) close(descriptor);
  for (int i = 0; i < PAIRS; i++) {
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pairs[i]) == 0);
    for (int end = 0; end < 2; end++) {
      CHECK(fcntl(pairs[i][end], F_SETFL, O_NONBLOCK) == 0);
      CHECK(write(pairs[i][end], "theirs", 6) == 6);
    }
  }
  CHECK(fetch(NULL, 0) == RDSTOKEN_STATUS_OK);
  for (int i = 0; i < PAIRS; i++) {
    for (int end = 0; end < 2; end++) CHECK(read(pairs[i][end], text, sizeof text) == 6);
  }
}
IN_A_PROCESS(descriptors_may_be_closed_between_calls)

int main(void) {
  enter(120);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(ignored_children_stay_ignored),
      cmocka_unit_test(a_late_process_sets_no_handler),
      cmocka_unit_test(descriptors_may_be_closed_between_calls),
  };
  return cmocka_run_group_tests_name("leftovers", tests, NULL, NULL);
}
