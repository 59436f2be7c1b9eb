/*
 * The SHA-NI kernel of CSHA256, compiled from the same source against the three SHA instructions in C, so that
 * its logic is tested bit for bit on machines without them.
 */
#ifndef NACRE_CSHA256_EMULATED_H
#define NACRE_CSHA256_EMULATED_H

#include <stddef.h>
#include <stdint.h>

/* 0 where the kernel does not exist at all: machines other than x86-64. The others may not be called then. */
int nacre_sha256_emulated_available(void);
void nacre_sha256_emulated_many(const uint8_t *const *messages, const size_t *lengths, size_t count,
                                uint8_t *digests);
void nacre_sha256_emulated_pairs(const uint8_t *nodes, size_t pairs, uint8_t *parents);
/* The digest of one message that the kernel's function for a single stream takes in two steps. */
void nacre_sha256_emulated_one(const uint8_t *bytes, size_t count, uint8_t *digest);

#endif
