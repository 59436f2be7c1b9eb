/* Eight messages in the lanes of AVX2 registers. */
#if defined(__x86_64__)
#include "many.h"
#include "rounds.h"
#include <immintrin.h>

#define LANES 8
#define VEC __m256i
#define KERNEL(name) nacre_sha256_avx2_##name
#define nacre_sha256_avx2_functions nacre_sha256_avx2
#define TARGET __attribute__((target("avx2,bmi,bmi2")))
#define ADD(x, y) _mm256_add_epi32(x, y)
#define XOR3(x, y, z) _mm256_xor_si256(_mm256_xor_si256(x, y), z)
#define CHOOSE(x, y, z) _mm256_xor_si256(_mm256_and_si256(x, _mm256_xor_si256(y, z)), z)
#define MAJORITY(x, y, z) \
    _mm256_or_si256(_mm256_and_si256(x, y), _mm256_and_si256(z, _mm256_or_si256(x, y)))
#define ROTATED(x, n) _mm256_or_si256(_mm256_srli_epi32(x, n), _mm256_slli_epi32(x, 32 - (n)))
#define SHIFTED(x, n) _mm256_srli_epi32(x, n)
#define BROADCAST(word) _mm256_set1_epi32((int)(word))
#define LOAD(words) _mm256_load_si256((const __m256i *)(words))
#define STORE(words, x) _mm256_store_si256((__m256i *)(words), x)
#define PREFETCH_BYTES 256
/* A step of all lanes takes as long as three blocks of one message in general registers. */
#define TOO_FEW 3

TARGET static inline __m256i big_endian(__m256i words) {
    const __m256i order = _mm256_set_epi32(0x0c0d0e0f, 0x08090a0b, 0x04050607, 0x00010203, 0x0c0d0e0f,
                                           0x08090a0b, 0x04050607, 0x00010203);
    return _mm256_shuffle_epi8(words, order);
}

/* Transposes eight rows of eight words. */
TARGET static inline __attribute__((always_inline)) void transpose(__m256i rows[8]) {
    __m256i t[8];
    for (int i = 0; i < 8; i += 2) {
        t[i] = _mm256_unpacklo_epi32(rows[i], rows[i + 1]);
        t[i + 1] = _mm256_unpackhi_epi32(rows[i], rows[i + 1]);
    }
    for (int i = 0; i < 8; i += 4) {
        rows[i] = _mm256_unpacklo_epi64(t[i], t[i + 2]);
        rows[i + 1] = _mm256_unpackhi_epi64(t[i], t[i + 2]);
        rows[i + 2] = _mm256_unpacklo_epi64(t[i + 1], t[i + 3]);
        rows[i + 3] = _mm256_unpackhi_epi64(t[i + 1], t[i + 3]);
    }
    for (int i = 0; i < 4; i++) {
        t[i] = _mm256_permute2x128_si256(rows[i], rows[4 + i], 0x20);
        t[4 + i] = _mm256_permute2x128_si256(rows[i], rows[4 + i], 0x31);
    }
    for (int i = 0; i < 8; i++)
        rows[i] = t[i];
}

TARGET static inline __attribute__((always_inline)) void KERNEL(load)(const uint8_t *const at[8],
                                                                      __m256i w[16]) {
    for (int l = 0; l < 8; l++) {
        w[l] = big_endian(_mm256_loadu_si256((const __m256i *)at[l]));
        w[8 + l] = big_endian(_mm256_loadu_si256((const __m256i *)(at[l] + 32)));
    }
    transpose(w);
    transpose(w + 8);
}

TARGET static inline __attribute__((always_inline)) void KERNEL(store_digests)(const __m256i s[8],
                                                                               uint8_t *digests) {
    __m256i rows[8];
    for (int i = 0; i < 8; i++)
        rows[i] = s[i];
    transpose(rows);
    for (int l = 0; l < 8; l++)
        _mm256_storeu_si256((__m256i *)(digests + 32 * l), big_endian(rows[l]));
}

#include "lanes.h"
#endif
