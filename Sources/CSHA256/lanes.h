/*
 * SHA-256 in the lanes of vector registers: lane l of every register belongs to message l.
 *
 * Included once by each kernel that works so, after it has defined
 *   LANES, VEC            how many 32-bit lanes, and the register type
 *   KERNEL(name)          the kernel's name for a function
 *   TARGET                the attribute that allows its instructions
 *   ADD, XOR3, CHOOSE, MAJORITY, ROTATED(x, n), SHIFTED(x, n), BROADCAST(word), LOAD, STORE
 *   KERNEL(load)          word t of LANES blocks to register t, for the 16 words, as big-endian numbers
 */

#define LANE_BIG0(x) XOR3(ROTATED(x, 2), ROTATED(x, 13), ROTATED(x, 22))
#define LANE_BIG1(x) XOR3(ROTATED(x, 6), ROTATED(x, 11), ROTATED(x, 25))
#define LANE_SMALL0(x) XOR3(ROTATED(x, 7), ROTATED(x, 18), SHIFTED(x, 3))
#define LANE_SMALL1(x) XOR3(ROTATED(x, 17), ROTATED(x, 19), SHIFTED(x, 10))

#define LANE_ROUND(a, b, c, d, e, f, g, h, kw)                                                \
    do {                                                                                      \
        VEC sum = ADD(ADD(ADD(h, kw), CHOOSE(e, f, g)), LANE_BIG1(e));                        \
        d = ADD(d, sum);                                                                      \
        h = ADD(ADD(sum, MAJORITY(a, b, c)), LANE_BIG0(a));                                   \
    } while (0)

#define LANE_ROUNDS_OF_16(KW)                        \
    do {                                             \
        LANE_ROUND(a, b, c, d, e, f, g, h, KW(0));   \
        LANE_ROUND(h, a, b, c, d, e, f, g, KW(1));   \
        LANE_ROUND(g, h, a, b, c, d, e, f, KW(2));   \
        LANE_ROUND(f, g, h, a, b, c, d, e, KW(3));   \
        LANE_ROUND(e, f, g, h, a, b, c, d, KW(4));   \
        LANE_ROUND(d, e, f, g, h, a, b, c, KW(5));   \
        LANE_ROUND(c, d, e, f, g, h, a, b, KW(6));   \
        LANE_ROUND(b, c, d, e, f, g, h, a, KW(7));   \
        LANE_ROUND(a, b, c, d, e, f, g, h, KW(8));   \
        LANE_ROUND(h, a, b, c, d, e, f, g, KW(9));   \
        LANE_ROUND(g, h, a, b, c, d, e, f, KW(10));  \
        LANE_ROUND(f, g, h, a, b, c, d, e, KW(11));  \
        LANE_ROUND(e, f, g, h, a, b, c, d, KW(12));  \
        LANE_ROUND(d, e, f, g, h, a, b, c, KW(13));  \
        LANE_ROUND(c, d, e, f, g, h, a, b, KW(14));  \
        LANE_ROUND(b, c, d, e, f, g, h, a, KW(15));  \
    } while (0)

/* The schedule is a ring of 16 registers: the first 16 rounds take them as loaded, later ones advance them. */
#define LANE_FIRST(i) ADD(w[i], BROADCAST(k[i]))
#define LANE_NEXT_WORD(i)                                                                               \
    (w[i] = ADD(ADD(w[i], LANE_SMALL0(w[((i) + 1) & 15])),                                              \
                ADD(w[((i) + 9) & 15], LANE_SMALL1(w[((i) + 14) & 15]))))
#define LANE_LATER(i) ADD(LANE_NEXT_WORD(i), BROADCAST(k[i]))
#define LANE_CONSTANT(i) BROADCAST(k[i])

#define LANE_STATE(s) \
    VEC a = (s)[0], b = (s)[1], c = (s)[2], d = (s)[3], e = (s)[4], f = (s)[5], g = (s)[6], h = (s)[7]
#define LANE_ADD_STATE(s)                                                                         \
    ((s)[0] = ADD((s)[0], a), (s)[1] = ADD((s)[1], b), (s)[2] = ADD((s)[2], c),                   \
     (s)[3] = ADD((s)[3], d), (s)[4] = ADD((s)[4], e), (s)[5] = ADD((s)[5], f),                   \
     (s)[6] = ADD((s)[6], g), (s)[7] = ADD((s)[7], h))

/* One block in each lane, given as its 16 words. */
TARGET static inline __attribute__((always_inline)) void KERNEL(compress)(VEC s[8], VEC w[16]) {
    const uint32_t *k = nacre_sha256_rounds;
    LANE_STATE(s);
    LANE_ROUNDS_OF_16(LANE_FIRST);
#pragma clang loop unroll(disable)
    for (int t = 16; t < 64; t += 16) {
        k += 16;
        LANE_ROUNDS_OF_16(LANE_LATER);
    }
    LANE_ADD_STATE(s);
}

