/* The library as a guest: signals, stacks, threads, descriptors and the end of a process or thread
 * are the host's, and stay as they were. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "host.h"

enum { FETCHES = 200, SMALL_STACK = 20 * 1024, SIGNALS = 65 };

/* Under AddressSanitizer frames are larger than a small stack. And leaks are client.c's business:
 * a forked child leaves its parent's state alone, and glibc has no destructors any more for what a
 * thread's last destructors make. */
#ifdef __SANITIZE_ADDRESS__
#define SKIP_UNDER_SANITIZER() skip()
const char *__asan_default_options(void);
const char *__asan_default_options(void) { return "detect_leaks=0"; }
#else
#define SKIP_UNDER_SANITIZER() (void)0
#endif

/* --- the chain's places, for one test --- */

static void use_credential_process(void) {
  unsetenv("AWS_CONTAINER_CREDENTIALS_FULL_URI");
  set_up_chain();
}

/* An endpoint on loopback that does as it is told with each connection. */
struct endpoint {
  int listener;
  pthread_t thread;
  void (*serve)(int connection);
  int served;
};

static void *accept_all(void *data) {
  struct endpoint *endpoint = data;
  for (;;) {
    int connection = accept(endpoint->listener, NULL, NULL);
    if (connection < 0) return NULL;
    endpoint->served++;
    endpoint->serve(connection);
    close(connection);
  }
}

static void start_endpoint(struct endpoint *endpoint, const char *name,
                           void (*serve)(int connection)) {
  struct sockaddr_in address = {0};
  socklen_t length = sizeof address;
  char uri[64];
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  endpoint->serve = serve;
  endpoint->served = 0;
  endpoint->listener = socket(AF_INET, SOCK_STREAM, 0);
  CHECK(endpoint->listener >= 0);
  CHECK(bind(endpoint->listener, (struct sockaddr *)&address, sizeof address) == 0);
  CHECK(listen(endpoint->listener, 64) == 0);
  CHECK(getsockname(endpoint->listener, (struct sockaddr *)&address, &length) == 0);
  CHECK(pthread_create(&endpoint->thread, NULL, accept_all, endpoint) == 0);
  /* Nothing comes before it in the chain. */
  write_home_file("aws-config", "", 0600);
  write_home_file("aws-credentials", "", 0600);
  snprintf(uri, sizeof uri, "http://%s:%d/keys", name, ntohs(address.sin_port));
  setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", uri, 1);
}

static void stop_endpoint(struct endpoint *endpoint) {
  shutdown(endpoint->listener, SHUT_RDWR); /* ends the accept() */
  CHECK(pthread_join(endpoint->thread, NULL) == 0);
  close(endpoint->listener);
  unsetenv("AWS_CONTAINER_CREDENTIALS_FULL_URI");
  unsetenv("AWS_CONTAINER_AUTHORIZATION_TOKEN");
}

static void answer_with_keys(int connection) {
  char request[8192], body[512], response[1024], end[32];
  CHECK(recv(connection, request, sizeof request, 0) > 0);
  time_t expiry = time(NULL) + 30;
  struct tm parts;
  CHECK(gmtime_r(&expiry, &parts) != NULL);
  strftime(end, sizeof end, "%Y-%m-%dT%H:%M:%SZ", &parts);
  static int count;
  snprintf(body, sizeof body,
           "{\"AccessKeyId\":\"AKIDENDPOINT%d\",\"SecretAccessKey\":\"s\",\"Token\":\"t\","
           "\"Expiration\":\"%s\"}",
           ++count, end);
  snprintf(response, sizeof response,
           "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n"
           "Connection: close\r\n\r\n%s",
           strlen(body), body);
  send(connection, response, strlen(response), MSG_NOSIGNAL);
}

/* --- signals --- */

static volatile int sigpipes_pending;

