// Sixteen lanes, each over a stretch of its own of the content; the stretches follow one another.
//
//   bytes  … | lane 0 | lane 1 | … | lane 15 | …      each STRETCH bytes
//
// A hash depends on 32 bytes only, so each lane warms up on the 32 bytes before its stretch and then
// agrees with a hash that came all the way. Lanes want one byte each in every step, memory has them in
// rows: tiles of 16 rows of 64 bytes are loaded and transposed, after which a register holds four
// consecutive bytes of each lane.

#include "cchunking.h"
#include "gear_kernels.h"
#include "gear_table.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define LANES 16
#define TILE 64
#define TILES 4
#define WARM_UP NACRE_GEAR_WINDOW
#define STRETCH (TILES * TILE - WARM_UP)
#define AVX512 __attribute__((target("avx512f")))

// Transposes 16 rows of 16 words.
AVX512 static inline __attribute__((always_inline)) void transpose(__m512i r[16]) {
    __m512i t[16];
    for (int i = 0; i < 16; i += 4) {
        __m512i a = _mm512_unpacklo_epi32(r[i], r[i + 1]);
        __m512i b = _mm512_unpackhi_epi32(r[i], r[i + 1]);
        __m512i c = _mm512_unpacklo_epi32(r[i + 2], r[i + 3]);
        __m512i d = _mm512_unpackhi_epi32(r[i + 2], r[i + 3]);
        // Quarter q of t[i + k] is column 4q + k of rows i to i + 3.
        t[i] = _mm512_unpacklo_epi64(a, c);
        t[i + 1] = _mm512_unpackhi_epi64(a, c);
        t[i + 2] = _mm512_unpacklo_epi64(b, d);
        t[i + 3] = _mm512_unpackhi_epi64(b, d);
    }
    for (int k = 0; k < 4; k++) {
        __m512i even_low = _mm512_shuffle_i32x4(t[k], t[4 + k], 0x88);
        __m512i odd_low = _mm512_shuffle_i32x4(t[k], t[4 + k], 0xDD);
        __m512i even_high = _mm512_shuffle_i32x4(t[8 + k], t[12 + k], 0x88);
        __m512i odd_high = _mm512_shuffle_i32x4(t[8 + k], t[12 + k], 0xDD);
        r[k] = _mm512_shuffle_i32x4(even_low, even_high, 0x88);
        r[4 + k] = _mm512_shuffle_i32x4(odd_low, odd_high, 0x88);
        r[8 + k] = _mm512_shuffle_i32x4(even_low, even_high, 0xDD);
        r[12 + k] = _mm512_shuffle_i32x4(odd_low, odd_high, 0xDD);
    }
}

// One step of all lanes over byte number `index` (0 to 3) of their words. A permutation looks at the low
// four bits of each index only, so nothing needs masking.
#define STEP(hash, words, index)                                                                    \
    _mm512_add_epi32(                                                                               \
        _mm512_add_epi32(hash, hash),                                                               \
        _mm512_add_epi32(                                                                           \
            _mm512_permutexvar_epi32(_mm512_srli_epi32(words, 8 * (index)), low),                   \
            _mm512_permutexvar_epi32(_mm512_srli_epi32(words, 8 * (index) + 4), high)))

AVX512 size_t nacre_gear_scan_avx512(const uint8_t *bytes, size_t from, size_t to, uint32_t threshold) {
    const __m512i low = _mm512_load_si512(gear_low);
    const __m512i high = _mm512_load_si512(gear_high);
    const __m512i limit = _mm512_set1_epi32((int)threshold);
    size_t start = from;
    // The warm-up reads one byte more than the window needs.
    while (start >= WARM_UP && to - start >= LANES * STRETCH) {
        const uint8_t *rows = bytes + start - WARM_UP;
        __m512i hash = _mm512_setzero_si512();
        // Where in its stretch a lane found its first cut, to four bytes; valid where `found` has its bit.
        __m512i place = _mm512_setzero_si512();
        __mmask16 found = 0;
        for (int tile = 0; tile < TILES; tile++) {
            __m512i r[16];
            for (int lane = 0; lane < LANES; lane++) {
                r[lane] = _mm512_loadu_si512(rows + (size_t)lane * STRETCH + tile * TILE);
            }
            transpose(r);
            for (int k = 0; k < TILE / 4; k++) {
                __m512i h0 = STEP(hash, r[k], 0);
                __m512i h1 = STEP(h0, r[k], 1);
                __m512i h2 = STEP(h1, r[k], 2);
                hash = STEP(h2, r[k], 3);
                if (tile == 0 && k < WARM_UP / 4) continue;
                __m512i least = _mm512_min_epu32(_mm512_min_epu32(h0, h1), _mm512_min_epu32(h2, hash));
                __mmask16 below = _mm512_cmplt_epu32_mask(least, limit);
                if (__builtin_expect(below != 0, 0)) {
                    below &= (__mmask16)~found;
                    found |= below;
                    int offset = tile * TILE + k * 4 - WARM_UP;
                    place = _mm512_mask_mov_epi32(place, below, _mm512_set1_epi32(offset));
                }
            }
            if (found & 1) break;  // nothing can come before the first lane
        }
        if (found) {
            uint32_t places[LANES];
            _mm512_storeu_si512(places, place);
            size_t lane = (size_t)__builtin_ctz(found);
            size_t at = start + lane * STRETCH + places[lane];
            return nacre_gear_scan_portable(bytes, at, at + 4, threshold);
        }
        start += LANES * STRETCH;
    }
    return start < to ? nacre_gear_scan_portable(bytes, start, to, threshold) : 0;
}
#endif