/* A block in each lane that is the padding of a message of 64 bytes. */
TARGET static inline __attribute__((always_inline)) void KERNEL(compress_pair_padding)(VEC s[8]) {
    LANE_STATE(s);
#pragma clang loop unroll(disable)
    for (const uint32_t *k = nacre_sha256_pair_padding; k < nacre_sha256_pair_padding + 64; k += 16)
        LANE_ROUNDS_OF_16(LANE_CONSTANT);
    LANE_ADD_STATE(s);
}

TARGET static void KERNEL(advance)(uint32_t *states, const uint8_t *const *starts, const size_t *steps,
                                   size_t blocks) {
    VEC s[8], w[16];
    const uint8_t *at[LANES];
    for (int l = 0; l < LANES; l++)
        at[l] = starts[l];
    for (int i = 0; i < 8; i++)
        s[i] = LOAD(states + LANES * i);
    for (; blocks; blocks--) {
        KERNEL(load)(at, w);
        for (int l = 0; l < LANES; l++) {
            at[l] += steps[l];
            __builtin_prefetch(at[l] + PREFETCH_BYTES);
        }
        KERNEL(compress)(s, w);
    }
    for (int i = 0; i < 8; i++)
        STORE(states + LANES * i, s[i]);
}

/*
 * One message: its blocks depend on each other, but not their schedules. So the schedules of LANES blocks in a
 * row are computed side by side, and their rounds then run one block after another.
 */
#define SCHEDULED(t) scheduled[LANES * (t)]
TARGET static void KERNEL(blocks)(uint32_t state[8], const uint8_t *bytes, size_t blocks) {
    for (; blocks >= LANES; blocks -= LANES, bytes += 64 * LANES) {
        uint32_t words[64 * LANES] __attribute__((aligned(64)));
        const uint8_t *at[LANES];
        VEC w[16];
        for (int l = 0; l < LANES; l++)
            at[l] = bytes + 64 * l;
        KERNEL(load)(at, w);
        const uint32_t *k = nacre_sha256_rounds;
        for (int i = 0; i < 16; i++)
            STORE(words + LANES * i, LANE_FIRST(i));
        for (int t = 16; t < 64; t += 16) {
            k += 16;
#pragma clang loop unroll(full)
            for (int i = 0; i < 16; i++)
                STORE(words + LANES * (t + i), LANE_LATER(i));
        }
        for (const uint32_t *scheduled = words; scheduled < words + LANES; scheduled++) {
            LOAD_STATE(state);
            ROUNDS_OF_16(SCHEDULED, 0);
            ROUNDS_OF_16(SCHEDULED, 16);
            ROUNDS_OF_16(SCHEDULED, 32);
            ROUNDS_OF_16(SCHEDULED, 48);
            ADD_STATE(state);
        }
    }
    nacre_sha256_portable.blocks(state, bytes, blocks);
}

static void KERNEL(many)(const uint8_t *const *messages, const size_t *lengths, size_t count,
                         uint8_t *digests) {
    nacre_sha256_lane_kernel kernel = {LANES, KERNEL(advance), TOO_FEW, nacre_sha256_best_blocks()};
    nacre_sha256_many_in_lanes(&kernel, messages, lengths, count, digests);
}

TARGET static void KERNEL(pairs)(const uint8_t *nodes, size_t pairs, uint8_t *parents) {
    for (; pairs >= LANES; pairs -= LANES, nodes += 64 * LANES, parents += 32 * LANES) {
        const uint8_t *at[LANES];
        VEC s[8], w[16];
        for (int l = 0; l < LANES; l++)
            at[l] = nodes + 64 * l;
        KERNEL(load)(at, w);
        for (int i = 0; i < 8; i++)
            s[i] = BROADCAST(nacre_sha256_initial[i]);
        KERNEL(compress)(s, w);
        KERNEL(compress_pair_padding)(s);
        KERNEL(store_digests)(s, parents);
    }
    if (pairs) {
        /* The last few go through a whole set of lanes as well: copies of the first fill it up. */
        uint8_t inputs[64 * LANES], outputs[32 * LANES];
        memcpy(inputs, nodes, 64 * pairs);
        memset(inputs + 64 * pairs, 0, sizeof inputs - 64 * pairs);
        KERNEL(pairs)(inputs, LANES, outputs);
        memcpy(parents, outputs, 32 * pairs);
    }
}

const nacre_sha256_functions KERNEL(functions) = {KERNEL(blocks), KERNEL(many), KERNEL(pairs)};
