/* Keeps logging in to MySQL or MariaDB through libmariadb, each time with a token that is good: once,
 * and then once more for each line on standard input, as a program does that lives for days.
 *
 *   cc libmariadb.c $(pkg-config --cflags --libs rdstoken libmariadb) -o libmariadb
 *   ./libmariadb HOSTNAME PORT USERNAME global-bundle.pem
 *
 * A fifth argument says how many seconds a token is valid, 900 unless given. The credentials come
 * from the AWS SDKs' default chain. */
#include <stdio.h>
#include <stdlib.h>

#include <mysql.h>
#include <mysqld_error.h>
#include <rdstoken.h>

static MYSQL *connect_with(const char *hostname, unsigned port, const char *username,
                           const char *password, const char *ca_file) {
  MYSQL *connection = mysql_init(NULL);
  if (connection == NULL) return NULL;
  /* Without all three, libmariadb sends the token to whoever answers, or without TLS. */
  const my_bool on = 1;
  mysql_options(connection, MYSQL_OPT_SSL_ENFORCE, &on);
  mysql_options(connection, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &on);
  mysql_options(connection, MYSQL_OPT_SSL_CA, ca_file);
  mysql_real_connect(connection, hostname, username, password, NULL, port, NULL, 0);
  return connection;
}

static int is_refused(MYSQL *connection) {
  unsigned number = mysql_errno(connection);
  return number == ER_ACCESS_DENIED_ERROR || number == ER_ACCESS_DENIED_NO_PASSWORD_ERROR;
}

static int print_user(MYSQL *connection) {
  if (mysql_query(connection, "SELECT SUBSTRING_INDEX(CURRENT_USER(), '@', 1)") != 0) return 0;
  MYSQL_RES *result = mysql_store_result(connection);
  MYSQL_ROW row = result == NULL ? NULL : mysql_fetch_row(result);
  if (row != NULL) puts(row[0]);
  mysql_free_result(result);
  return row != NULL;
}

static int log_in(const rdstoken_signer *signer, const char *hostname, unsigned port,
                  const char *username, const char *ca_file) {
  int32_t retry = 1;
  for (int attempt = 1; retry; attempt++) {
    rdstoken_token *token = NULL;
    rdstoken_error *error = NULL;
    if (rdstoken_signer_token(signer, &token, &error) != RDSTOKEN_STATUS_OK) {
      fprintf(stderr, "%s\n", rdstoken_error_message(error));
      rdstoken_error_free(error);
      return 0;
    }
    MYSQL *connection =
        connect_with(hostname, port, username, rdstoken_token_value(token), ca_file);
    if (connection == NULL) abort(); /* no memory */
    /* One retry, if the token may have died since it was first given out. */
    retry = 0;
    if (is_refused(connection) && attempt == 1)
      rdstoken_signer_refused(signer, rdstoken_token_value(token), &retry, NULL);
    rdstoken_token_free(token);

    int ok = mysql_errno(connection) == 0 && print_user(connection);
    if (!ok && !retry) fprintf(stderr, "%s\n", mysql_error(connection));
    mysql_close(connection);
    if (ok) return 1;
  }
  return 0;
}

int main(int argc, char **argv) {
  if (argc < 5 || argc > 6) {
    fprintf(stderr, "usage: %s HOSTNAME PORT USERNAME CA_FILE [SECONDS]\n", argv[0]);
    return 2;
  }
  rdstoken_signer_options options = {0};
  options.struct_size = sizeof options;
  options.hostname = argv[1];
  options.port = (uint16_t)atoi(argv[2]);
  options.username = argv[3];
  options.expires_in_seconds = argc == 6 ? (uint32_t)atoi(argv[5]) : 0;

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
    ok = log_in(signer, argv[1], options.port, argv[3], argv[4]);
    fflush(stdout);
  } while (ok && fgets(line, sizeof line, stdin) != NULL);
  rdstoken_signer_free(signer);
  mysql_library_end();
  return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
