/* Dispatch between the kernels, and incremental hashing on top of them. */
#include "kernels.h"

static const nacre_sha256_functions *functions_of(nacre_sha256_kernel kernel) {
    (void)kernel;
    return &nacre_sha256_portable;
}

int nacre_sha256_supported(nacre_sha256_kernel kernel) {
    return kernel == NACRE_SHA256_AUTOMATIC || kernel == NACRE_SHA256_PORTABLE;
}

const char *nacre_sha256_kernel_name(void) { return "portable"; }

void nacre_sha256_many_with(nacre_sha256_kernel kernel, const uint8_t *const *messages, const size_t *lengths,
                            size_t count, uint8_t *digests) {
    functions_of(kernel)->many(messages, lengths, count, digests);
}

void nacre_sha256_many(const uint8_t *const *messages, const size_t *lengths, size_t count, uint8_t *digests) {
    nacre_sha256_many_with(NACRE_SHA256_AUTOMATIC, messages, lengths, count, digests);
}

void nacre_sha256_pairs_with(nacre_sha256_kernel kernel, const uint8_t *nodes, size_t pairs, uint8_t *parents) {
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
    const nacre_sha256_functions *functions = functions_of(NACRE_SHA256_AUTOMATIC);
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
        functions->blocks(context->state, context->pending, 1);
        bytes += missing;
        count -= missing;
    }
    if (count >= 64) {
        functions->blocks(context->state, bytes, count / 64);
        bytes += count & ~(size_t)63;
        count &= 63;
    }
    if (count)
        memcpy(context->pending, bytes, count);
}

void nacre_sha256_final(nacre_sha256_context *context, uint8_t *digest) {
    uint8_t padded[128];
    size_t blocks = nacre_pad(padded, context->pending, context->length);
    functions_of(NACRE_SHA256_AUTOMATIC)->blocks(context->state, padded, blocks);
    nacre_store_digest(digest, context->state);
}
