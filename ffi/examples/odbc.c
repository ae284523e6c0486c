/* Keeps logging in through unixODBC, to PostgreSQL with psqlodbc or to MySQL and MariaDB with
 * MariaDB's Connector/ODBC, each time with a token that is good: once, and then once more for each
 * line on standard input, as a program does that lives for days.
 *
 *   cc odbc.c $(pkg-config --cflags --libs rdstoken odbc) -o odbc
 *   ./odbc psqlodbc     HOSTNAME PORT USERNAME DATABASE global-bundle.pem
 *   ./odbc mariadb-odbc HOSTNAME PORT USERNAME DATABASE global-bundle.pem
 *
 * A seventh argument says how many seconds a token is valid, 900 unless given. The credentials come
 * from the AWS SDKs' default chain. */
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

/* The token in a connection string: what stands in the braces after PWD=. No token holds a brace. */
static char *token_in(const char *string) {
  const char *start = strstr(string, "PWD={") + strlen("PWD={");
  size_t length = strcspn(start, "}");
  char *token = calloc(1, length + 1);
  if (token != NULL) memcpy(token, start, length);
  return token;
}

static int print_user(SQLHDBC connection) {
  SQLHSTMT statement;
  SQLCHAR user[256] = "";
  if (!SQL_SUCCEEDED(SQLAllocHandle(SQL_HANDLE_STMT, connection, &statement))) return 0;
  SQLCHAR query[] = "SELECT CURRENT_USER";
  int ok = SQL_SUCCEEDED(SQLExecDirect(statement, query, SQL_NTS)) &&
           SQL_SUCCEEDED(SQLFetch(statement)) &&
           SQL_SUCCEEDED(SQLGetData(statement, 1, SQL_C_CHAR, user, sizeof user, NULL));
  SQLFreeHandle(SQL_HANDLE_STMT, statement);
  user[strcspn((const char *)user, "@")] = '\0'; /* MariaDB adds the host */
  if (ok) puts((const char *)user);
  return ok;
}

/* Answers whether it logged in; if not, `retry` is whether to try once more. */
static int try_to_log_in(SQLHENV environment, const rdstoken_signer *signer,
                         const rdstoken_connection_options *options, int32_t *retry) {
  *retry = 0;
  rdstoken_connection_string *string = NULL;
  rdstoken_error *error = NULL;
  if (rdstoken_signer_connection_string(signer, options, &string, &error) != RDSTOKEN_STATUS_OK) {
    fprintf(stderr, "%s\n", rdstoken_error_message(error));
    rdstoken_error_free(error);
    return 0;
  }
  SQLHDBC connection;
  int ok = SQL_SUCCEEDED(SQLAllocHandle(SQL_HANDLE_DBC, environment, &connection));
  if (ok) {
    /* Neither the string nor its length is const for ODBC; it does not write to it. */
    SQLCHAR *text = (SQLCHAR *)rdstoken_connection_string_value(string);
    ok = SQL_SUCCEEDED(SQLDriverConnect(connection, NULL, text, SQL_NTS, NULL, 0, NULL,
                                        SQL_DRIVER_NOPROMPT));
    if (ok) {
      ok = print_user(connection);
      SQLDisconnect(connection);
    } else if (explain(connection)) {
      char *token = token_in(rdstoken_connection_string_value(string));
      rdstoken_signer_refused(signer, token, retry, NULL);
      free(token);
    }
    SQLFreeHandle(SQL_HANDLE_DBC, connection);
  }
  rdstoken_connection_string_free(string);
  return ok;
}

static int log_in(SQLHENV environment, const rdstoken_signer *signer,
                  const rdstoken_connection_options *options) {
  int32_t retry;
  if (try_to_log_in(environment, signer, options, &retry)) return 1;
  /* Once, if the token may have died since it was first given out. */
  return retry && try_to_log_in(environment, signer, options, &retry);
}

int main(int argc, char **argv) {
  if (argc < 7 || argc > 8) {
    fprintf(stderr, "usage: %s DRIVER HOSTNAME PORT USERNAME DATABASE CA_FILE [SECONDS]\n",
            argv[0]);
    return 2;
  }
  rdstoken_connection_options connection = {0};
  connection.struct_size = sizeof connection;
  connection.driver = argv[1];
  connection.form = "connection-string";
  connection.database = argv[5];
  connection.ca_file = argv[6];

  rdstoken_signer_options options = {0};
  options.struct_size = sizeof options;
  options.hostname = argv[2];
  options.port = (uint16_t)atoi(argv[3]);
  options.username = argv[4];
  options.expires_in_seconds = argc == 8 ? (uint32_t)atoi(argv[7]) : 0;

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
    ok = log_in(environment, signer, &connection);
    fflush(stdout);
  } while (ok && fgets(line, sizeof line, stdin) != NULL);
  SQLFreeHandle(SQL_HANDLE_ENV, environment);
  rdstoken_signer_free(signer);
  return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
