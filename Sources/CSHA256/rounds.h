/*
 * The rounds of one block in general-purpose registers, for kernels that differ in how they get the schedule.
 *
 * ROUNDS_OF_16(KW, t) runs rounds t to t + 15; KW(t) is round constant plus schedule word of round t. The
 * variables a to h are the working words, renamed from round to round instead of moved. `both` carries the
 * exclusive or of two of them from one round to the next, where the majority needs it again.
 */
#ifndef NACRE_SHA256_ROUNDS_H
#define NACRE_SHA256_ROUNDS_H

#include <stdint.h>

#define ROTATE(x, n) (((x) >> (n)) | ((x) << (32 - (n))))
#define BIG0(x) (ROTATE(x, 2) ^ ROTATE(x, 13) ^ ROTATE(x, 22))
#define BIG1(x) (ROTATE(x, 6) ^ ROTATE(x, 11) ^ ROTATE(x, 25))
#define SMALL0(x) (ROTATE(x, 7) ^ ROTATE(x, 18) ^ ((x) >> 3))
#define SMALL1(x) (ROTATE(x, 17) ^ ROTATE(x, 19) ^ ((x) >> 10))

/* Chooses f where e is set, else g: the two parts share no bit, so they may be added. */
#define ROUND(a, b, c, d, e, f, g, h, kw)                            \
    do {                                                             \
        uint32_t sum = (h) + (kw) + ((e) & (f)) + (~(e) & (g));      \
        uint32_t next = (a) ^ (b);                                   \
        sum += BIG1(e);                                              \
        (d) += sum;                                                  \
        (h) = sum + BIG0(a) + ((b) ^ (next & both));                 \
        both = next;                                                 \
    } while (0)

#define EIGHT_ROUNDS(KW, t)                         \
    do {                                            \
        ROUND(a, b, c, d, e, f, g, h, KW((t) + 0)); \
        ROUND(h, a, b, c, d, e, f, g, KW((t) + 1)); \
        ROUND(g, h, a, b, c, d, e, f, KW((t) + 2)); \
        ROUND(f, g, h, a, b, c, d, e, KW((t) + 3)); \
        ROUND(e, f, g, h, a, b, c, d, KW((t) + 4)); \
        ROUND(d, e, f, g, h, a, b, c, KW((t) + 5)); \
        ROUND(c, d, e, f, g, h, a, b, KW((t) + 6)); \
        ROUND(b, c, d, e, f, g, h, a, KW((t) + 7)); \
    } while (0)

#define ROUNDS_OF_16(KW, t)      \
    do {                         \
        EIGHT_ROUNDS(KW, t);     \
        EIGHT_ROUNDS(KW, t + 8); \
    } while (0)

#define LOAD_STATE(s)                                                               \
    uint32_t a = (s)[0], b = (s)[1], c = (s)[2], d = (s)[3], e = (s)[4], f = (s)[5], \
             g = (s)[6], h = (s)[7], both = b ^ c

#define ADD_STATE(s)                                                                 \
    ((s)[0] += a, (s)[1] += b, (s)[2] += c, (s)[3] += d, (s)[4] += e, (s)[5] += f,   \
     (s)[6] += g, (s)[7] += h)

#endif
