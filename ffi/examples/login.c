/* Logs in to PostgreSQL with an IAM token, through libpq.
 *
 *   cc login.c $(pkg-config --cflags --libs rdstoken libpq) -o login
 *   PGSSLROOTCERT=global-bundle.pem ./login HOSTNAME PORT USERNAME
 *
 * The credentials come from the AWS SDKs' default chain; libpq reads PGSSLROOTCERT, PGDATABASE and
 * so on from the environment. libpq.c is for programs that log in more than once. */
#include <stdio.h>
#include <stdlib.h>

#include <libpq-fe.h>
#include <rdstoken.h>

static int print_user(PGconn *connection) {
  int ok = PQstatus(connection) == CONNECTION_OK;
  if (ok) {
    PGresult *result = PQexec(connection, "SELECT current_user");
    puts(PQgetvalue(result, 0, 0));
    PQclear(result);
  } else {
    fputs(PQerrorMessage(connection), stderr);
  }
  return ok;
}

int main(int argc, char **argv) {
  if (argc != 4) {
    fprintf(stderr, "usage: %s HOSTNAME PORT USERNAME\n", argv[0]);
    return 2;
  }
  rdstoken_signer_options options = {0};
  options.struct_size = sizeof options;
  options.hostname = argv[1];
  options.port = (uint16_t)atoi(argv[2]);
  options.username = argv[3];

  rdstoken_signer *signer = NULL;
  rdstoken_token *token = NULL;
  rdstoken_error *error = NULL;
  int ok = rdstoken_signer_new(&options, &signer, &error) == RDSTOKEN_STATUS_OK &&
           rdstoken_signer_token(signer, &token, &error) == RDSTOKEN_STATUS_OK;
  if (ok) {
    /* By itself, libpq sends the token in clear if the server says that it has no TLS. */
    const char *const names[] = {"host",    "port",       "user", "password",
                                 "sslmode", "gssencmode", NULL};
    const char *const values[] = {argv[1],       argv[2],   argv[3], rdstoken_token_value(token),
                                  "verify-full", "disable", NULL};
    PGconn *connection = PQconnectdbParams(names, values, 0);
    ok = print_user(connection);
    PQfinish(connection);
  } else {
    fprintf(stderr, "%s\n", rdstoken_error_message(error));
  }
  rdstoken_error_free(error);
  rdstoken_token_free(token);
  rdstoken_signer_free(signer);
  return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
