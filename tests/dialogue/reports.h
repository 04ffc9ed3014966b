/* What the store reports in dialogues. */
#pragma once

#include "core/mail/message.h"

static inline const struct store_report *scripted_report(enum store_outcome outcome)
{
        static const struct store_report reports[] = {
            [STORE_DONE] = {STORE_DONE, .file = {"1767225600.M1.mx", 16}},
            [STORE_FULL] = {STORE_FULL, .reason = {"No space left on device", 23}},
            [STORE_FAILED] = {STORE_FAILED, .reason = {"Input/output error", 18}},
        };
        return &reports[outcome];
}
