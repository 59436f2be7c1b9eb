/*
 * What the kernels share. Each kernel is one file with three entry points; csha256.c chooses between them.
 *
 *   blocks  advances one state over whole blocks of one message
 *   many    hashes any number of messages of any lengths
 *   pairs   hashes 64-byte messages that lie one after another
 */
#ifndef NACRE_SHA256_KERNELS_H
#define NACRE_SHA256_KERNELS_H

#include "csha256.h"
#include <string.h>

typedef void nacre_sha256_blocks_function(uint32_t state[8], const uint8_t *bytes, size_t blocks);

typedef struct {
    nacre_sha256_blocks_function *blocks;
    void (*many)(const uint8_t *const *messages, const size_t *lengths, size_t count, uint8_t *digests);
    void (*pairs)(const uint8_t *nodes, size_t pairs, uint8_t *parents);
} nacre_sha256_functions;

/* FIPS 180-4: initial values (5.3) and round constants (4.2.2). */
extern const uint32_t nacre_sha256_initial[8];
extern const uint32_t nacre_sha224_initial[8];
extern const uint32_t nacre_sha256_rounds[64];

/*
 * Round constant plus schedule word of the second block of every 64-byte message. That block is padding
 * only (0x80, zeros, the length 512 in bits), so its schedule never has to be computed.
 */
extern const uint32_t nacre_sha256_pair_padding[64];

extern const nacre_sha256_functions nacre_sha256_portable;
#if defined(__x86_64__)
extern const nacre_sha256_functions nacre_sha256_avx2;
extern const nacre_sha256_functions nacre_sha256_shani;
extern const nacre_sha256_functions nacre_sha256_avx512;
#endif

/* The fastest way here to advance one message: for what is left when lanes run out of work. */
nacre_sha256_blocks_function *nacre_sha256_best_blocks(void);

/* One message after another. */
void nacre_sha256_many_in_turn(nacre_sha256_blocks_function *blocks, const uint8_t *const *messages,
                               const size_t *lengths, size_t count, uint8_t *digests);

static inline uint32_t nacre_load_be32(const uint8_t *bytes) {
    uint32_t word;
    memcpy(&word, bytes, 4);
    return __builtin_bswap32(word); /* only little-endian machines are supported */
}

static inline void nacre_store_be32(uint8_t *bytes, uint32_t word) {
    word = __builtin_bswap32(word);
    memcpy(bytes, &word, 4);
}

static inline void nacre_store_digest(uint8_t *digest, const uint32_t state[8]) {
    for (int i = 0; i < 8; i++)
        nacre_store_be32(digest + 4 * i, state[i]);
}

/*
 * Writes the last one or two blocks of a message of `length` bytes whose unfinished block starts at `rest`:
 * the rest, 0x80, zeros, the length in bits. Returns how many blocks these are.
 */
static inline size_t nacre_pad(uint8_t padded[128], const uint8_t *rest, uint64_t length) {
    size_t used = length % 64;
    size_t blocks = used < 56 ? 1 : 2;
    memset(padded, 0, 64 * blocks);
    if (used)
        memcpy(padded, rest, used);
    padded[used] = 0x80;
    uint64_t bits = __builtin_bswap64(length * 8);
    memcpy(padded + 64 * blocks - 8, &bits, 8);
    return blocks;
}

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the kernels load words as little-endian machines do"
#endif
#endif
