/* What a call costs in C, in nanoseconds: the median over batches.
 *
 *   calls SESSION_TOKEN
 *
 * prints {"cold": …, "shared": …, "copied": …, "one_thread": …, "two_threads": …, "two_signers": …}.
 * cold signs a token at every call, shared takes the one at hand and frees it, copied has it copied.
 * With two threads, batches that did not run beside one of the other thread's do not count, and
 * two_signers tells what the machine itself takes when two threads work. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <rdstoken.h>

enum { BATCHES = 201, HITS = 10000, SIGNATURES = 500, THREADS = 2 };

static void fail(rdstoken_error *error) {
  fprintf(stderr, "%s\n", error ? rdstoken_error_message(error) : "failed");
  exit(EXIT_FAILURE);
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double median(double *values, size_t count) {
  qsort(values, count, sizeof *values, by_value);
  return count ? values[count / 2] : 0.0;
}

static rdstoken_signer *new_signer(const char *session_token, uint32_t no_cache) {
  rdstoken_error *error = NULL;
  rdstoken_credentials *credentials = NULL;
  if (rdstoken_credentials_new_static("ASIAIOSFODNN7EXAMPLE",
                                      "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", session_token,
                                      &credentials, &error) != RDSTOKEN_STATUS_OK)
    fail(error);
  rdstoken_signer_options options = {0};
  options.struct_size = sizeof options;
  options.hostname = "mydb.cluster-abc123def456.us-east-1.rds.amazonaws.com";
  options.port = 5432;
  options.username = "app";
  options.credentials = credentials;
  options.no_cache = no_cache;
  rdstoken_signer *signer = NULL;
  if (rdstoken_signer_new(&options, &signer, &error) != RDSTOKEN_STATUS_OK)
    fail(error);
  rdstoken_credentials_free(credentials);
  return signer;
}

static double share(rdstoken_signer *signer, int calls) {
  double start = now();
  for (int call = 0; call < calls; ++call) {
    rdstoken_token *token;
    if (rdstoken_signer_token(signer, &token, NULL) != RDSTOKEN_STATUS_OK)
      fail(NULL);
    rdstoken_token_free(token);
  }
  return (now() - start) / calls;
}

static double copy(rdstoken_signer *signer, int calls) {
  static char buffer[131072];
  double start = now();
  for (int call = 0; call < calls; ++call) {
    size_t needed;
    if (rdstoken_signer_copy_token(signer, buffer, sizeof buffer, &needed, NULL, NULL) !=
        RDSTOKEN_STATUS_OK)
      fail(NULL);
  }
  return (now() - start) / calls;
}

static double repeat(double batch(rdstoken_signer *, int), rdstoken_signer *signer, int calls) {
  double times[BATCHES];
  for (int i = 0; i < BATCHES; ++i)
    times[i] = batch(signer, calls);
  return median(times, BATCHES);
}

static pthread_barrier_t together;
static atomic_int running;

struct work {
  rdstoken_signer *signer;
  int threads;
  int count;
  double times[BATCHES];
};

static void *hammer(void *argument) {
  struct work *work = argument;
  share(work->signer, HITS);
  pthread_barrier_wait(&together);
  while (work->count < BATCHES) {
    double time = share(work->signer, HITS);
    if (atomic_load(&running) < work->threads)
      break;
    work->times[work->count++] = time;
  }
  atomic_fetch_sub(&running, 1);
  return NULL;
}

static double in_threads(rdstoken_signer *const *signers, int threads) {
  struct work work[THREADS];
  pthread_t ids[THREADS];
  double times[THREADS * BATCHES];
  size_t count = 0;
  pthread_barrier_init(&together, NULL, (unsigned)threads);
  atomic_store(&running, threads);
  for (int i = 0; i < threads; ++i) {
    work[i].signer = signers[i];
    work[i].threads = threads;
    work[i].count = 0;
    if (pthread_create(&ids[i], NULL, hammer, &work[i]) != 0)
      fail(NULL);
  }
  for (int i = 0; i < threads; ++i) {
    pthread_join(ids[i], NULL);
    for (int j = 0; j < work[i].count; ++j)
      times[count++] = work[i].times[j];
  }
  pthread_barrier_destroy(&together);
  return median(times, count);
}

int main(int argc, char **argv) {
  const char *session_token = argc > 1 ? argv[1] : NULL;
  rdstoken_signer *cold = new_signer(session_token, 1);
  rdstoken_signer *warm[] = {new_signer(session_token, 0), new_signer(session_token, 0)};
  rdstoken_signer *same[] = {warm[0], warm[0]};
  printf("{\"cold\": %.1f, ", repeat(share, cold, SIGNATURES));
  printf("\"shared\": %.2f, ", repeat(share, warm[0], HITS));
  printf("\"copied\": %.2f, ", repeat(copy, warm[0], HITS));
  printf("\"one_thread\": %.2f, ", in_threads(same, 1));
  printf("\"two_threads\": %.2f, ", in_threads(same, 2));
  printf("\"two_signers\": %.2f}\n", in_threads(warm, 2));
  rdstoken_signer_free(warm[1]);
  rdstoken_signer_free(warm[0]);
  rdstoken_signer_free(cold);
  return EXIT_SUCCESS;
}
