/* Dispatch between the kernels, and incremental hashing on top of them. */
#include "kernels.h"

#if defined(__x86_64__)
#include <cpuid.h>

enum { KNOWN = 1, HAS_AVX2 = 2, HAS_SHANI = 4, HAS_AVX512 = 8 };

/* The registers that the operating system saves: bits 1 and 2 for AVX, 5 to 7 for AVX-512. */
static uint32_t saved_registers(void) {
    uint32_t low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return low;
}

static int find_features(void) {
    uint32_t a, b, c, d, extended, found = KNOWN, saved = 0;
    if (!__get_cpuid(1, &a, &b, &c, &d))
        return KNOWN;
    int sse = (c >> 9 & 1) && (c >> 19 & 1); /* SSSE3, SSE4.1 */
    if (c >> 27 & 1)
        saved = saved_registers();
    if (!__get_cpuid_count(7, 0, &a, &extended, &c, &d))
        return KNOWN;
    int bmi = (extended >> 3 & 1) && (extended >> 8 & 1); /* BMI1, BMI2 */
    int avx2 = bmi && (extended >> 5 & 1) && (saved & 0x06) == 0x06;
    if (sse && (extended >> 29 & 1))
        found |= HAS_SHANI;
    if (avx2)
        found |= HAS_AVX2;

    int avx512 = (extended >> 16 & 1) && (extended >> 30 & 1) && (extended >> 31 & 1); /* F, BW, VL */
    if (avx2 && avx512 && (saved & 0xE6) == 0xE6)
        found |= HAS_AVX512;
    return (int)found;
}

/* Threads that come here together find the same features, so it does not matter whose store is last. */
static int features(void) {
    static int cached;
    int found = __atomic_load_n(&cached, __ATOMIC_RELAXED);
    if (!found) {
        found = find_features();
        __atomic_store_n(&cached, found, __ATOMIC_RELAXED);
    }
    return found;
}

int nacre_sha256_supported(nacre_sha256_kernel kernel) {
    switch (kernel) {
    case NACRE_SHA256_AUTOMATIC:
    case NACRE_SHA256_PORTABLE: return 1;
    case NACRE_SHA256_AVX2: return (features() & HAS_AVX2) != 0;
    case NACRE_SHA256_SHANI: return (features() & HAS_SHANI) != 0;
    case NACRE_SHA256_AVX512: return (features() & HAS_AVX512) != 0;
    }
    return 0;
}

static const nacre_sha256_functions *functions_of(nacre_sha256_kernel kernel) {
    if (!nacre_sha256_supported(kernel))
        return &nacre_sha256_portable;
    switch (kernel) {
    case NACRE_SHA256_AVX2: return &nacre_sha256_avx2;
    case NACRE_SHA256_SHANI: return &nacre_sha256_shani;
    case NACRE_SHA256_AVX512: return &nacre_sha256_avx512;
    default: return &nacre_sha256_portable;
    }
}
#else
int nacre_sha256_supported(nacre_sha256_kernel kernel) {
    return kernel == NACRE_SHA256_AUTOMATIC || kernel == NACRE_SHA256_PORTABLE;
}

static const nacre_sha256_functions *functions_of(nacre_sha256_kernel kernel) {
    (void)kernel;
    return &nacre_sha256_portable;
}
#endif

/* For many messages the widest registers win; for few of them, SHA-NI does, where it exists. */
static nacre_sha256_kernel best_for(size_t messages) {
    int shani = nacre_sha256_supported(NACRE_SHA256_SHANI);
    if (messages >= (shani ? 8 : 3) && nacre_sha256_supported(NACRE_SHA256_AVX512))
        return NACRE_SHA256_AVX512;
    if (shani)
        return NACRE_SHA256_SHANI;
    return nacre_sha256_supported(NACRE_SHA256_AVX2) ? NACRE_SHA256_AVX2 : NACRE_SHA256_PORTABLE;
}

nacre_sha256_blocks_function *nacre_sha256_best_blocks(void) {
    if (nacre_sha256_supported(NACRE_SHA256_SHANI))
        return functions_of(NACRE_SHA256_SHANI)->blocks;
    if (nacre_sha256_supported(NACRE_SHA256_AVX512))
        return functions_of(NACRE_SHA256_AVX512)->blocks;
    return functions_of(NACRE_SHA256_AVX2)->blocks;
}

const char *nacre_sha256_kernel_name(void) {
    switch (best_for(SIZE_MAX)) {
    case NACRE_SHA256_AVX512: return "avx512";
    case NACRE_SHA256_SHANI: return "shani";
    case NACRE_SHA256_AVX2: return "avx2";
    default: return "portable";
    }
}

void nacre_sha256_many_with(nacre_sha256_kernel kernel, const uint8_t *const *messages, const size_t *lengths,
                            size_t count, uint8_t *digests) {
    if (kernel == NACRE_SHA256_AUTOMATIC)
        kernel = best_for(count);
    functions_of(kernel)->many(messages, lengths, count, digests);
}

void nacre_sha256_many(const uint8_t *const *messages, const size_t *lengths, size_t count,
                       uint8_t *digests) {
    nacre_sha256_many_with(NACRE_SHA256_AUTOMATIC, messages, lengths, count, digests);
}

void nacre_sha256_pairs_with(nacre_sha256_kernel kernel, const uint8_t *nodes, size_t pairs, uint8_t *parents) {
    if (kernel == NACRE_SHA256_AUTOMATIC)
        kernel = best_for(pairs);
    functions_of(kernel)->pairs(nodes, pairs, parents);
}

void nacre_sha256_pairs(const uint8_t *nodes, size_t pairs, uint8_t *parents) {
    nacre_sha256_pairs_with(NACRE_SHA256_AUTOMATIC, nodes, pairs, parents);
}

static void start(nacre_sha256_context *context, const uint32_t initial[8]) {
    memcpy(context->state, initial, sizeof context->state);
    context->length = 0;
}

void nacre_sha256_init(nacre_sha256_context *context) { start(context, nacre_sha256_initial); }

void nacre_sha224_init(nacre_sha256_context *context) { start(context, nacre_sha224_initial); }

void nacre_sha256_update(nacre_sha256_context *context, const uint8_t *bytes, size_t count) {
    nacre_sha256_blocks_function *advance = nacre_sha256_best_blocks();
    size_t used = context->length % 64;
    context->length += count;
    if (used) {
        size_t missing = 64 - used;
        if (count < missing) {
            if (count)
                memcpy(context->pending + used, bytes, count);
            return;
        }
        memcpy(context->pending + used, bytes, missing);
        advance(context->state, context->pending, 1);
        bytes += missing;
        count -= missing;
    }
    if (count >= 64) {
        advance(context->state, bytes, count / 64);
        bytes += count & ~(size_t)63;
        count &= 63;
    }
    if (count)
        memcpy(context->pending, bytes, count);
}

void nacre_sha256_final(nacre_sha256_context *context, uint8_t *digest) {
    uint8_t padded[128];
    size_t blocks = nacre_pad(padded, context->pending, context->length);
    nacre_sha256_best_blocks()(context->state, padded, blocks);
    nacre_store_digest(digest, context->state);
}
