/* The DNS resolver of the C library, one query at a time, with a state of its own for each. */
#pragma once
#include <arpa/nameser.h>
#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>
#include <string.h>

/* Asks for the TXT records of a name and writes the answer's packet. Blocks for at most about seconds * tries for
   each server. address: an IPv4 address in network order, port: in host order; with port 0 the servers that the system
   is configured with are asked. Returns the number of bytes, or -1 with h_errno's value in *failure. */
static inline int nacre_resolver_txt(
    const char *name, unsigned int address, unsigned short port, int seconds, int tries, unsigned char *answer,
    int capacity, int *failure) {
    struct __res_state state;
    int count;
    memset(&state, 0, sizeof state);
    if (res_ninit(&state) != 0) {
        *failure = NETDB_INTERNAL;
        return -1;
    }
    state.retrans = seconds;
    state.retry = tries;
    if (port != 0) {
        memset(&state.nsaddr_list[0], 0, sizeof state.nsaddr_list[0]);
        state.nsaddr_list[0].sin_family = AF_INET;
        state.nsaddr_list[0].sin_addr.s_addr = address;
        state.nsaddr_list[0].sin_port = htons(port);
        state.nscount = 1;
    }
    count = res_nquery(&state, name, ns_c_in, ns_t_txt, answer, capacity);
    *failure = count < 0 ? state.res_h_errno : 0;
    res_nclose(&state);
    return count;
}
