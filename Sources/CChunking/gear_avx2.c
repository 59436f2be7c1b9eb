// As gear_avx512.c, with eight lanes: tiles of 8 rows of 32 bytes. A register holds eight words here, so that
// each half of the table takes two permutations, and bit 3 of the index chooses between them.

#include "cchunking.h"
#include "gear_kernels.h"
#include "gear_table.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define LANES 8
#define TILE 32
#define TILES 16
#define WARM_UP NACRE_GEAR_WINDOW
#define STRETCH (TILES * TILE - WARM_UP)
#define AVX2 __attribute__((target("avx2")))

// Transposes 8 rows of 8 words.
AVX2 static inline __attribute__((always_inline)) void transpose(__m256i r[8]) {
    __m256i t[8];
    for (int i = 0; i < 8; i += 4) {
        __m256i a = _mm256_unpacklo_epi32(r[i], r[i + 1]);
        __m256i b = _mm256_unpackhi_epi32(r[i], r[i + 1]);
        __m256i c = _mm256_unpacklo_epi32(r[i + 2], r[i + 3]);
        __m256i d = _mm256_unpackhi_epi32(r[i + 2], r[i + 3]);
        // Half h of t[i + k] is column 4h + k of rows i to i + 3.
        t[i] = _mm256_unpacklo_epi64(a, c);
        t[i + 1] = _mm256_unpackhi_epi64(a, c);
        t[i + 2] = _mm256_unpacklo_epi64(b, d);
        t[i + 3] = _mm256_unpackhi_epi64(b, d);
    }
    for (int k = 0; k < 4; k++) {
        r[k] = _mm256_permute2x128_si256(t[k], t[4 + k], 0x20);
        r[4 + k] = _mm256_permute2x128_si256(t[k], t[4 + k], 0x31);
    }
}

typedef struct {
    __m256i first, second;
} half_table;

// The words for the four bits of `words` that begin at bit `shift`. The left shift brings the highest of them
// to the sign, which is what the blend looks at; a permutation looks at the low three bits only.
#define LOOK_UP(table, words, shift)                                                       \
    _mm256_castps_si256(_mm256_blendv_ps(                                                  \
        _mm256_castsi256_ps(                                                               \
            _mm256_permutevar8x32_epi32(table.first, _mm256_srli_epi32(words, shift))),    \
        _mm256_castsi256_ps(                                                               \
            _mm256_permutevar8x32_epi32(table.second, _mm256_srli_epi32(words, shift))),   \
        _mm256_castsi256_ps(_mm256_slli_epi32(words, 28 - (shift)))))

// One step of all lanes over byte number `index` (0 to 3) of their words.
#define STEP(hash, words, index)                                                           \
    _mm256_add_epi32(                                                                      \
        _mm256_add_epi32(hash, hash),                                                      \
        _mm256_add_epi32(LOOK_UP(low, words, 8 * (index)), LOOK_UP(high, words, 8 * (index) + 4)))

AVX2 static inline __attribute__((always_inline)) half_table load(const uint32_t words[16]) {
    half_table table = {
        _mm256_load_si256((const __m256i *)words), _mm256_load_si256((const __m256i *)(words + 8))};
    return table;
}

AVX2 size_t nacre_gear_scan_avx2(const uint8_t *bytes, size_t from, size_t to, uint32_t threshold) {
    if (threshold == 0) return 0;
    const half_table low = load(gear_low);
    const half_table high = load(gear_high);
    // There is no unsigned "less than": x < limit is min(x, limit - 1) == x.
    const __m256i most = _mm256_set1_epi32((int)(threshold - 1));
    size_t start = from;
    // The warm-up reads one byte more than the window needs.
    while (start >= WARM_UP && to - start >= LANES * STRETCH) {
        const uint8_t *rows = bytes + start - WARM_UP;
        __m256i hash = _mm256_setzero_si256();
        // Where in its stretch a lane found its first cut, to four bytes; valid where `found` has its bit.
        uint32_t places[LANES];
        unsigned found = 0;
        for (int tile = 0; tile < TILES; tile++) {
            __m256i r[8];
            for (int lane = 0; lane < LANES; lane++) {
                r[lane] = _mm256_loadu_si256((const __m256i *)(rows + (size_t)lane * STRETCH + tile * TILE));
            }
            transpose(r);
            for (int k = 0; k < TILE / 4; k++) {
                __m256i h0 = STEP(hash, r[k], 0);
                __m256i h1 = STEP(h0, r[k], 1);
                __m256i h2 = STEP(h1, r[k], 2);
                hash = STEP(h2, r[k], 3);
                if (tile == 0) continue;
                __m256i least = _mm256_min_epu32(_mm256_min_epu32(h0, h1), _mm256_min_epu32(h2, hash));
                __m256i below = _mm256_cmpeq_epi32(_mm256_min_epu32(least, most), least);
                unsigned hits = (unsigned)_mm256_movemask_ps(_mm256_castsi256_ps(below)) & ~found;
                if (__builtin_expect(hits != 0, 0)) {
                    found |= hits;
                    for (; hits != 0; hits &= hits - 1) {
                        places[__builtin_ctz(hits)] = (uint32_t)(tile * TILE + k * 4 - WARM_UP);
                    }
                }
            }
            if (found & 1) break;  // nothing can come before the first lane
        }
        if (found) {
            size_t lane = (size_t)__builtin_ctz(found);
            size_t at = start + lane * STRETCH + places[lane];
            return nacre_gear_scan_portable(bytes, at, at + 4, threshold);
        }
        start += LANES * STRETCH;
    }
    return start < to ? nacre_gear_scan_portable(bytes, start, to, threshold) : 0;
}
#endif
