#pragma once
#include <gcrypt.h>

/* The start-up that libgcrypt asks of a program: gcry_control is variadic, which Swift cannot call. */
static inline int nacre_gcrypt_start(void) {
    if (!gcry_check_version(NULL))
        return 0;
    if (!gcry_control(GCRYCTL_INITIALIZATION_FINISHED_P)) {
        gcry_control(GCRYCTL_DISABLE_SECMEM, 0); /* nothing secret is hashed, and locked memory is scarce */
        gcry_control(GCRYCTL_INITIALIZATION_FINISHED, 0);
    }
    return 1;
}
