/* ODBC through unixODBC. The second argument is the function that connects. See README.md. */
#define _GNU_SOURCE
#include "common.h"

#include <sql.h>
#include <sqlext.h>
#include <sqlucode.h>

/* ASCII to UTF-16, which is what unixODBC means by a wide character. */
static SQLWCHAR *wide(const char *text) {
  size_t length = strlen(text);
  SQLWCHAR *made = calloc(length + 1, sizeof *made);
  for (size_t i = 0; i < length; i++) {
    made[i] = (unsigned char)text[i];
  }
  return made;
}

static SQLRETURN sign_in(SQLHDBC connection, const char *function, const struct request *r) {
  SQLCHAR out[1024];
  SQLWCHAR wide_out[1024];
  SQLSMALLINT length;
  SQLCHAR *text = (SQLCHAR *)r->text;
  if (strcmp(function, "SQLConnect") == 0) {
    return SQLConnect(connection, text, SQL_NTS, (SQLCHAR *)r->user, SQL_NTS, (SQLCHAR *)r->token,
                      SQL_NTS);
  }
  if (strcmp(function, "SQLConnectW") == 0) {
    return SQLConnectW(connection, wide(r->text), SQL_NTS, wide(r->user), SQL_NTS, wide(r->token),
                       SQL_NTS);
  }
  if (strcmp(function, "SQLDriverConnectW") == 0) {
    return SQLDriverConnectW(connection, NULL, wide(r->text), SQL_NTS, wide_out, 1024, &length,
                             SQL_DRIVER_NOPROMPT);
  }
  return SQLDriverConnect(connection, NULL, text, SQL_NTS, out, sizeof out, &length,
                          SQL_DRIVER_NOPROMPT);
}

int main(int count, char **arguments) {
  const char *function = count > 1 ? arguments[1] : "SQLDriverConnect";
  SQLHENV environment;
  SQLAllocHandle(SQL_HANDLE_ENV, SQL_NULL_HANDLE, &environment);
  SQLSetEnvAttr(environment, SQL_ATTR_ODBC_VERSION, (SQLPOINTER)SQL_OV_ODBC3, 0);
  for (;;) {
    struct request r = read_request();
    SQLHDBC connection;
    SQLAllocHandle(SQL_HANDLE_DBC, environment, &connection);
    SQLRETURN done = sign_in(connection, function, &r);
    answer(SQL_SUCCEEDED(done));
    if (SQL_SUCCEEDED(done)) {
      SQLDisconnect(connection);
    }
    SQLFreeHandle(SQL_HANDLE_DBC, connection);
  }
}
