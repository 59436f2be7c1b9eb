/* Sixteen messages in the lanes of AVX-512 registers. */
#if defined(__x86_64__)
#include "many.h"
#include "rounds.h"
#include <immintrin.h>

#define LANES 16
#define VEC __m512i
#define KERNEL(name) nacre_sha256_avx512_##name
#define nacre_sha256_avx512_functions nacre_sha256_avx512
#define TARGET __attribute__((target("avx512f,avx512bw,avx512vl,bmi,bmi2")))
#define ADD(x, y) _mm512_add_epi32(x, y)
/* The last operand of the ternary logic is its truth table. */
#define XOR3(x, y, z) _mm512_ternarylogic_epi32(x, y, z, 0x96)
#define CHOOSE(x, y, z) _mm512_ternarylogic_epi32(x, y, z, 0xCA)
#define MAJORITY(x, y, z) _mm512_ternarylogic_epi32(x, y, z, 0xE8)
#define ROTATED(x, n) _mm512_ror_epi32(x, n)
#define SHIFTED(x, n) _mm512_srli_epi32(x, n)
#define BROADCAST(word) _mm512_set1_epi32((int)(word))
#define LOAD(words) _mm512_load_si512(words)
#define STORE(words, x) _mm512_store_si512(words, x)
#define PREFETCH_BYTES 256
/*
 * A step of all lanes takes as long as two blocks of one message in general registers, or as some eight blocks
 * by SHA-NI.
 */
#define TOO_FEW ((size_t)(nacre_sha256_supported(NACRE_SHA256_SHANI) ? 7 : 2))

TARGET static inline __m512i big_endian(__m512i words) {
    const __m512i order = _mm512_set4_epi32(0x0c0d0e0f, 0x08090a0b, 0x04050607, 0x00010203);
    return _mm512_shuffle_epi8(words, order);
}

/* Transposes 16 rows of 16 words: first within groups of four rows and columns, then the groups themselves. */
TARGET static inline __attribute__((always_inline)) void transpose(__m512i rows[16]) {
    __m512i t[16];
    for (int i = 0; i < 16; i += 2) {
        t[i] = _mm512_unpacklo_epi32(rows[i], rows[i + 1]);
        t[i + 1] = _mm512_unpackhi_epi32(rows[i], rows[i + 1]);
    }
    for (int i = 0; i < 16; i += 4) {
        rows[i] = _mm512_unpacklo_epi64(t[i], t[i + 2]);
        rows[i + 1] = _mm512_unpackhi_epi64(t[i], t[i + 2]);
        rows[i + 2] = _mm512_unpacklo_epi64(t[i + 1], t[i + 3]);
        rows[i + 3] = _mm512_unpackhi_epi64(t[i + 1], t[i + 3]);
    }
    for (int i = 0; i < 4; i++) {
        __m512i low = _mm512_shuffle_i32x4(rows[i], rows[4 + i], 0x44);
        __m512i high = _mm512_shuffle_i32x4(rows[i], rows[4 + i], 0xEE);
        __m512i low2 = _mm512_shuffle_i32x4(rows[8 + i], rows[12 + i], 0x44);
        __m512i high2 = _mm512_shuffle_i32x4(rows[8 + i], rows[12 + i], 0xEE);
        t[i] = _mm512_shuffle_i32x4(low, low2, 0x88);
        t[4 + i] = _mm512_shuffle_i32x4(low, low2, 0xDD);
        t[8 + i] = _mm512_shuffle_i32x4(high, high2, 0x88);
        t[12 + i] = _mm512_shuffle_i32x4(high, high2, 0xDD);
    }
    for (int i = 0; i < 16; i++)
        rows[i] = t[i];
}

TARGET static inline __attribute__((always_inline)) void KERNEL(load)(const uint8_t *const at[16],
                                                                      __m512i w[16]) {
    for (int l = 0; l < 16; l++)
        w[l] = big_endian(_mm512_loadu_si512(at[l]));
    transpose(w);
}

/* Transposes eight rows of 16 words to 16 digests, two in a register. */
TARGET static inline __attribute__((always_inline)) void KERNEL(store_digests)(const __m512i s[8],
                                                                               uint8_t *digests) {
    __m512i t[8], u[8];
    for (int i = 0; i < 8; i += 2) {
        t[i] = _mm512_unpacklo_epi32(s[i], s[i + 1]);
        t[i + 1] = _mm512_unpackhi_epi32(s[i], s[i + 1]);
    }
    /* u[q] holds words 0 to 3 of lanes q, 4 + q, 8 + q and 12 + q; u[4 + q] holds their words 4 to 7. */
    for (int i = 0; i < 8; i += 4) {
        u[i] = _mm512_unpacklo_epi64(t[i], t[i + 2]);
        u[i + 1] = _mm512_unpackhi_epi64(t[i], t[i + 2]);
        u[i + 2] = _mm512_unpacklo_epi64(t[i + 1], t[i + 3]);
        u[i + 3] = _mm512_unpackhi_epi64(t[i + 1], t[i + 3]);
    }
    const __m512i lower = _mm512_setr_epi64(0, 1, 8, 9, 2, 3, 10, 11);
    const __m512i upper = _mm512_setr_epi64(4, 5, 12, 13, 6, 7, 14, 15);
    for (int q = 0; q < 4; q++) {
        __m512i first = big_endian(_mm512_permutex2var_epi64(u[q], lower, u[4 + q]));
        __m512i second = big_endian(_mm512_permutex2var_epi64(u[q], upper, u[4 + q]));
        _mm256_storeu_si256((__m256i *)(digests + 32 * q), _mm512_castsi512_si256(first));
        _mm256_storeu_si256((__m256i *)(digests + 32 * (4 + q)), _mm512_extracti64x4_epi64(first, 1));
        _mm256_storeu_si256((__m256i *)(digests + 32 * (8 + q)), _mm512_castsi512_si256(second));
        _mm256_storeu_si256((__m256i *)(digests + 32 * (12 + q)), _mm512_extracti64x4_epi64(second, 1));
    }
}

#include "lanes.h"
#endif