/* A SIGPIPE that was raised in a thread that has it blocked stays pending there. */
static void look_for_sigpipe(void) {
  DIR *tasks = opendir("/proc/self/task");
  CHECK(tasks != NULL);
  for (struct dirent *task; (task = readdir(tasks)) != NULL;) {
    char path[512], line[256];
    snprintf(path, sizeof path, "/proc/self/task/%s/status", task->d_name);
    FILE *file = fopen(path, "r");
    if (file == NULL) continue;
    while (fgets(line, sizeof line, file) != NULL) {
      unsigned long long pending;
      if (sscanf(line, "SigPnd: %llx", &pending) == 1) {
        sigpipes_pending += (int)(pending >> (SIGPIPE - 1) & 1);
      }
    }
    fclose(file);
  }
  closedir(tasks);
}

/* Goes away with the request unread: the client's next write is to a broken pipe. */
static void hang_up(int connection) {
  char some[1];
  CHECK(recv(connection, some, sizeof some, 0) >= 0);
  shutdown(connection, SHUT_WR);
  close(connection);
  for (int i = 0; i < 20; i++) look_for_sigpipe();
}

static void a_broken_pipe_does_not_end_the_host(void **state) {
  (void)state;
  struct endpoint endpoint;
  start_endpoint(&endpoint, "127.0.0.1", hang_up);
  /* More than a socket takes at once, so that there are writes after the hang-up. */
  const size_t size = 12 << 20;
  char *authorization = malloc(size + 1);
  CHECK(authorization != NULL);
  memset(authorization, 'A', size);
  authorization[size] = '\0';
  setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", authorization, 1);
  free(authorization);
  CHECK(signal(SIGPIPE, SIG_DFL) != SIG_ERR);
  sigpipes_pending = 0;
  for (int i = 0; i < 3; i++) {
    rdstoken_signer *signer = make_chain_signer(NULL);
    rdstoken_token *token = NULL;
    assert_int_equal(rdstoken_signer_token(signer, &token, NULL),
                     RDSTOKEN_STATUS_CREDENTIALS_FAILED);
    assert_null(token);
    rdstoken_signer_free(signer);
  }
  stop_endpoint(&endpoint);
  assert_true(sigpipes_pending > 0); /* else this test would prove nothing */
}

struct signals {
  sigset_t mask;
  struct sigaction actions[SIGNALS];
};

static void read_signals(struct signals *signals) {
  CHECK(pthread_sigmask(SIG_SETMASK, NULL, &signals->mask) == 0);
  for (int number = 1; number < SIGNALS; number++) {
    /* Two signals are the C library's own and cannot be asked for. */
    if (sigaction(number, NULL, &signals->actions[number]) != 0) CHECK(errno == EINVAL);
  }
}

static void assert_same_signals(const struct signals *before, const struct signals *after) {
  for (int number = 1; number < SIGNALS; number++) {
    const struct sigaction *was = &before->actions[number], *is = &after->actions[number];
    assert_int_equal(sigismember(&before->mask, number), sigismember(&after->mask, number));
    assert_true(was->sa_handler == is->sa_handler);
    assert_int_equal(was->sa_flags, is->sa_flags);
    for (int other = 1; other < SIGNALS; other++) {
      assert_int_equal(sigismember(&was->sa_mask, other), sigismember(&is->sa_mask, other));
    }
  }
}

static void a_handler(int number) { (void)number; }

static void fetch_from_everywhere(void) {
  struct endpoint endpoint;
  use_credential_process();
  rdstoken_signer *signer = make_chain_signer(NULL);
  use_token(signer);
  start_endpoint(&endpoint, "localhost", answer_with_keys);
  use_token(signer);
  stop_endpoint(&endpoint);
  rdstoken_signer_free(signer);
}

