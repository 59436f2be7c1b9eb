// Scanning for the cuts of content-defined chunks: the one loop of chunking that runs over every byte.
//
// In C for the sake of vector instructions: sixteen places of the content are hashed at a time with AVX-512,
// eight with AVX2, which makes it keep up with hashing the chunks. The result is the same with and without.
// Spec: docs/formats/chunkers.md, "fastcdc".
#ifndef CCHUNKING_H
#define CCHUNKING_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// How many bytes a gear hash depends on. Scans read up to this many less one before `from`.
#define NACRE_GEAR_WINDOW 32

/// The word of a byte in the gear table.
uint32_t nacre_gear_word(uint8_t byte);

/// The smallest n with from < n <= to such that the gear hash after the n-th of `bytes` is below `threshold`;
/// 0 if there is none. `from` must be at least NACRE_GEAR_WINDOW - 1.
size_t nacre_gear_scan(const uint8_t *bytes, size_t from, size_t to, uint32_t threshold);

/// The ways to scan; nacre_gear_scan takes the best that the machine has.
typedef enum {
    NACRE_GEAR_PORTABLE,
    NACRE_GEAR_AVX2,
    NACRE_GEAR_AVX512,
} nacre_gear_kernel;

/// Whether this machine can use a kernel.
int nacre_gear_kernel_available(nacre_gear_kernel kernel);

/// nacre_gear_scan with a given kernel, which must be available, so that they can be compared.
size_t nacre_gear_scan_with(
    nacre_gear_kernel kernel, const uint8_t *bytes, size_t from, size_t to, uint32_t threshold);

/// The smallest n with from < n <= to such that the n-th of `bytes` is a newline (0x0A); 0 if there is none.
size_t nacre_newline_scan(const uint8_t *bytes, size_t from, size_t to);

#ifdef __cplusplus
}
#endif

#endif
