/* Runs a command and prints the most memory that it had, in KB. A small program does this, because
 * the number is never less than what the parent had.
 *
 *   memory COMMAND [ARGUMENT...] */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv) {
  if (argc < 2)
    return 2;
  pid_t child = fork();
  if (child == 0) {
    int null = open("/dev/null", O_WRONLY);
    dup2(null, STDOUT_FILENO);
    execvp(argv[1], argv + 1);
    _exit(127);
  }
  int status = 0;
  struct rusage used;
  if (child < 0 || wait4(child, &status, 0, &used) != child || status != 0)
    return EXIT_FAILURE;
  printf("%ld\n", used.ru_maxrss);
  return EXIT_SUCCESS;
}
