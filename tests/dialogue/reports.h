/* What the store and next hops report in dialogues. */
#pragma once

#include "core/mail/message.h"

static inline const struct store_report *scripted_report(enum store_outcome outcome)
{
        static const struct store_report reports[] = {
            [STORE_DONE] = {STORE_DONE, .file = {"1767225600.M1.mx", 16}},
            [STORE_FULL] = {STORE_FULL, .reason = {"No space left on device", 23}},
            [STORE_FAILED] = {STORE_FAILED, .reason = {"Input/output error", 18}},
            [STORE_REFUSED_BY_HOP] = {STORE_REFUSED_BY_HOP, .reason = {"no such user", 12}, .code = 550,
                                      .enhanced = {"5.1.1", 5}},
            [STORE_DEFERRED_BY_HOP] = {STORE_DEFERRED_BY_HOP, .reason = {"mailbox full", 12}, .code = 452,
                                       .enhanced = {"4.2.2", 5}},
            [STORE_NO_HOP] = {STORE_NO_HOP, .reason = {"it took too long", 16}},
        };
        return &reports[outcome];
}
