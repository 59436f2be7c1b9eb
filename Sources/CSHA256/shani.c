/*
 * The SHA extensions of x86: two streams interleaved, since one alone waits for its own results.
 *
 * The instructions keep the working words in two registers, ABEF and CDGH, and take four schedule words at a
 * time. SHA_TARGET and the three instructions can be replaced by a test that has no such processor.
 */
#if defined(__x86_64__)
#include "many.h"
#include <immintrin.h>

#ifndef NACRE_SHA_INSTRUCTIONS
#define NACRE_SHA_INSTRUCTIONS
#define SHA_TARGET __attribute__((target("sha,sse4.1,ssse3")))
#define SHA_FUNCTIONS nacre_sha256_shani
#define sha_two_rounds(cdgh, abef, kw) _mm_sha256rnds2_epu32(cdgh, abef, kw)
#define sha_schedule_1(x, y) _mm_sha256msg1_epu32(x, y)
#define sha_schedule_2(x, y) _mm_sha256msg2_epu32(x, y)
#endif

#define INLINE SHA_TARGET static inline __attribute__((always_inline))

typedef struct {
    __m128i abef, cdgh;
} shani_state;

INLINE shani_state shani_pack(const uint32_t state[8]) {
    __m128i dcba = _mm_loadu_si128((const __m128i *)state);
    __m128i hgfe = _mm_loadu_si128((const __m128i *)(state + 4));
    __m128i cdab = _mm_shuffle_epi32(dcba, 0xB1);
    __m128i efgh = _mm_shuffle_epi32(hgfe, 0x1B);
    shani_state packed = {_mm_alignr_epi8(cdab, efgh, 8), _mm_blend_epi16(efgh, cdab, 0xF0)};
    return packed;
}

INLINE void shani_unpack(shani_state packed, uint32_t state[8]) {
    __m128i feba = _mm_shuffle_epi32(packed.abef, 0x1B);
    __m128i dchg = _mm_shuffle_epi32(packed.cdgh, 0xB1);
    _mm_storeu_si128((__m128i *)state, _mm_blend_epi16(feba, dchg, 0xF0));
    _mm_storeu_si128((__m128i *)(state + 4), _mm_alignr_epi8(dchg, feba, 8));
}

INLINE __m128i shani_load(const uint8_t *bytes) {
    const __m128i order = _mm_set_epi32(0x0c0d0e0f, 0x08090a0b, 0x04050607, 0x00010203);
    return _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)bytes), order);
}

/* Four rounds; `kw` is round constants plus schedule words. */
INLINE void shani_four_rounds(shani_state *s, __m128i kw) {
    s->cdgh = sha_two_rounds(s->cdgh, s->abef, kw);
    s->abef = sha_two_rounds(s->abef, s->cdgh, _mm_shuffle_epi32(kw, 0x0E));
}

/* The four schedule words that follow the 16 in w0 to w3. */
INLINE __m128i shani_next_words(__m128i w0, __m128i w1, __m128i w2, __m128i w3) {
    __m128i sum = _mm_add_epi32(sha_schedule_1(w0, w1), _mm_alignr_epi8(w3, w2, 4));
    return sha_schedule_2(sum, w3);
}

INLINE __m128i shani_constants(const uint32_t *table, int t) {
    return _mm_load_si128((const __m128i *)(table + t));
}

/* One block of each of `streams` messages; the compiler unrolls the inner loops and interleaves the streams. */
INLINE void shani_compress(shani_state *states, const uint8_t *const *at, const int streams) {
    __m128i w[2][4];
    shani_state s[2];
    for (int l = 0; l < streams; l++) {
        s[l] = states[l];
        for (int i = 0; i < 4; i++)
            w[l][i] = shani_load(at[l] + 16 * i);
    }
#pragma clang loop unroll(full)
    for (int t = 0; t < 64; t += 4) {
#pragma clang loop unroll(full)
        for (int l = 0; l < streams; l++) {
            __m128i words = w[l][0];
            shani_four_rounds(&s[l], _mm_add_epi32(words, shani_constants(nacre_sha256_rounds, t)));
            __m128i next = words;
            if (t < 48)
                next = shani_next_words(w[l][0], w[l][1], w[l][2], w[l][3]);
            w[l][0] = w[l][1];
            w[l][1] = w[l][2];
            w[l][2] = w[l][3];
            w[l][3] = next;
        }
    }
    for (int l = 0; l < streams; l++) {
        states[l].abef = _mm_add_epi32(states[l].abef, s[l].abef);
        states[l].cdgh = _mm_add_epi32(states[l].cdgh, s[l].cdgh);
    }
}

