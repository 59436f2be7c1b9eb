#include "csha256emulated.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define EMULATED __attribute__((target("sse4.1,ssse3"))) static inline

static uint32_t rotated(uint32_t x, int n) { return x >> n | x << (32 - n); }

/* Words of a register, lowest first. */
typedef struct {
    uint32_t word[4];
} words;

EMULATED words words_of(__m128i x) {
    words result;
    _mm_storeu_si128((__m128i *)result.word, x);
    return result;
}

EMULATED __m128i from_words(uint32_t w3, uint32_t w2, uint32_t w1, uint32_t w0) {
    return _mm_set_epi32((int)w3, (int)w2, (int)w1, (int)w0);
}

/* SHA256RNDS2: two rounds. The first operand holds C D G H, the second A B E F, highest word first. */
EMULATED __m128i sha_two_rounds(__m128i cdgh, __m128i abef, __m128i kw) {
    words x = words_of(cdgh), y = words_of(abef), k = words_of(kw);
    uint32_t a = y.word[3], b = y.word[2], c = x.word[3], d = x.word[2];
    uint32_t e = y.word[1], f = y.word[0], g = x.word[1], h = x.word[0];
    for (int i = 0; i < 2; i++) {
        uint32_t sum = h + k.word[i] + ((e & f) ^ (~e & g)) + (rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25));
        uint32_t first = sum + ((a & b) ^ (a & c) ^ (b & c)) + (rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22));
        h = g, g = f, f = e, e = d + sum, d = c, c = b, b = a, a = first;
    }
    return from_words(a, b, e, f);
}

static uint32_t small0(uint32_t x) { return rotated(x, 7) ^ rotated(x, 18) ^ x >> 3; }
static uint32_t small1(uint32_t x) { return rotated(x, 17) ^ rotated(x, 19) ^ x >> 10; }

/* SHA256MSG1: adds sigma 0 of each next word to four words of the schedule. */
EMULATED __m128i sha_schedule_1(__m128i x, __m128i y) {
    words w = words_of(x), next = words_of(y);
    return from_words(w.word[3] + small0(next.word[0]), w.word[2] + small0(w.word[3]),
                      w.word[1] + small0(w.word[2]), w.word[0] + small0(w.word[1]));
}

/* SHA256MSG2: adds sigma 1 of the word two before to each of four, which makes them words of the schedule. */
EMULATED __m128i sha_schedule_2(__m128i x, __m128i y) {
    words w = words_of(x), last = words_of(y);
    uint32_t w16 = w.word[0] + small1(last.word[2]);
    uint32_t w17 = w.word[1] + small1(last.word[3]);
    uint32_t w18 = w.word[2] + small1(w16);
    uint32_t w19 = w.word[3] + small1(w17);
    return from_words(w19, w18, w17, w16);
}

#define NACRE_SHA_INSTRUCTIONS
#define SHA_TARGET __attribute__((target("sse4.1,ssse3")))
#define SHA_FUNCTIONS nacre_sha256_emulated
#include "../../Sources/CSHA256/shani.c"

int nacre_sha256_emulated_available(void) { return 1; }

void nacre_sha256_emulated_many(const uint8_t *const *messages, const size_t *lengths, size_t count,
                                uint8_t *digests) {
    shani_many(messages, lengths, count, digests);
}

void nacre_sha256_emulated_pairs(const uint8_t *nodes, size_t pairs, uint8_t *parents) {
    shani_pairs(nodes, pairs, parents);
}

void nacre_sha256_emulated_one(const uint8_t *bytes, size_t count, uint8_t *digest) {
    uint32_t state[8];
    uint8_t padded[128];
    size_t whole = count / 64, half = whole / 2;
    memcpy(state, nacre_sha256_initial, sizeof state);
    shani_blocks(state, bytes, half);
    shani_blocks(state, bytes + 64 * half, whole - half);
    shani_blocks(state, padded, nacre_pad(padded, bytes + 64 * whole, count));
    nacre_store_digest(digest, state);
}
#else
int nacre_sha256_emulated_available(void) { return 0; }

void nacre_sha256_emulated_many(const uint8_t *const *messages, const size_t *lengths, size_t count,
                                uint8_t *digests) {
    (void)messages, (void)lengths, (void)count, (void)digests;
}

void nacre_sha256_emulated_pairs(const uint8_t *nodes, size_t pairs, uint8_t *parents) {
    (void)nodes, (void)pairs, (void)parents;
}

void nacre_sha256_emulated_one(const uint8_t *bytes, size_t count, uint8_t *digest) {
    (void)bytes, (void)count, (void)digest;
}
#endif
