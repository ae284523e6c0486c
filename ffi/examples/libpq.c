/* Keeps logging in to PostgreSQL through libpq, each time with a token that is good: once, and then
 * once more for each line on standard input, as a program does that lives for days.
 *
 *   cc libpq.c $(pkg-config --cflags --libs rdstoken libpq) -o libpq
 *   PGSSLROOTCERT=global-bundle.pem ./libpq HOSTNAME PORT USERNAME
 *
 * A fourth argument says how many seconds a token is valid, 900 unless given. The credentials come
 * from the AWS SDKs' default chain; libpq reads PGSSLROOTCERT and so on from the environment. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libpq-fe.h>
#include <rdstoken.h>

/* PQconnectdbParams() in steps, because only so can libpq be told to put the server's SQLSTATE into
 * the message of a login that fails. */
static PGconn *connect_with(const char *hostname, const char *port, const char *username,
                            const char *password) {
  /* By itself, libpq sends the token in clear if the server says that it has no TLS. */
  const char *const names[] = {"host", "port", "user", "password", "sslmode", "gssencmode", NULL};
  const char *const values[] = {hostname, port, username, password, "verify-full", "disable", NULL};
  PGconn *connection = PQconnectStartParams(names, values, 0);
  if (connection == NULL || PQstatus(connection) == CONNECTION_BAD) return connection;
  PQsetErrorVerbosity(connection, PQERRORS_VERBOSE);
  PostgresPollingStatusType wanted = PGRES_POLLING_WRITING;
  while (wanted == PGRES_POLLING_READING || wanted == PGRES_POLLING_WRITING) {
    struct pollfd server = {PQsocket(connection),
                            wanted == PGRES_POLLING_READING ? POLLIN : POLLOUT, 0};
    poll(&server, 1, -1);
    wanted = PQconnectPoll(connection);
  }
  return connection;
}

/* The server refused the user or the password: invalid_password, or
 * invalid_authorization_specification. */
static int is_refused(const PGconn *connection) {
  const char *message = PQerrorMessage(connection);
  return PQstatus(connection) == CONNECTION_BAD && PQconnectionUsedPassword(connection) &&
         (strstr(message, " 28P01: ") != NULL || strstr(message, " 28000: ") != NULL);
}

static int log_in(const rdstoken_signer *signer, const char *hostname, const char *port,
                  const char *username) {
  int32_t retry = 1;
  for (int attempt = 1; retry; attempt++) {
    rdstoken_token *token = NULL;
    rdstoken_error *error = NULL;
    if (rdstoken_signer_token(signer, &token, &error) != RDSTOKEN_STATUS_OK) {
      fprintf(stderr, "%s\n", rdstoken_error_message(error));
      rdstoken_error_free(error);
      return 0;
    }
    PGconn *connection = connect_with(hostname, port, username, rdstoken_token_value(token));
    /* One retry, if the token may have died since it was first given out. */
    retry = 0;
    if (is_refused(connection) && attempt == 1)
      rdstoken_signer_refused(signer, rdstoken_token_value(token), &retry, NULL);
    rdstoken_token_free(token);

    int ok = PQstatus(connection) == CONNECTION_OK;
    if (ok) {
      PGresult *result = PQexec(connection, "SELECT current_user");
      puts(PQgetvalue(result, 0, 0));
      PQclear(result);
    } else if (!retry) {
      fputs(PQerrorMessage(connection), stderr);
    }
    PQfinish(connection);
    if (ok) return 1;
  }
  return 0;
}

int main(int argc, char **argv) {
  if (argc < 4 || argc > 5) {
    fprintf(stderr, "usage: %s HOSTNAME PORT USERNAME [SECONDS]\n", argv[0]);
    return 2;
  }
  rdstoken_signer_options options = {0};
  options.struct_size = sizeof options;
  options.hostname = argv[1];
  options.port = (uint16_t)atoi(argv[2]);
  options.username = argv[3];
  options.expires_in_seconds = argc == 5 ? (uint32_t)atoi(argv[4]) : 0;

  rdstoken_signer *signer = NULL;
  rdstoken_error *error = NULL;
  if (rdstoken_signer_new(&options, &signer, &error) != RDSTOKEN_STATUS_OK) {
    fprintf(stderr, "%s\n", rdstoken_error_message(error));
    rdstoken_error_free(error);
    return EXIT_FAILURE;
  }
  char line[16];
  int ok;
  do {
    ok = log_in(signer, argv[1], argv[2], argv[3]);
    fflush(stdout);
  } while (ok && fgets(line, sizeof line, stdin) != NULL);
  rdstoken_signer_free(signer);
  return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
