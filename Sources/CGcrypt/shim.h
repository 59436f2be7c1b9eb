#pragma once
#include <gcrypt.h>

/* gcry_control takes a variable number of arguments, which Swift cannot call. */
static inline int nacre_gcrypt_finish_setup(void) {
    gcry_control(GCRYCTL_DISABLE_SECMEM, 0);
    return (int)gcry_control(GCRYCTL_INITIALIZATION_FINISHED, 0);
}
