/* The second file of the program of cpp.cpp: the header may be in many. */
#include "rdstoken.hpp"

rdstoken::token token_from_another_file(const rdstoken::signer &signer);

rdstoken::token token_from_another_file(const rdstoken::signer &signer) { return signer.token(); }