static void the_hosts_signals_stay_as_they_were(void **state) {
  (void)state;
  static struct signals before, after; /* zero where a signal cannot be asked for */
  struct sigaction action = {0};
  struct sigaction old_child, old_pipe;
  sigset_t some, old_mask;
  /* Once with all at its default, once with the host's own. */
  for (int own = 0; own < 2; own++) {
    if (own) {
      action.sa_handler = a_handler;
      action.sa_flags = SA_RESTART;
      CHECK(sigaction(SIGCHLD, &action, &old_child) == 0);
      CHECK(sigaction(SIGPIPE, &action, &old_pipe) == 0);
      sigemptyset(&some);
      sigaddset(&some, SIGUSR1);
      sigaddset(&some, SIGTERM);
      CHECK(pthread_sigmask(SIG_BLOCK, &some, &old_mask) == 0);
    }
    read_signals(&before);
    fetch_from_everywhere();
    read_signals(&after);
    assert_same_signals(&before, &after);
  }
  CHECK(sigaction(SIGCHLD, &old_child, NULL) == 0);
  CHECK(sigaction(SIGPIPE, &old_pipe, NULL) == 0);
  CHECK(pthread_sigmask(SIG_SETMASK, &old_mask, NULL) == 0);
}

/* --- the end of a process --- */

/* Runs `work` in a process of its own, which must end by exit(0). */
static void in_a_process(void (*work)(void)) {
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    alarm(20);
    work();
    exit(0);
  }
  int status = 0;
  CHECK(waitpid(child, &status, 0) == child);
  if (WIFSIGNALED(status)) print_error("signal %d\n", WTERMSIG(status));
  assert_true(WIFEXITED(status));
  assert_int_equal(WEXITSTATUS(status), 0);
}

static int ignoring_way;

/* The kernel reaps the credential process before anyone can ask how it ended. What it printed is
 * whole, and counts. */
static void fetch_while_ignoring_children(void) {
  struct sigaction action = {0};
  action.sa_handler = ignoring_way ? SIG_DFL : SIG_IGN;
  action.sa_flags = ignoring_way ? SA_NOCLDWAIT : 0;
  CHECK(sigaction(SIGCHLD, &action, NULL) == 0);
  rdstoken_signer *signer = make_chain_signer(NULL);
  double start = seconds_now();
  use_token(signer);
  CHECK(seconds_now() - start < 3);
  rdstoken_signer_free(signer);
}

static void a_host_that_ignores_its_children_is_served(void **state) {
  (void)state;
  use_credential_process();
  for (ignoring_way = 0; ignoring_way < 2; ignoring_way++) {
    in_a_process(fetch_while_ignoring_children);
  }
}

static rdstoken_signer *for_the_end;

static void use_at_the_end(void) {
  rdstoken_signer *own = make_chain_signer(NULL);
  use_token(own);
  rdstoken_signer_free(own);
  use_token(for_the_end);
  rdstoken_signer_invalidate_credentials(for_the_end);
  use_copy(for_the_end);
}

static void register_warm(void) {
  for_the_end = make_chain_signer(NULL);
  use_token(for_the_end);
  CHECK(atexit(use_at_the_end) == 0);
}

/* Registered before the library has run, so that it is called after all that the library may have
 * registered for itself. */
static void register_cold(void) {
  CHECK(atexit(use_at_the_end) == 0);
  for_the_end = make_chain_signer(NULL);
}

static void leave_signers_behind(void) {
  rdstoken_token *token = NULL;
  use_token(make_chain_signer(NULL));
  CHECK(rdstoken_signer_token(make_static_signer(0), &token, NULL) == RDSTOKEN_STATUS_OK);
}

static void *fetch_for_ever(void *signer) {
  for (;;) use_token(signer);
  return NULL;
}

static void leave_in_mid_fetch(void) {
  pthread_t thread;
  rdstoken_signer *signer = make_chain_signer(NULL);
  for (int i = 0; i < 3; i++) CHECK(pthread_create(&thread, NULL, fetch_for_ever, signer) == 0);
  sleep_milliseconds(30);
}

static void exit_handlers_may_call(void **state) {
  (void)state;
  use_credential_process();
  in_a_process(register_warm);
  in_a_process(register_cold);
}

