/* Feeding messages of different lengths to the lanes of a kernel. */
#include "many.h"

static void finish_in_turn(nacre_sha256_blocks_function *blocks, const nacre_sha256_lane *lane,
                           uint32_t state[8], uint8_t *digest) {
    if (lane->body)
        blocks(state, lane->at, lane->body);
    blocks(state, lane->body ? lane->padded : lane->at, lane->padding);
    nacre_store_digest(digest, state);
}

/* Puts message `index` into the lane. The padding is built aside, so that the message itself is only read. */
static void start(nacre_sha256_lane *lane, const uint8_t *message, size_t length, size_t index) {
    lane->index = index;
    lane->body = length / 64;
    lane->padding = nacre_pad(lane->padded, length % 64 ? message + 64 * lane->body : NULL, length);
    lane->at = lane->body ? message : lane->padded;
}

void nacre_sha256_many_in_turn(nacre_sha256_blocks_function *blocks, const uint8_t *const *messages,
                               const size_t *lengths, size_t count, uint8_t *digests) {
    for (size_t i = 0; i < count; i++) {
        nacre_sha256_lane lane;
        uint32_t state[8];
        start(&lane, messages[i], lengths[i], i);
        memcpy(state, nacre_sha256_initial, sizeof state);
        finish_in_turn(blocks, &lane, state, digests + 32 * i);
    }
}

/* What the loop below works on. Column l of the states belongs to lane l. */
typedef struct {
    uint32_t states[8 * NACRE_SHA256_MOST_LANES] __attribute__((aligned(64)));
    nacre_sha256_lane lanes[NACRE_SHA256_MOST_LANES];
    const uint8_t *at[NACRE_SHA256_MOST_LANES];
    size_t steps[NACRE_SHA256_MOST_LANES]; /* 64, or 0 for a lane without a message */
} lane_set;

static void fill(lane_set *set, size_t lanes, size_t lane, const uint8_t *message, size_t length,
                 size_t index) {
    for (size_t i = 0; i < 8; i++)
        set->states[i * lanes + lane] = nacre_sha256_initial[i];
    start(&set->lanes[lane], message, length, index);
    set->at[lane] = set->lanes[lane].at;
    set->steps[lane] = 64;
}

static void take_state(const lane_set *set, size_t lanes, size_t lane, uint32_t state[8]) {
    for (size_t i = 0; i < 8; i++)
        state[i] = set->states[i * lanes + lane];
}

/* How many blocks every busy lane can take before one of them comes to the end of its body or padding. */
static size_t common_blocks(const lane_set *set, size_t lanes) {
    size_t fewest = SIZE_MAX;
    for (size_t l = 0; l < lanes; l++) {
        const nacre_sha256_lane *lane = &set->lanes[l];
        size_t left = lane->body ? lane->body : lane->padding;
        if (set->steps[l] && left < fewest)
            fewest = left;
    }
    return fewest;
}

void nacre_sha256_many_in_lanes(const nacre_sha256_lane_kernel *kernel, const uint8_t *const *messages,
                                const size_t *lengths, size_t count, uint8_t *digests) {
    lane_set set;
    size_t lanes = kernel->lanes, next = 0, busy = 0;
    if (count == 0)
        return;
    for (size_t l = 0; l < lanes; l++) {
        if (next < count) {
            fill(&set, lanes, l, messages[next], lengths[next], next);
            next++;
            busy++;
        } else {
            set.steps[l] = 0;
            set.at[l] = set.at[0]; /* an idle lane hashes something readable; nobody looks at the result */
        }
    }
    while (next < count || busy > kernel->too_few) {
        size_t blocks = common_blocks(&set, lanes);
        kernel->advance(set.states, set.at, set.steps, blocks);
        for (size_t l = 0; l < lanes; l++) {
            nacre_sha256_lane *lane = &set.lanes[l];
            if (!set.steps[l])
                continue;
            if (lane->body) {
                lane->body -= blocks;
                set.at[l] = lane->body ? set.at[l] + 64 * blocks : lane->padded;
                continue;
            }
            lane->padding -= blocks;
            set.at[l] += 64 * blocks;
            if (lane->padding)
                continue;
            uint32_t state[8];
            take_state(&set, lanes, l, state);
            nacre_store_digest(digests + 32 * lane->index, state);
            if (next < count) {
                fill(&set, lanes, l, messages[next], lengths[next], next);
                next++;
            } else {
                set.steps[l] = 0;
                set.at[l] = lane->padded;
                busy--;
            }
        }
    }
    for (size_t l = 0; l < lanes && busy; l++) {
        if (!set.steps[l])
            continue;
        uint32_t state[8];
        take_state(&set, lanes, l, state);
        set.lanes[l].at = set.at[l];
        finish_in_turn(kernel->blocks, &set.lanes[l], state, digests + 32 * set.lanes[l].index);
        busy--;
    }
}
