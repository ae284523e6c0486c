// Logs in to PostgreSQL with an IAM token, from C++ and through libpq: once, and then once more for
// each line on standard input, as a program does that lives for days.
//
//   c++ -std=c++17 login.cpp $(pkg-config --cflags --libs rdstoken libpq) -o login
//   PGSSLROOTCERT=global-bundle.pem ./login HOSTNAME PORT USERNAME
//
// A fourth argument says how many seconds a token is valid, 900 unless given. The credentials come
// from the AWS SDKs' default chain; libpq reads PGSSLROOTCERT and so on from the environment.
#include <poll.h>

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>

#include <libpq-fe.h>
#include <rdstoken.hpp>

// PQconnectdbParams() in steps, because only so can libpq be told to put the server's SQLSTATE into
// the message of a login that fails.
static void finish_connecting(PGconn *connection) {
  if (PQstatus(connection) == CONNECTION_BAD) return;
  PQsetErrorVerbosity(connection, PQERRORS_VERBOSE);
  PostgresPollingStatusType wanted = PGRES_POLLING_WRITING;
  while (wanted == PGRES_POLLING_READING || wanted == PGRES_POLLING_WRITING) {
    pollfd server{};
    server.fd = PQsocket(connection);
    server.events = wanted == PGRES_POLLING_READING ? POLLIN : POLLOUT;
    poll(&server, 1, -1);
    wanted = PQconnectPoll(connection);
  }
}

// The server refused the user or the password: invalid_password, or
// invalid_authorization_specification.
static bool is_refused(const PGconn *connection) {
  const std::string_view message = PQerrorMessage(connection);
  return PQstatus(connection) == CONNECTION_BAD && PQconnectionUsedPassword(connection) &&
         (message.find(" 28P01: ") != message.npos || message.find(" 28000: ") != message.npos);
}

// Answers whether it logged in; if not, `retry` is whether to try once more.
static bool try_to_log_in(const rdstoken::signer &signer, char **login, bool &retry) {
  const rdstoken::token token = signer.token();
  // By itself, libpq sends the token in clear if the server says that it has no TLS.
  const char *const names[] = {"host",    "port",       "user", "password",
                               "sslmode", "gssencmode", nullptr};
  const char *const values[] = {login[0],      login[1],  login[2], token.c_str(),
                                "verify-full", "disable", nullptr};
  const std::unique_ptr<PGconn, decltype(&PQfinish)> connection(
      PQconnectStartParams(names, values, 0), &PQfinish);
  finish_connecting(connection.get());
  if (PQstatus(connection.get()) != CONNECTION_OK) {
    std::cerr << PQerrorMessage(connection.get());
    retry = is_refused(connection.get()) && signer.refused(token);
    return false;
  }
  const std::unique_ptr<PGresult, decltype(&PQclear)> result(
      PQexec(connection.get(), "SELECT current_user"), &PQclear);
  std::cout << PQgetvalue(result.get(), 0, 0) << std::endl;
  return true;
}

static bool log_in(const rdstoken::signer &signer, char **login) {
  bool retry = false;
  if (try_to_log_in(signer, login, retry)) return true;
  // Once, if the token may have died since it was first given out.
  return retry && try_to_log_in(signer, login, retry);
}

int main(int argc, char **argv) {
  if (argc < 4 || argc > 5) {
    std::cerr << "usage: " << argv[0] << " HOSTNAME PORT USERNAME [SECONDS]\n";
    return 2;
  }
  rdstoken::signer_options options;
  options.hostname = argv[1];
  options.port = static_cast<std::uint16_t>(std::atoi(argv[2]));
  options.username = argv[3];
  if (argc == 5) options.expires_in = std::chrono::seconds(std::atoi(argv[4]));

  try {
    const rdstoken::signer signer(options);
    bool ok = false;
    std::string line;
    do {
      ok = log_in(signer, argv + 1);
    } while (ok && std::getline(std::cin, line));
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
  } catch (const rdstoken::error &error) {
    std::cerr << error.what() << '\n';
    return EXIT_FAILURE;
  }
}
