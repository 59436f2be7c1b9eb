/* SHA-256 in plain C, one message at a time: what every machine can run. */
#include "kernels.h"
#include "rounds.h"

/* The schedule is a ring of 16 words: the first 16 rounds take them as loaded, later ones advance them. */
#define FIRST(t) (nacre_sha256_rounds[t] + w[t])
#define LATER(t)                                                                   \
    (nacre_sha256_rounds[t] + (w[(t) & 15] += SMALL0(w[((t) + 1) & 15]) +          \
                                              w[((t) + 9) & 15] + SMALL1(w[((t) + 14) & 15])))
#define PADDING(t) nacre_sha256_pair_padding[t]

static void portable_blocks(uint32_t state[8], const uint8_t *bytes, size_t blocks) {
    for (; blocks; blocks--, bytes += 64) {
        uint32_t w[16];
        for (int i = 0; i < 16; i++)
            w[i] = nacre_load_be32(bytes + 4 * i);
        LOAD_STATE(state);
        ROUNDS_OF_16(FIRST, 0);
        ROUNDS_OF_16(LATER, 16);
        ROUNDS_OF_16(LATER, 32);
        ROUNDS_OF_16(LATER, 48);
        ADD_STATE(state);
    }
}

static void portable_many(const uint8_t *const *messages, const size_t *lengths, size_t count,
                          uint8_t *digests) {
    nacre_sha256_many_in_turn(portable_blocks, messages, lengths, count, digests);
}

static void portable_pairs(const uint8_t *nodes, size_t pairs, uint8_t *parents) {
    for (size_t i = 0; i < pairs; i++) {
        uint32_t state[8];
        memcpy(state, nacre_sha256_initial, sizeof state);
        portable_blocks(state, nodes + 64 * i, 1);
        LOAD_STATE(state);
        for (int t = 0; t < 64; t += 16)
            ROUNDS_OF_16(PADDING, t);
        ADD_STATE(state);
        nacre_store_digest(parents + 32 * i, state);
    }
}

const nacre_sha256_functions nacre_sha256_portable = {portable_blocks, portable_many, portable_pairs};
