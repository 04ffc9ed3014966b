/* expect(): a broken invariant ends the program, in release builds too. Never for what a client or a file can
 * cause. */
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
