/* Logs in to a data source that holds no password, and gives none, for the tests: once for each
 * line on standard input, which it answers with the user that is logged in, or why nobody is.
 *
 *   odbc_no_password DSN */
#include <stdio.h>
#include <string.h>

#include <sql.h>
#include <sqlext.h>

static void log_in(SQLHDBC connection, const char *dsn) {
  SQLHSTMT statement;
  SQLCHAR answer[1024] = "no answer", query[] = "SELECT CURRENT_USER";
  SQLRETURN done = SQLConnect(connection, (SQLCHAR *)dsn, SQL_NTS, NULL, 0, NULL, 0);
  if (SQL_SUCCEEDED(done)) {
    SQLAllocHandle(SQL_HANDLE_STMT, connection, &statement);
    if (SQL_SUCCEEDED(SQLExecDirect(statement, query, SQL_NTS)) &&
        SQL_SUCCEEDED(SQLFetch(statement)))
      SQLGetData(statement, 1, SQL_C_CHAR, answer, sizeof answer, NULL);
    SQLFreeHandle(SQL_HANDLE_STMT, statement);
    SQLDisconnect(connection);
    answer[strcspn((const char *)answer, "@")] = '\0'; /* MariaDB adds the host */
  } else {
    SQLCHAR state[6];
    SQLSMALLINT length;
    SQLGetDiagRec(SQL_HANDLE_DBC, connection, 1, state, NULL, answer, sizeof answer, &length);
  }
  puts((const char *)answer);
  fflush(stdout);
}

int main(int argc, char **argv) {
  SQLHENV environment;
  SQLHDBC connection;
  char line[16];
  if (argc != 2) return 2;
  SQLAllocHandle(SQL_HANDLE_ENV, SQL_NULL_HANDLE, &environment);
  SQLSetEnvAttr(environment, SQL_ATTR_ODBC_VERSION, (SQLPOINTER)SQL_OV_ODBC3, 0);
  while (fgets(line, sizeof line, stdin) != NULL) {
    SQLAllocHandle(SQL_HANDLE_DBC, environment, &connection);
    log_in(connection, argv[1]);
    SQLFreeHandle(SQL_HANDLE_DBC, connection);
  }
  SQLFreeHandle(SQL_HANDLE_ENV, environment);
  return 0;
}
