/* SHA-256 in plain C, one message at a time: what every machine can run. */
#include "kernels.h"

static inline uint32_t rotate(uint32_t x, int n) { return (x >> n) | (x << (32 - n)); }

#define BIG0(x) (rotate(x, 2) ^ rotate(x, 13) ^ rotate(x, 22))
#define BIG1(x) (rotate(x, 6) ^ rotate(x, 11) ^ rotate(x, 25))
#define SMALL0(x) (rotate(x, 7) ^ rotate(x, 18) ^ ((x) >> 3))
#define SMALL1(x) (rotate(x, 17) ^ rotate(x, 19) ^ ((x) >> 10))
#define CHOOSE(x, y, z) ((z) ^ ((x) & ((y) ^ (z))))
#define MAJORITY(x, y, z) (((x) & (y)) ^ ((z) & ((x) ^ (y))))

/* One round; `kw` is round constant plus schedule word. The caller renames the variables instead of moving them. */
#define ROUND(a, b, c, d, e, f, g, h, kw)                      \
    do {                                                       \
        uint32_t sum = (h) + BIG1(e) + CHOOSE(e, f, g) + (kw); \
        (d) += sum;                                            \
        (h) = sum + BIG0(a) + MAJORITY(a, b, c);               \
    } while (0)

#define EIGHT_ROUNDS(KW, t)                        \
    do {                                           \
        ROUND(a, b, c, d, e, f, g, h, KW((t) + 0)); \
        ROUND(h, a, b, c, d, e, f, g, KW((t) + 1)); \
        ROUND(g, h, a, b, c, d, e, f, KW((t) + 2)); \
        ROUND(f, g, h, a, b, c, d, e, KW((t) + 3)); \
        ROUND(e, f, g, h, a, b, c, d, KW((t) + 4)); \
        ROUND(d, e, f, g, h, a, b, c, KW((t) + 5)); \
        ROUND(c, d, e, f, g, h, a, b, KW((t) + 6)); \
        ROUND(b, c, d, e, f, g, h, a, KW((t) + 7)); \
    } while (0)

#define LOAD_STATE(s)                                             \
    uint32_t a = (s)[0], b = (s)[1], c = (s)[2], d = (s)[3],      \
             e = (s)[4], f = (s)[5], g = (s)[6], h = (s)[7]
#define ADD_STATE(s)                                              \
    ((s)[0] += a, (s)[1] += b, (s)[2] += c, (s)[3] += d,          \
     (s)[4] += e, (s)[5] += f, (s)[6] += g, (s)[7] += h)

/* The schedule is a ring of 16 words: the first 16 rounds take them as loaded, later ones advance them. */
#define FIRST(t) (nacre_sha256_rounds[t] + w[t])
#define LATER(t)                                                                                    \
    (nacre_sha256_rounds[t] +                                                                       \
     (w[(t) & 15] += SMALL0(w[((t) + 1) & 15]) + w[((t) + 9) & 15] + SMALL1(w[((t) + 14) & 15])))
#define PADDING(t) nacre_sha256_pair_padding[t]

static void portable_blocks(uint32_t state[8], const uint8_t *bytes, size_t blocks) {
    for (; blocks; blocks--, bytes += 64) {
        uint32_t w[16];
        for (int i = 0; i < 16; i++)
            w[i] = nacre_load_be32(bytes + 4 * i);
        LOAD_STATE(state);
        EIGHT_ROUNDS(FIRST, 0);
        EIGHT_ROUNDS(FIRST, 8);
        for (int t = 16; t < 64; t += 16) {
            EIGHT_ROUNDS(LATER, t);
            EIGHT_ROUNDS(LATER, t + 8);
        }
        ADD_STATE(state);
    }
}

static void portable_many(const uint8_t *const *messages, const size_t *lengths, size_t count, uint8_t *digests) {
    for (size_t i = 0; i < count; i++) {
        uint32_t state[8];
        uint8_t padded[128];
        size_t whole = lengths[i] / 64;
        memcpy(state, nacre_sha256_initial, sizeof state);
        if (whole)
            portable_blocks(state, messages[i], whole);
        portable_blocks(state, padded, nacre_pad(padded, messages[i] + 64 * whole, lengths[i]));
        nacre_store_digest(digests + 32 * i, state);
    }
}

static void portable_pairs(const uint8_t *nodes, size_t pairs, uint8_t *parents) {
    for (size_t i = 0; i < pairs; i++) {
        uint32_t state[8];
        memcpy(state, nacre_sha256_initial, sizeof state);
        portable_blocks(state, nodes + 64 * i, 1);
        LOAD_STATE(state);
        for (int t = 0; t < 64; t += 8)
            EIGHT_ROUNDS(PADDING, t);
        ADD_STATE(state);
        nacre_store_digest(parents + 32 * i, state);
    }
}

const nacre_sha256_functions nacre_sha256_portable = {portable_blocks, portable_many, portable_pairs};
