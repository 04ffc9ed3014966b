/* Faults of the system and of OpenSSL, made to order. The shim is preloaded into a program. GATEPOST_FAULTS names a
 * file of rules, one for each call, which is mapped and shared: whoever writes to it switches faults on and off while
 * the program runs. tests/integration/common/faults.py knows the layout too. */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

/* CALL(name): what a rule can be for. The order is that of the rules in the file. */
#define FAULT_CALLS(CALL)                                                                                    \
        CALL(malloc)                                                                                         \
        CALL(calloc)                                                                                         \
        CALL(realloc)                                                                                        \
        CALL(aligned_alloc)                                                                                  \
        CALL(write)                                                                                          \
        CALL(pwrite)                                                                                         \
        CALL(pwritev)                                                                                        \
        CALL(writev)                                                                                         \
        CALL(fsync)                                                                                          \
        CALL(fdatasync)                                                                                      \
        CALL(syncfs)                                                                                         \
        CALL(rename)                                                                                         \
        CALL(link)                                                                                           \
        CALL(open)                                                                                           \
        CALL(accept4)                                                                                        \
        CALL(epoll_ctl)                                                                                      \
        CALL(epoll_wait)                                                                                     \
        CALL(send)                                                                                           \
        CALL(recv)                                                                                           \
        CALL(socket)                                                                                         \
        CALL(connect)                                                                                        \
        CALL(SSL_new)                                                                                        \
        CALL(SSL_do_handshake)                                                                               \
        CALL(SSL_read_ex)                                                                                    \
        CALL(SSL_write_ex)

#define FAULT_ENUMERATOR(name) FAULT_##name,
enum fault_call { FAULT_CALLS(FAULT_ENUMERATOR) FAULT_CALL_COUNT };

/* 128 octets in the file. Calls count from 1, and those of the named threads alone. */
struct fault_rule {
        /* The test's. Nothing else may be changed while it is not 0. */
        _Atomic uint32_t is_on;
        /* The errno of a failure; 0: the call takes one octet of what it was given (write, writev, send). */
        int32_t error;
        /* Of the calls of those threads these fail: so many from this one on. */
        uint64_t first, count;
        /* And of these so many of a million, chosen by the seed; 1000000: all. */
        uint32_t per_million, seed;
        /* The beginning of the thread's name; empty: every thread. */
        char thread[16];
        /* The shim's: how many calls of those threads there were, and how many of them were made to fail. */
        _Atomic uint64_t seen, failed;
        uint8_t unused[64];
};

_Static_assert(sizeof(struct fault_rule) == 128, "the layout that tests know");
