#include "csha256.h"
const char *nacre_sha256_kernel_name(void) { return "portable"; }
