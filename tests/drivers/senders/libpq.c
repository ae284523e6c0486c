/* libpq. See README.md. */
#define _GNU_SOURCE
#include "common.h"

#include <libpq-fe.h>

int main(void) {
  for (;;) {
    struct request r = read_request();
    const char *names[] = {"host",     "port",    "dbname",      "user",
                           "password", "sslmode", "sslrootcert", NULL};
    const char *values[] = {r.host, r.port, r.dbname, r.user, r.token, "verify-full", r.ca_file, NULL};
    PGconn *connection = PQconnectdbParams(names, values, 0);
    answer(PQstatus(connection) == CONNECTION_OK);
    PQfinish(connection);
  }
}
