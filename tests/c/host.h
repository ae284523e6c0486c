/* What the programs share that test the library as a guest in a process: a credential chain in
 * the guard's private home, a look at threads and descriptors, failing without cmocka (which does
 * not work in forked children and in threads). */
#ifndef RDSTOKEN_TEST_HOST_H
#define RDSTOKEN_TEST_HOST_H

#include <dirent.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "rdstoken.h"

#define HOSTNAME "mydb.cluster-abc123.us-east-1.rds.amazonaws.com"
#define SECRET "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"

/* Ends the process with a message and without exit handlers, in any thread of any process. */
#define CHECK(condition) \
  ((condition) ? (void)0 : check_failed(__FILE__, __LINE__, #condition, ""))
#define CHECK_OK(status, error)                                             \
  ((status) == RDSTOKEN_STATUS_OK                                           \
       ? (void)0                                                            \
       : check_failed(__FILE__, __LINE__, rdstoken_status_name(status),     \
                      rdstoken_error_message(error)))

static inline void check_failed(const char *file, int line, const char *what, const char *more) {
  char text[1024];
  int length = snprintf(text, sizeof text, "%s:%d: failed: %s %s\n", file, line, what, more);
  if (length > (int)sizeof text - 1) length = (int)sizeof text - 1;
  if (write(STDERR_FILENO, text, (size_t)length) < 0) _exit(4);
  _exit(3);
}

/* The chain must not find, or reach, anything of the machine's. */
static inline void enter(unsigned watchdog_seconds) {
  if (getenv("RDSTOKEN_TEST_GUARD") == NULL) {
    fputs("run this through tests/guard.sh, as `make test` does\n", stderr);
    exit(2);
  }
  alarm(watchdog_seconds); /* a hang is a death by SIGALRM */
}

static inline void sleep_milliseconds(unsigned milliseconds) {
  struct timespec time = {milliseconds / 1000, (long)(milliseconds % 1000) * 1000000L};
  nanosleep(&time, NULL);
}

static inline double seconds_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* --- a credential chain of our own --- */

/* Writes a file of the guard's home, in one step for those who read it meanwhile. */
static inline void write_home_file(const char *name, const char *text, mode_t mode) {
  char path[4096], part[4096 + 8];
  snprintf(path, sizeof path, "%s/%s", getenv("HOME"), name);
  snprintf(part, sizeof part, "%s.part", path);
  FILE *file = fopen(part, "wb");
  CHECK(file != NULL);
  CHECK(fputs(text, file) >= 0);
  CHECK(fclose(file) == 0);
  CHECK(chmod(part, mode) == 0);
  CHECK(rename(part, path) == 0);
}

/* When the keys that the credential process gives from now on expire. */
static inline void set_keys_expiry(int seconds_from_now) {
  time_t end = time(NULL) + seconds_from_now;
  struct tm parts;
  char text[32];
  CHECK(gmtime_r(&end, &parts) != NULL);
  CHECK(strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ\n", &parts) > 0);
  write_home_file("expiry", text, 0600);
}

/* The profile `default` has a credential process, which gives other keys at each call; `file` has
 * keys in a file. */
static inline void set_up_chain(void) {
  char config[8192];
  write_home_file("keys",
                  "#!/bin/sh\n"
                  "read -r expiry <\"$HOME/expiry\"\n"
                  "printf '{\"Version\":1,\"AccessKeyId\":\"AKID%s\",\"SecretAccessKey\":\"s\","
                  "\"SessionToken\":\"t\",\"Expiration\":\"%s\"}' \"$$\" \"$expiry\"\n",
                  0700);
  set_keys_expiry(30);
  snprintf(config, sizeof config, "[default]\ncredential_process = %s/keys\n", getenv("HOME"));
  write_home_file("aws-config", config, 0600);
  write_home_file("aws-credentials",
                  "[file]\naws_access_key_id = AKIDFILE\naws_secret_access_key = " SECRET "\n",
                  0600);
}

/* --- signers and tokens --- */

static inline rdstoken_signer_options chain_options(const char *profile) {
  rdstoken_signer_options options = {0};
  options.struct_size = sizeof options;
  options.hostname = HOSTNAME;
  options.port = 5432;
  options.username = "app";
  options.profile = profile;
  return options;
}

static inline rdstoken_signer *make_signer(const rdstoken_signer_options *options) {
  rdstoken_signer *signer = NULL;
  rdstoken_error *error = NULL;
  rdstoken_status status = rdstoken_signer_new(options, &signer, &error);
  CHECK_OK(status, error);
  return signer;
}

static inline rdstoken_signer *make_chain_signer(const char *profile) {
  rdstoken_signer_options options = chain_options(profile);
  return make_signer(&options);
}

static inline rdstoken_signer *make_static_signer(int no_cache) {
  rdstoken_credentials *credentials = NULL;
  rdstoken_error *error = NULL;
  rdstoken_status status =
      rdstoken_credentials_new_static("AKIDSTATIC", SECRET, NULL, &credentials, &error);
  CHECK_OK(status, error);
  rdstoken_signer_options options = chain_options(NULL);
  options.credentials = credentials;
  options.no_cache = (uint32_t)no_cache;
  rdstoken_signer *signer = make_signer(&options);
  rdstoken_credentials_free(credentials);
  return signer;
}

static inline void use_token(const rdstoken_signer *signer) {
  static const char start[] = HOSTNAME ":5432/?Action=connect&DBUser=app&";
  rdstoken_token *token = NULL;
  rdstoken_error *error = NULL;
  rdstoken_status status = rdstoken_signer_token(signer, &token, &error);
  CHECK_OK(status, error);
  const char *value = rdstoken_token_value(token);
  CHECK(strncmp(value, start, sizeof start - 1) == 0);
  CHECK(strlen(value) == rdstoken_token_length(token));
  CHECK(rdstoken_token_expires_at(token) > (int64_t)time(NULL));
  rdstoken_token_free(token);
}

/* A small buffer first, and then one that is large enough. On the heap, for small stacks. */
static inline void use_copy(const rdstoken_signer *signer) {
  size_t capacity = 64;
  for (;;) {
    char *buffer = malloc(capacity);
    CHECK(buffer != NULL);
    size_t needed = 0;
    int64_t expires_at = 0;
    rdstoken_error *error = NULL;
    rdstoken_status status =
        rdstoken_signer_copy_token(signer, buffer, capacity, &needed, &expires_at, &error);
    if (status == RDSTOKEN_STATUS_OK) {
      CHECK(strlen(buffer) + 1 == needed);
      CHECK(expires_at > (int64_t)time(NULL));
      free(buffer);
      return;
    }
    if (status != RDSTOKEN_STATUS_BUFFER_TOO_SMALL) CHECK_OK(status, error);
    rdstoken_error_free(error);
    free(buffer);
    CHECK(needed > capacity);
    capacity = needed;
  }
}

static inline rdstoken_stats stats_of(const rdstoken_signer *signer) {
  rdstoken_stats stats = {0};
  stats.struct_size = sizeof stats;
  CHECK(rdstoken_signer_stats(signer, &stats, NULL) == RDSTOKEN_STATUS_OK);
  return stats;
}

/* --- what the process has --- */

static inline int count_entries(const char *directory) {
  DIR *entries = opendir(directory);
  CHECK(entries != NULL);
  int count = 0;
  for (struct dirent *entry; (entry = readdir(entries)) != NULL;) count += entry->d_name[0] != '.';
  closedir(entries);
  return count;
}

static inline int count_threads(void) { return count_entries("/proc/self/task"); }

/* Ours for reading it is not counted. */
static inline int count_descriptors(void) { return count_entries("/proc/self/fd") - 1; }

#endif