static void signers_may_be_left_behind(void **state) {
  (void)state;
  use_credential_process();
  in_a_process(leave_signers_behind);
  for (int i = 0; i < 20; i++) in_a_process(leave_in_mid_fetch);
}

/* --- threads --- */

static void run_thread(const pthread_attr_t *attributes, void *(*work)(void *), void *data) {
  pthread_t thread;
  CHECK(pthread_create(&thread, attributes, work, data) == 0);
  CHECK(pthread_join(thread, NULL) == 0);
}

static pthread_key_t key;
static int destroyed;

/* Runs after the thread's C++ and Rust locals are gone. */
static void use_while_the_thread_ends(void *signer) {
  use_token(signer);
  rdstoken_signer_invalidate_credentials(signer);
  use_copy(signer);
  rdstoken_signer *own = make_chain_signer(NULL);
  use_token(own);
  rdstoken_signer_free(own);
  destroyed++;
}

static void *set_key(void *signer) {
  CHECK(pthread_setspecific(key, signer) == 0);
  return NULL;
}

static void *use_and_set_key(void *signer) {
  use_token(signer);
  return set_key(signer);
}

static void a_thread_that_ends_may_call(void **state) {
  (void)state;
  use_credential_process();
  CHECK(pthread_key_create(&key, use_while_the_thread_ends) == 0);
  rdstoken_signer *signer = make_chain_signer(NULL);
  destroyed = 0;
  run_thread(NULL, set_key, signer); /* the library was never in this thread */
  run_thread(NULL, use_and_set_key, signer);
  assert_int_equal(destroyed, 2);
  rdstoken_signer_free(signer);
  pthread_key_delete(key);
}

static void presign(void) {
  rdstoken_credentials *credentials = NULL;
  rdstoken_token *token = NULL;
  rdstoken_error *error = NULL;
  CHECK(rdstoken_credentials_new_static("AKIDSTATIC", SECRET, "t", &credentials, NULL) ==
        RDSTOKEN_STATUS_OK);
  rdstoken_presign_options options = {0};
  options.struct_size = sizeof options;
  options.hostname = HOSTNAME;
  options.port = 5432;
  options.username = "app";
  options.credentials = credentials;
  options.signing_time = 1767225600;
  CHECK_OK(rdstoken_presign(&options, &token, &error), error);
  rdstoken_token_free(token);
  options.port = 0;
  CHECK(rdstoken_presign(&options, &token, &error) == RDSTOKEN_STATUS_INVALID_ARGUMENT);
  rdstoken_error_free(error);
  rdstoken_credentials_free(credentials);
}

/* All that a thread with little room may want. */
static void *use_on_small_stack(void *nothing) {
  presign();
  rdstoken_signer *signer = make_static_signer(0);
  use_token(signer);
  use_copy(signer);
  rdstoken_signer_free(signer);
  signer = make_static_signer(1);
  use_token(signer);
  rdstoken_signer_free(signer);
  signer = make_chain_signer(NULL);
  use_token(signer);
  use_copy(signer);
  rdstoken_signer_free(signer);
  return nothing;
}

/* Of `size` bytes with nothing below it, filled so that one sees how much was used. */
static void use_on_stack_of(size_t size) {
  const size_t page = (size_t)sysconf(_SC_PAGESIZE);
  pthread_attr_t attributes;
  void *memory = NULL;
  CHECK(posix_memalign(&memory, page, page + size) == 0);
  unsigned char *low = memory;
  CHECK(mprotect(low, page, PROT_NONE) == 0);
  memset(low + page, 0xA5, size);
  CHECK(pthread_attr_init(&attributes) == 0);
  CHECK(pthread_attr_setstack(&attributes, low + page, size) == 0);
  run_thread(&attributes, use_on_small_stack, NULL);
  size_t untouched = 0;
  while (untouched < size && low[page + untouched] == 0xA5) untouched++;
  print_message("of a stack of %zu bytes, %zu stayed untouched\n", size, untouched);
  pthread_attr_destroy(&attributes);
  CHECK(mprotect(low, page, PROT_READ | PROT_WRITE) == 0);
  free(memory);
}

