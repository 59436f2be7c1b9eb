/* Many messages of different lengths over a kernel that advances a fixed number of lanes together. */
#ifndef NACRE_SHA256_MANY_H
#define NACRE_SHA256_MANY_H

#include "kernels.h"

#define NACRE_SHA256_MOST_LANES 16

/* Where a lane stands in its message: first the whole blocks of the body, then one or two of padding. */
typedef struct {
    const uint8_t *at;
    size_t body;    /* blocks of the message itself still to come */
    size_t padding; /* blocks of `padded` still to come */
    size_t index;   /* which message */
    uint8_t padded[128];
} nacre_sha256_lane;

typedef struct {
    size_t lanes;
    /*
     * Advances all lanes by `blocks` blocks. Word i of lane l is states[i * lanes + l], on a 64-byte boundary;
     * lane l reads its first block at at[l] and moves on by steps[l] bytes from block to block.
     */
    void (*advance)(uint32_t *states, const uint8_t *const *at, const size_t *steps, size_t blocks);
    /* With so few busy lanes or fewer, `blocks` finishes the messages that are left one after another. */
    size_t too_few;
    nacre_sha256_blocks_function *blocks;
} nacre_sha256_lane_kernel;

void nacre_sha256_many_in_lanes(const nacre_sha256_lane_kernel *kernel, const uint8_t *const *messages,
                                const size_t *lengths, size_t count, uint8_t *digests);

#endif
