/* Preloaded into a private server, so that libpam finds its service files in a private directory
 * and nothing is written to /etc/pam.d. CONFDIR is defined where this is compiled. */
#include <security/pam_appl.h>

int pam_start(const char *service, const char *user, const struct pam_conv *conversation,
              pam_handle_t **handle)
{
    return pam_start_confdir(service, user, conversation, CONFDIR, handle);
}
