/* Logs in through a data source of odbc.ini, which holds all but the password, with SQLConnect():
 * once, and then once more for each line on standard input, as a program does that lives for days.
 *
 *   cc odbc_dsn.c $(pkg-config --cflags --libs rdstoken odbc) -o odbc_dsn
 *   ./odbc_dsn DRIVER DSN HOSTNAME PORT USERNAME
 *
 * A sixth argument says how many seconds a token is valid, 900 unless given.
 * DRIVER is psqlodbc or mariadb-odbc: it is asked for its limit before the token is tried, because
 * MariaDB's crashes beyond its own. Do not write the token into odbc.ini: psqlodbc alters it there,
 * and MariaDB's driver cuts it. The credentials come from the AWS SDKs' default chain. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sql.h>
#include <sqlext.h>

#include <rdstoken.h>

/* Prints why a call failed, and answers whether the server refused the user or the password:
 * MariaDB's driver has the server's number, psqlodbc its text alone. */
static int explain(SQLHDBC connection) {
  SQLCHAR state[6], message[1024];
  SQLINTEGER number = 0;
  SQLSMALLINT length;
  if (!SQL_SUCCEEDED(SQLGetDiagRec(SQL_HANDLE_DBC, connection, 1, state, &number, message,
                                   sizeof message, &length)))
    return 0;
  fprintf(stderr, "%s: %s\n", (const char *)state, (const char *)message);
  return number == 1045 || number == 1698 ||
         strstr((const char *)message, "authentication failed for user") != NULL;
}

static int connect_with(SQLHDBC connection, const char *dsn, const char *username,
                        const char *password) {
  /* None of these is const for ODBC; it does not write to them. */
  SQLRETURN done = SQLConnect(connection, (SQLCHAR *)dsn, SQL_NTS, (SQLCHAR *)username, SQL_NTS,
                              (SQLCHAR *)password, SQL_NTS);
  if (!SQL_SUCCEEDED(done)) return 0;
  SQLCHAR name[64];
  SQLSMALLINT length;
  SQLGetInfo(connection, SQL_USER_NAME, name, sizeof name, &length);
  puts((const char *)name);
  SQLDisconnect(connection);
  return 1;
}

/* Answers whether it logged in; if not, `retry` is whether to try once more. */
static int try_to_log_in(SQLHENV environment, const rdstoken_signer *signer, const char *driver,
                         const char *dsn, const char *username, int32_t *retry) {
  *retry = 0;
  rdstoken_token *token = NULL;
  rdstoken_error *error = NULL;
  SQLHDBC connection;
  int ok = rdstoken_signer_token(signer, &token, &error) == RDSTOKEN_STATUS_OK &&
           rdstoken_check_length(driver, "SQLConnect", rdstoken_token_value(token), &error) ==
               RDSTOKEN_STATUS_OK;
  if (!ok) {
    fprintf(stderr, "%s\n", rdstoken_error_message(error));
  } else {
    SQLAllocHandle(SQL_HANDLE_DBC, environment, &connection);
    ok = connect_with(connection, dsn, username, rdstoken_token_value(token));
    if (!ok && explain(connection))
      rdstoken_signer_refused(signer, rdstoken_token_value(token), retry, NULL);
    SQLFreeHandle(SQL_HANDLE_DBC, connection);
  }
  rdstoken_error_free(error);
  rdstoken_token_free(token);
  return ok;
}

static int log_in(SQLHENV environment, const rdstoken_signer *signer, const char *driver,
                  const char *dsn, const char *username) {
  int32_t retry;
  if (try_to_log_in(environment, signer, driver, dsn, username, &retry)) return 1;
  /* Once, if the token may have died since it was first given out. */
  return retry && try_to_log_in(environment, signer, driver, dsn, username, &retry);
}

int main(int argc, char **argv) {
  if (argc < 6 || argc > 7) {
    fprintf(stderr, "usage: %s DRIVER DSN HOSTNAME PORT USERNAME [SECONDS]\n", argv[0]);
    return 2;
  }
  rdstoken_signer_options options = {0};
  options.struct_size = sizeof options;
  options.hostname = argv[3];
  options.port = (uint16_t)atoi(argv[4]);
  options.username = argv[5];
  options.expires_in_seconds = argc == 7 ? (uint32_t)atoi(argv[6]) : 0;

  rdstoken_signer *signer = NULL;
  rdstoken_error *error = NULL;
  if (rdstoken_signer_new(&options, &signer, &error) != RDSTOKEN_STATUS_OK) {
    fprintf(stderr, "%s\n", rdstoken_error_message(error));
    rdstoken_error_free(error);
    return EXIT_FAILURE;
  }
  SQLHENV environment;
  SQLAllocHandle(SQL_HANDLE_ENV, SQL_NULL_HANDLE, &environment);
  SQLSetEnvAttr(environment, SQL_ATTR_ODBC_VERSION, (SQLPOINTER)SQL_OV_ODBC3, 0);
  char line[16];
  int ok;
  do {
    ok = log_in(environment, signer, argv[1], argv[2], argv[5]);
    fflush(stdout);
  } while (ok && fgets(line, sizeof line, stdin) != NULL);
  SQLFreeHandle(SQL_HANDLE_ENV, environment);
  rdstoken_signer_free(signer);
  return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
