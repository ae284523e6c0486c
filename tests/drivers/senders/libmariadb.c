/* libmariadb. See README.md. */
#define _GNU_SOURCE
#include "common.h"

#include <mysql.h>

int main(void) {
  for (;;) {
    struct request r = read_request();
    MYSQL *connection = mysql_init(NULL);
    my_bool yes = 1;
    mysql_optionsv(connection, MYSQL_OPT_SSL_ENFORCE, &yes);
    mysql_optionsv(connection, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &yes);
    mysql_optionsv(connection, MYSQL_OPT_SSL_CA, r.ca_file);
    answer(mysql_real_connect(connection, r.host, r.user, r.token, r.dbname,
                              (unsigned)atoi(r.port), NULL, 0) != NULL);
    mysql_close(connection);
  }
}
