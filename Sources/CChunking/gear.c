#include "cchunking.h"
#include "gear_kernels.h"
#include "gear_table.h"

#include <string.h>

uint32_t nacre_gear_word(uint8_t byte) {
    return gear[byte];
}

size_t nacre_gear_scan_portable(const uint8_t *bytes, size_t from, size_t to, uint32_t threshold) {
    uint32_t hash = 0;
    for (size_t i = from - (NACRE_GEAR_WINDOW - 1); i < from; i++) hash = (hash << 1) + gear[bytes[i]];
    size_t n = from;
    // Eight at a time: the test of the loop would cost as much as a step.
#define STEP(k)                             \
    hash = (hash << 1) + gear[bytes[n + k]]; \
    if (__builtin_expect(hash < threshold, 0)) return n + k + 1;
    while (to - n >= 8) {
        STEP(0) STEP(1) STEP(2) STEP(3) STEP(4) STEP(5) STEP(6) STEP(7)
        n += 8;
    }
    while (n < to) {
        STEP(0)
        n++;
    }
#undef STEP
    return 0;
}

int nacre_gear_kernel_available(nacre_gear_kernel kernel) {
    switch (kernel) {
    case NACRE_GEAR_PORTABLE: return 1;
#if defined(__x86_64__)
    case NACRE_GEAR_AVX2: return __builtin_cpu_supports("avx2") != 0;
    case NACRE_GEAR_AVX512: return __builtin_cpu_supports("avx512f") != 0;
#endif
    default: return 0;
    }
}

size_t nacre_gear_scan_with(
    nacre_gear_kernel kernel, const uint8_t *bytes, size_t from, size_t to, uint32_t threshold) {
    if (from >= to) return 0;
    switch (kernel) {
#if defined(__x86_64__)
    case NACRE_GEAR_AVX512: return nacre_gear_scan_avx512(bytes, from, to, threshold);
    case NACRE_GEAR_AVX2: return nacre_gear_scan_avx2(bytes, from, to, threshold);
#endif
    default: return nacre_gear_scan_portable(bytes, from, to, threshold);
    }
}

size_t nacre_gear_scan(const uint8_t *bytes, size_t from, size_t to, uint32_t threshold) {
    nacre_gear_kernel kernel = nacre_gear_kernel_available(NACRE_GEAR_AVX512) ? NACRE_GEAR_AVX512
                             : nacre_gear_kernel_available(NACRE_GEAR_AVX2)   ? NACRE_GEAR_AVX2
                                                                              : NACRE_GEAR_PORTABLE;
    return nacre_gear_scan_with(kernel, bytes, from, to, threshold);
}

size_t nacre_newline_scan(const uint8_t *bytes, size_t from, size_t to) {
    if (from >= to) return 0;
    const uint8_t *found = memchr(bytes + from, '\n', to - from);
    return found ? (size_t)(found - bytes) + 1 : 0;
}
