/*
 * SHA-256 of many messages at once.
 *
 * Four kernels stand behind run-time dispatch: AVX-512 and AVX2 (16 and 8 messages in the lanes of registers),
 * SHA-NI (two interleaved streams) and portable C. All give the same digests; see csha256.c.
 * Nothing here allocates, blocks or keeps state between calls, so any thread may call any function.
 *
 * Spec: FIPS 180-4, sections 5 and 6.2.
 */
#ifndef NACRE_CSHA256_H
#define NACRE_CSHA256_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The kernels, worst first. AUTOMATIC lets the machine decide. */
typedef enum {
    NACRE_SHA256_AUTOMATIC = 0,
    NACRE_SHA256_PORTABLE = 1,
    NACRE_SHA256_AVX2 = 2,
    NACRE_SHA256_SHANI = 3,
    NACRE_SHA256_AVX512 = 4,
} nacre_sha256_kernel;

/* 1 if this machine can run the kernel, else 0. A kernel that it cannot run means PORTABLE below. */
int nacre_sha256_supported(nacre_sha256_kernel kernel);

/* The kernel that AUTOMATIC means here for many messages: "avx512", "shani", "avx2" or "portable". */
const char *nacre_sha256_kernel_name(void);

/*
 * Hashes `count` messages of any lengths; messages[i] has lengths[i] bytes (may be NULL if 0).
 * Writes 32 bytes for each to digests + 32 * i. Messages of similar length keep the lanes full.
 */
void nacre_sha256_many(const uint8_t *const *messages, const size_t *lengths, size_t count,
                       uint8_t *digests);
void nacre_sha256_many_with(nacre_sha256_kernel kernel, const uint8_t *const *messages, const size_t *lengths,
                            size_t count, uint8_t *digests);

/*
 * One level of a Merkle tree: pair i is the 64 bytes at nodes + 64 * i; its SHA-256 goes to
 * parents + 32 * i. `parents` may be the same memory as `nodes`, but not overlap it otherwise.
 */
void nacre_sha256_pairs(const uint8_t *nodes, size_t pairs, uint8_t *parents);
void nacre_sha256_pairs_with(nacre_sha256_kernel kernel, const uint8_t *nodes, size_t pairs, uint8_t *parents);

/* Incremental hashing of one message. `state` is the eight working words, set by init. */
typedef struct {
    uint32_t state[8];
    uint64_t length;      /* bytes taken so far */
    uint8_t pending[64];  /* the unfinished block: length % 64 bytes */
} nacre_sha256_context;

void nacre_sha256_init(nacre_sha256_context *context);
void nacre_sha224_init(nacre_sha256_context *context);
void nacre_sha256_update(nacre_sha256_context *context, const uint8_t *bytes, size_t count);
/* Writes 32 bytes (for SHA-224 use the first 28). The context must not be used afterwards. */
void nacre_sha256_final(nacre_sha256_context *context, uint8_t *digest);

#ifdef __cplusplus
}
#endif
#endif
