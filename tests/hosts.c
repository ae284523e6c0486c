/* Preloaded by hosts.sh: the names of RDSTOKEN_TEST_HOSTS, with a space around each, are 127.0.0.1;
 * an address is itself; any other name is unknown, and nobody is asked for it. nss_wrapper, which
 * does the like, frees something twice now and then when threads look up names at the same time. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef int look_up(const char *, const char *, const struct addrinfo *, struct addrinfo **);

static int is_ours(const char *name) {
  const char *hosts = getenv("RDSTOKEN_TEST_HOSTS");
  char word[300];
  int length = snprintf(word, sizeof word, " %s ", name);
  return hosts != NULL && length < (int)sizeof word && strcasestr(hosts, word) != NULL;
}

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                struct addrinfo **found) {
  look_up *system = (look_up *)dlsym(RTLD_NEXT, "getaddrinfo");
  if (node == NULL) return system(node, service, hints, found);
  struct addrinfo numeric = {0};
  if (hints != NULL) numeric = *hints;
  numeric.ai_flags |= AI_NUMERICHOST;
  return system(is_ours(node) ? "127.0.0.1" : node, service, &numeric, found);
}
