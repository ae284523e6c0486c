/* The second file of the program of header_alone.c. */
#include "rdstoken.h"

int version_matches(void);

int main(void) {
  rdstoken_status status = RDSTOKEN_STATUS_OK;
  return version_matches() && status == RDSTOKEN_STATUS_OK ? 0 : 1;
}
