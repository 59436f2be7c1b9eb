#ifndef NACRE_GEAR_KERNELS_H
#define NACRE_GEAR_KERNELS_H

#include <stddef.h>
#include <stdint.h>

size_t nacre_gear_scan_portable(const uint8_t *bytes, size_t from, size_t to, uint32_t threshold);

#if defined(__x86_64__)
size_t nacre_gear_scan_avx512(const uint8_t *bytes, size_t from, size_t to, uint32_t threshold);
size_t nacre_gear_scan_avx2(const uint8_t *bytes, size_t from, size_t to, uint32_t threshold);
#endif

#endif
