/* A program on libmariadb that knows no password, for the tests of the client plugin. It does what
 * the lines on standard input say, and answers each with a line: "ok USER", or "error NUMBER TEXT".
 *
 *   plugin_host HOSTNAME PORT USERNAME PLUGIN_DIR TLS
 *
 * TLS is a file of authorities to verify the server with; "on", not to verify it; "fingerprint=" and
 * that of its certificate; or "off", not to ask for TLS at all. */
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <mysql.h>

enum { THREADS = 8 };

static const char *hostname, *username, *plugin_dir, *tls;
static unsigned port;

static MYSQL *prepare(void) {
  MYSQL *connection = mysql_init(NULL);
  const my_bool on = 1;
  if (connection == NULL) abort();
  mysql_options(connection, MYSQL_PLUGIN_DIR, plugin_dir);
  if (strcmp(tls, "on") == 0) {
    mysql_options(connection, MYSQL_OPT_SSL_ENFORCE, &on);
  } else if (strncmp(tls, "fingerprint=", 12) == 0) {
    mysql_options(connection, MARIADB_OPT_TLS_PEER_FP, tls + 12);
  } else if (strcmp(tls, "off") != 0) {
    mysql_options(connection, MYSQL_OPT_SSL_CA, tls);
    mysql_options(connection, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &on);
  }
  return connection;
}

static MYSQL *connect_now(MYSQL *connection, const char *user, const char *password) {
  return mysql_real_connect(connection, hostname, user, password, NULL, port, NULL, 0);
}

static void say(MYSQL *connection) {
  if (mysql_errno(connection) != 0) {
    printf("error %u %s\n", mysql_errno(connection), mysql_error(connection));
    return;
  }
  if (mysql_query(connection, "SELECT SUBSTRING_INDEX(CURRENT_USER(), '@', 1)") != 0) abort();
  MYSQL_RES *result = mysql_store_result(connection);
  printf("ok %s\n", mysql_fetch_row(result)[0]);
  mysql_free_result(result);
}

static void finish(MYSQL *connection) {
  say(connection);
  mysql_close(connection);
}

/* libmariadb runs the plugin on a small stack of its own then. */
static void without_blocking(void) {
  MYSQL *connection = prepare(), *made = NULL;
  mysql_options(connection, MYSQL_OPT_NONBLOCK, NULL);
  int wanted = mysql_real_connect_start(&made, connection, hostname, username, NULL, NULL, port,
                                        NULL, 0);
  while (wanted != 0) {
    struct pollfd server = {mysql_get_socket(connection), 0, 0};
    if (wanted & MYSQL_WAIT_READ) server.events |= POLLIN;
    if (wanted & MYSQL_WAIT_WRITE) server.events |= POLLOUT;
    poll(&server, 1, -1);
    int ready = (server.revents & POLLIN ? MYSQL_WAIT_READ : 0) |
                (server.revents & POLLOUT ? MYSQL_WAIT_WRITE : 0);
    wanted = mysql_real_connect_cont(&made, connection, ready);
  }
  finish(connection);
}

static void *connect_in_thread(void *connection) {
  mysql_thread_init();
  connect_now(connection, username, NULL);
  mysql_thread_end();
  return NULL;
}

static void in_threads(void) {
  pthread_t threads[THREADS];
  MYSQL *connections[THREADS];
  for (int i = 0; i < THREADS; i++) {
    connections[i] = prepare();
    if (pthread_create(&threads[i], NULL, connect_in_thread, connections[i]) != 0) abort();
  }
  for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
  for (int i = 1; i < THREADS; i++) {
    if (mysql_errno(connections[i]) != 0 && mysql_errno(connections[0]) == 0) {
      MYSQL *failed = connections[i];
      connections[i] = connections[0];
      connections[0] = failed;
    }
  }
  for (int i = 1; i < THREADS; i++) mysql_close(connections[i]);
  finish(connections[0]);
}

static void in_a_child(void) {
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    MYSQL *connection = prepare();
    connect_now(connection, username, NULL);
    finish(connection);
    fflush(stdout);
    _exit(0);
  }
  int status;
  waitpid(child, &status, 0);
  if (status != 0) printf("the child ended with %d\n", status);
}

static void obey(const char *what) {
  MYSQL *connection;
  if (strcmp(what, "connect") == 0) {
    connection = prepare();
    connect_now(connection, username, NULL);
    finish(connection);
  } else if (strcmp(what, "default-auth") == 0) {
    connection = prepare();
    mysql_options(connection, MYSQL_DEFAULT_AUTH, "mysql_clear_password");
    connect_now(connection, username, NULL);
    finish(connection);
  } else if (strcmp(what, "password") == 0) {
    connection = prepare();
    connect_now(connection, username, "configured-password");
    finish(connection);
  } else if (strcmp(what, "change-user") == 0) {
    connection = prepare();
    if (connect_now(connection, username, NULL) != NULL) {
      mysql_change_user(connection, "app_ro", NULL, NULL);
    }
    finish(connection);
  } else if (strcmp(what, "no-user") == 0) {
    connection = prepare();
    connect_now(connection, "nobody-of-this-name", NULL);
    finish(connection);
  } else if (strcmp(what, "without-blocking") == 0) {
    without_blocking();
  } else if (strcmp(what, "threads") == 0) {
    in_threads();
  } else if (strcmp(what, "fork") == 0) {
    in_a_child();
  } else if (strcmp(what, "unload") == 0) {
    mysql_library_end();
    puts("ok unloaded");
  } else {
    abort();
  }
}

int main(int argc, char **argv) {
  if (argc != 6) return 2;
  hostname = argv[1];
  port = (unsigned)atoi(argv[2]);
  username = argv[3];
  plugin_dir = argv[4];
  tls = argv[5];
  char line[64];
  while (fgets(line, sizeof line, stdin) != NULL) {
    line[strcspn(line, "\n")] = '\0';
    obey(line);
    fflush(stdout);
  }
  return 0;
}
