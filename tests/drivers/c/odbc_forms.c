/* Hands a token to an ODBC driver in one of the forms that there are, for the tests: those that work
 * and those that do not. It prints the user that is logged in, or why nobody is.
 *
 *   odbc_forms FORM DSN-OR-STRING USERNAME <token
 *
 * FORM is SQLConnect or SQLConnectW, with the name of a data source; or SQLDriverConnect or
 * SQLDriverConnectW, with a connection string in which @ stands for the token. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sql.h>
#include <sqlext.h>
#include <sqlucode.h>

static SQLCHAR *bytes(const char *text) { return (SQLCHAR *)text; }

/* ASCII as UTF-16, which is SQLWCHAR here. */
static SQLWCHAR *wide(const char *text) {
  size_t length = strlen(text);
  SQLWCHAR *copy = calloc(length + 1, sizeof *copy);
  if (copy == NULL) abort();
  for (size_t i = 0; i < length; i++) copy[i] = (unsigned char)text[i];
  return copy;
}

static char *fill_in(const char *string, const char *token) {
  const char *place = strchr(string, '@');
  char *filled = malloc(strlen(string) + strlen(token));
  if (place == NULL || filled == NULL) abort();
  sprintf(filled, "%.*s%s%s", (int)(place - string), string, token, place + 1);
  return filled;
}

static SQLRETURN connect_as(SQLHDBC connection, const char *form, const char *where,
                            const char *username, const char *token) {
  if (strcmp(form, "SQLConnect") == 0)
    return SQLConnect(connection, bytes(where), SQL_NTS, bytes(username), SQL_NTS, bytes(token),
                      SQL_NTS);
  if (strcmp(form, "SQLConnectW") == 0)
    return SQLConnectW(connection, wide(where), SQL_NTS, wide(username), SQL_NTS, wide(token),
                       SQL_NTS);
  char *string = fill_in(where, token);
  if (strcmp(form, "SQLDriverConnect") == 0)
    return SQLDriverConnect(connection, NULL, bytes(string), SQL_NTS, NULL, 0, NULL,
                            SQL_DRIVER_NOPROMPT);
  if (strcmp(form, "SQLDriverConnectW") == 0)
    return SQLDriverConnectW(connection, NULL, wide(string), SQL_NTS, NULL, 0, NULL,
                             SQL_DRIVER_NOPROMPT);
  abort();
}

int main(int argc, char **argv) {
  static char token[65536], user[256], message[1024];
  SQLHENV environment;
  SQLHDBC connection;
  SQLHSTMT statement;
  if (argc != 4 || fgets(token, sizeof token, stdin) == NULL) return 2;
  SQLAllocHandle(SQL_HANDLE_ENV, SQL_NULL_HANDLE, &environment);
  SQLSetEnvAttr(environment, SQL_ATTR_ODBC_VERSION, (SQLPOINTER)SQL_OV_ODBC3, 0);
  SQLAllocHandle(SQL_HANDLE_DBC, environment, &connection);
  if (!SQL_SUCCEEDED(connect_as(connection, argv[1], argv[2], argv[3], token))) {
    SQLCHAR state[6] = "";
    SQLSMALLINT length;
    SQLGetDiagRec(SQL_HANDLE_DBC, connection, 1, state, NULL, bytes(message), sizeof message,
                  &length);
    printf("%s: %s\n", (const char *)state, message);
    return 1;
  }
  SQLAllocHandle(SQL_HANDLE_STMT, connection, &statement);
  if (!SQL_SUCCEEDED(SQLExecDirect(statement, bytes("SELECT CURRENT_USER"), SQL_NTS)) ||
      !SQL_SUCCEEDED(SQLFetch(statement)) ||
      !SQL_SUCCEEDED(SQLGetData(statement, 1, SQL_C_CHAR, user, sizeof user, NULL)))
    return 3;
  user[strcspn(user, "@")] = '\0';
  puts(user);
  SQLFreeHandle(SQL_HANDLE_STMT, statement);
  SQLDisconnect(connection);
  SQLFreeHandle(SQL_HANDLE_DBC, connection);
  SQLFreeHandle(SQL_HANDLE_ENV, environment);
  return 0;
}
