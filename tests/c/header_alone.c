/* The header needs no other before it, may come twice, and may be in two files of one program.
   Compiled as C99 and as C++17. */
#include "rdstoken.h"
#include "rdstoken.h"

#include <string.h>

int version_matches(void);

int version_matches(void) {
  return strcmp(rdstoken_version(), RDSTOKEN_VERSION) == 0;
}
