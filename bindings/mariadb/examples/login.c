/* Logs in to MySQL or MariaDB with no password: the plugin in PLUGIN_DIR has the token. Once, and
 * then once more for each line on standard input, as a program does that lives for days.
 *
 *   cc login.c $(pkg-config --cflags --libs libmariadb) -o login
 *   ./login HOSTNAME PORT USERNAME global-bundle.pem /usr/local/lib/rdstoken/plugin */
#include <stdio.h>
#include <stdlib.h>

#include <mysql.h>

static int log_in(char **login) {
  MYSQL *connection = mysql_init(NULL);
  const my_bool on = 1;
  mysql_options(connection, MYSQL_PLUGIN_DIR, login[4]);
  mysql_options(connection, MYSQL_OPT_SSL_CA, login[3]);
  mysql_options(connection, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &on);
  int ok = mysql_real_connect(connection, login[0], login[2], NULL, NULL,
                              (unsigned)atoi(login[1]), NULL, 0) != NULL;
  if (ok) {
    puts(login[2]);
  } else {
    fprintf(stderr, "%s\n", mysql_error(connection));
  }
  mysql_close(connection);
  return ok;
}

int main(int argc, char **argv) {
  if (argc != 6) {
    fprintf(stderr, "usage: %s HOSTNAME PORT USERNAME CA_FILE PLUGIN_DIR\n", argv[0]);
    return 2;
  }
  char line[16];
  int ok;
  do {
    ok = log_in(argv + 1);
    fflush(stdout);
  } while (ok && fgets(line, sizeof line, stdin) != NULL);
  mysql_library_end();
  return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