/* The block that is the padding of a message of 64 bytes, for each stream. */
INLINE void shani_compress_pair_padding(shani_state *states, const int streams) {
    shani_state s[2];
    for (int l = 0; l < streams; l++)
        s[l] = states[l];
#pragma clang loop unroll(full)
    for (int t = 0; t < 64; t += 4) {
        for (int l = 0; l < streams; l++)
            shani_four_rounds(&s[l], shani_constants(nacre_sha256_pair_padding, t));
    }
    for (int l = 0; l < streams; l++) {
        states[l].abef = _mm_add_epi32(states[l].abef, s[l].abef);
        states[l].cdgh = _mm_add_epi32(states[l].cdgh, s[l].cdgh);
    }
}

SHA_TARGET static void shani_blocks(uint32_t state[8], const uint8_t *bytes, size_t blocks) {
    shani_state s = shani_pack(state);
    for (; blocks; blocks--, bytes += 64)
        shani_compress(&s, &bytes, 1);
    shani_unpack(s, state);
}

/* Two lanes: word i of lane l is states[2 * i + l]. */
SHA_TARGET static void shani_advance(uint32_t *states, const uint8_t *const *starts, const size_t *steps,
                                     size_t blocks) {
    uint32_t words[2][8];
    shani_state s[2];
    const uint8_t *at[2] = {starts[0], starts[1]};
    for (int l = 0; l < 2; l++) {
        for (int i = 0; i < 8; i++)
            words[l][i] = states[2 * i + l];
        s[l] = shani_pack(words[l]);
    }
    for (; blocks; blocks--) {
        shani_compress(s, at, 2);
        at[0] += steps[0];
        at[1] += steps[1];
    }
    for (int l = 0; l < 2; l++) {
        shani_unpack(s[l], words[l]);
        for (int i = 0; i < 8; i++)
            states[2 * i + l] = words[l][i];
    }
}

static void shani_many(const uint8_t *const *messages, const size_t *lengths, size_t count,
                       uint8_t *digests) {
    const nacre_sha256_lane_kernel kernel = {2, shani_advance, 1, shani_blocks};
    if (count == 1)
        nacre_sha256_many_in_turn(shani_blocks, messages, lengths, count, digests);
    else
        nacre_sha256_many_in_lanes(&kernel, messages, lengths, count, digests);
}

INLINE void shani_some_pairs(const uint8_t *nodes, uint8_t *parents, const int streams) {
    const uint8_t *const at[2] = {nodes, nodes + 64};
    uint32_t words[8];
    shani_state s[2];
    for (int l = 0; l < streams; l++)
        s[l] = shani_pack(nacre_sha256_initial);
    shani_compress(s, at, streams);
    shani_compress_pair_padding(s, streams);
    for (int l = 0; l < streams; l++) {
        shani_unpack(s[l], words);
        nacre_store_digest(parents + 32 * l, words);
    }
}

SHA_TARGET static void shani_pairs(const uint8_t *nodes, size_t pairs, uint8_t *parents) {
    for (; pairs >= 2; pairs -= 2, nodes += 128, parents += 64)
        shani_some_pairs(nodes, parents, 2);
    if (pairs)
        shani_some_pairs(nodes, parents, 1);
}

extern const nacre_sha256_functions SHA_FUNCTIONS;
const nacre_sha256_functions SHA_FUNCTIONS = {shani_blocks, shani_many, shani_pairs};
#endif
