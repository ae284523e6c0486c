/* What the senders in C share: requests in, answers out. See README.md. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct request {
  char *token, *text, *host, *port, *dbname, *user, *ca_file;
};

static char *read_line(void) {
  char *line = NULL;
  size_t size = 0;
  ssize_t length = getline(&line, &size, stdin);
  if (length < 0) {
    exit(0);
  }
  line[strcspn(line, "\n")] = '\0';
  return line;
}

static struct request read_request(void) {
  struct request request;
  char **fields[] = {&request.token,  &request.text, &request.host,   &request.port,
                     &request.dbname, &request.user, &request.ca_file};
  for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
    *fields[i] = read_line();
  }
  return request;
}

static void answer(int is_in) {
  puts(is_in ? "in" : "refused");
  fflush(stdout);
}
