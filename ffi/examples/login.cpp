// Logs in to PostgreSQL with an IAM token, from C++ and through libpq: once, and then once more for
// each line on standard input, as a program does that lives for days.
//
//   c++ -std=c++17 login.cpp $(pkg-config --cflags --libs rdstoken libpq) -o login
//   PGSSLMODE=verify-full PGSSLROOTCERT=global-bundle.pem ./login HOSTNAME PORT USERNAME
//
// A fourth argument says how many seconds a token is valid, 900 unless given. The credentials come
// from the AWS SDKs' default chain; libpq reads PGSSLMODE and so on from the environment.
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>

#include <libpq-fe.h>
#include <rdstoken.hpp>

static bool log_in(const rdstoken::signer &signer, char **login) {
  const rdstoken::token token = signer.token();
  const char *const names[] = {"host", "port", "user", "password", nullptr};
  const char *const values[] = {login[0], login[1], login[2], token.c_str(), nullptr};
  const std::unique_ptr<PGconn, decltype(&PQfinish)> connection(
      PQconnectdbParams(names, values, 0), &PQfinish);
  if (PQstatus(connection.get()) != CONNECTION_OK) {
    std::cerr << PQerrorMessage(connection.get());
    return false;
  }
  const std::unique_ptr<PGresult, decltype(&PQclear)> result(
      PQexec(connection.get(), "SELECT current_user"), &PQclear);
  std::cout << PQgetvalue(result.get(), 0, 0) << std::endl;
  return true;
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