static void a_caller_may_have_a_small_stack(void **state) {
  (void)state;
  SKIP_UNDER_SANITIZER();
  use_credential_process();
  use_on_stack_of(SMALL_STACK);
  long smallest = sysconf(_SC_THREAD_STACK_MIN);
  use_on_stack_of(smallest > PTHREAD_STACK_MIN ? (size_t)smallest : (size_t)PTHREAD_STACK_MIN);
}

/* --- what is left after a call --- */

/* A thread that was joined may be listed for a moment more. */
static void assert_threads(int expected) {
  for (int i = 0; i < 200 && count_threads() != expected; i++) sleep_milliseconds(5);
  assert_int_equal(count_threads(), expected);
}

static void fetch_often(void) {
  rdstoken_signer *signer = make_chain_signer(NULL);
  int threads = count_threads();
  use_token(signer); /* what is opened once and for all */
  assert_threads(threads);
  int descriptors = count_descriptors();
  for (int i = 0; i < FETCHES; i++) {
    use_token(signer);
    assert_threads(threads);
  }
  assert_int_equal(stats_of(signer).renewals, FETCHES + 1);
  assert_int_equal(count_descriptors(), descriptors);
  rdstoken_signer_free(signer);
}

static void no_thread_and_no_descriptor_stays(void **state) {
  (void)state;
  struct endpoint endpoint;
  use_credential_process();
  fetch_often();
  start_endpoint(&endpoint, "localhost", answer_with_keys);
  fetch_often();
  stop_endpoint(&endpoint);
}

/* The program is stopped and waited for: it neither runs on nor stays a zombie. */
static void a_late_process_does_not_stay(void **state) {
  (void)state;
  write_home_file("aws-config", "[default]\ncredential_process = /bin/sh -c 'sleep 20; true'\n",
                  0600);
  rdstoken_signer_options options = chain_options(NULL);
  rdstoken_token *token = NULL;
  siginfo_t child = {0};
  options.timeout_milliseconds = 300;
  rdstoken_signer *signer = make_signer(&options);
  assert_int_equal(rdstoken_signer_token(signer, &token, NULL), RDSTOKEN_STATUS_TIMEOUT);
  assert_int_equal(waitid(P_ALL, 0, &child, WEXITED | WNOHANG | WNOWAIT), -1);
  assert_int_equal(errno, ECHILD);
  rdstoken_signer_free(signer);
}

/* Neither after calls that fail. */
static void none_stays_after_a_failure(void **state) {
  (void)state;
  write_home_file("aws-config", "[default]\ncredential_process = /bin/sh -c 'exit 1'\n", 0600);
  int threads = count_threads(), descriptors = 0;
  for (int i = 0; i < 20; i++) {
    rdstoken_signer *signer = make_chain_signer(NULL);
    rdstoken_token *token = NULL;
    assert_int_equal(rdstoken_signer_token(signer, &token, NULL),
                     RDSTOKEN_STATUS_CREDENTIALS_FAILED);
    rdstoken_signer_free(signer);
    assert_threads(threads);
    if (i == 0) descriptors = count_descriptors();
  }
  assert_int_equal(count_descriptors(), descriptors);
}

int main(void) {
  enter(180);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_broken_pipe_does_not_end_the_host),
      cmocka_unit_test(the_hosts_signals_stay_as_they_were),
      cmocka_unit_test(a_host_that_ignores_its_children_is_served),
      cmocka_unit_test(exit_handlers_may_call),
      cmocka_unit_test(signers_may_be_left_behind),
      cmocka_unit_test(a_thread_that_ends_may_call),
      cmocka_unit_test(a_caller_may_have_a_small_stack),
      cmocka_unit_test(no_thread_and_no_descriptor_stays),
      cmocka_unit_test(none_stays_after_a_failure),
      cmocka_unit_test(a_late_process_does_not_stay),
  };
  return cmocka_run_group_tests_name("host", tests, NULL, NULL);
}
