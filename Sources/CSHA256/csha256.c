/*
 * Portable SHA-256 (FIPS 180-4, section 6.2) and the incremental interface.
 */
#include "csha256.h"

#include <string.h>

static const uint32_t initial_256[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                        0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
static const uint32_t initial_224[8] = {0xc1059ed8, 0x367cd507, 0x3070dd17, 0xf70e5939,
                                        0xffc00b31, 0x68581511, 0x64f98fa7, 0xbefa4fa4};
static const uint32_t k[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static uint32_t rotr(uint32_t x, int n) { return (x >> n) | (x << (32 - n)); }
static uint32_t load32(const uint8_t *p) {
    uint32_t v;
    memcpy(&v, p, 4);
    return __builtin_bswap32(v);
}
static void store32(uint8_t *p, uint32_t v) {
    v = __builtin_bswap32(v);
    memcpy(p, &v, 4);
}

static void compress(uint32_t s[8], const uint8_t *p, size_t blocks) {
    uint32_t w[64];
    for (; blocks > 0; blocks--, p += 64) {
        for (int i = 0; i < 16; i++) w[i] = load32(p + 4 * i);
        for (int i = 16; i < 64; i++) {
            uint32_t s0 = rotr(w[i - 15], 7) ^ rotr(w[i - 15], 18) ^ (w[i - 15] >> 3);
            uint32_t s1 = rotr(w[i - 2], 17) ^ rotr(w[i - 2], 19) ^ (w[i - 2] >> 10);
            w[i] = w[i - 16] + s0 + w[i - 7] + s1;
        }
        uint32_t a = s[0], b = s[1], c = s[2], d = s[3], e = s[4], f = s[5], g = s[6], h = s[7];
        for (int i = 0; i < 64; i++) {
            uint32_t t1 = h + (rotr(e, 6) ^ rotr(e, 11) ^ rotr(e, 25)) + ((e & f) ^ (~e & g)) + k[i] + w[i];
            uint32_t t2 = (rotr(a, 2) ^ rotr(a, 13) ^ rotr(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
            h = g; g = f; f = e; e = d + t1; d = c; c = b; b = a; a = t1 + t2;
        }
        s[0] += a; s[1] += b; s[2] += c; s[3] += d; s[4] += e; s[5] += f; s[6] += g; s[7] += h;
    }
}

void nacre_sha256_init(nacre_sha256_context *c) {
    memcpy(c->state, initial_256, sizeof initial_256);
    c->length = 0;
}
void nacre_sha224_init(nacre_sha256_context *c) {
    memcpy(c->state, initial_224, sizeof initial_224);
    c->length = 0;
}
void nacre_sha256_update(nacre_sha256_context *c, const uint8_t *bytes, size_t count) {
    size_t used = c->length % 64;
    c->length += count;
    if (used > 0) {
        size_t take = count < 64 - used ? count : 64 - used;
        memcpy(c->pending + used, bytes, take);
        bytes += take;
        count -= take;
        if (used + take < 64) return;
        compress(c->state, c->pending, 1);
    }
    compress(c->state, bytes, count / 64);
    if (count % 64 > 0) memcpy(c->pending, bytes + count / 64 * 64, count % 64);
}
void nacre_sha256_final(nacre_sha256_context *c, uint8_t *digest) {
    uint8_t tail[128] = {0};
    size_t used = c->length % 64;
    memcpy(tail, c->pending, used);
    tail[used] = 0x80;
    size_t blocks = used < 56 ? 1 : 2;
    uint64_t bits = c->length * 8;
    store32(tail + 64 * blocks - 8, (uint32_t)(bits >> 32));
    store32(tail + 64 * blocks - 4, (uint32_t)bits);
    compress(c->state, tail, blocks);
    for (int i = 0; i < 8; i++) store32(digest + 4 * i, c->state[i]);
}

int nacre_sha256_supported(nacre_sha256_kernel kernel) { return kernel <= NACRE_SHA256_PORTABLE; }
const char *nacre_sha256_kernel_name(void) { return "portable"; }

void nacre_sha256_many_with(nacre_sha256_kernel kernel, const uint8_t *const *messages, const size_t *lengths,
                            size_t count, uint8_t *digests) {
    (void)kernel;
    for (size_t i = 0; i < count; i++) {
        nacre_sha256_context c;
        nacre_sha256_init(&c);
        if (lengths[i] > 0) nacre_sha256_update(&c, messages[i], lengths[i]);
        nacre_sha256_final(&c, digests + 32 * i);
    }
}
void nacre_sha256_many(const uint8_t *const *messages, const size_t *lengths, size_t count, uint8_t *digests) {
    nacre_sha256_many_with(NACRE_SHA256_AUTOMATIC, messages, lengths, count, digests);
}
void nacre_sha256_pairs_with(nacre_sha256_kernel kernel, const uint8_t *nodes, size_t pairs, uint8_t *parents) {
    (void)kernel;
    for (size_t i = 0; i < pairs; i++) {
        nacre_sha256_context c;
        nacre_sha256_init(&c);
        nacre_sha256_update(&c, nodes + 64 * i, 64);
        nacre_sha256_final(&c, parents + 32 * i);
    }
}
void nacre_sha256_pairs(const uint8_t *nodes, size_t pairs, uint8_t *parents) {
    nacre_sha256_pairs_with(NACRE_SHA256_AUTOMATIC, nodes, pairs, parents);
}
