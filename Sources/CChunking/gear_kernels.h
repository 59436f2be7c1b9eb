#ifndef NACRE_GEAR_KERNELS_H
#define NACRE_GEAR_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#if defined(__x86_64__)
static inline int nacre_has_avx512(void) {
    return __builtin_cpu_supports("avx512f");
}

size_t nacre_gear_scan_avx512(const uint8_t *bytes, size_t from, size_t to, uint32_t threshold);
#endif

#endif
