/* expect() ends the program when an invariant is broken, in release builds too. It must never stand for what
 * a client, a peer or a file can cause. */
#pragma once

#include <stdio.h>
#include <stdlib.h>

#define expect(condition)                                                                                    \
        do {                                                                                                 \
                if (__builtin_expect(!(condition), 0)) {                                                     \
                        fprintf(stderr, "%s:%d: expected %s\n", __FILE__, __LINE__, #condition);             \
                        abort();                                                                             \
                }                                                                                            \
        } while (0)
