/* What the page tells of options, as a table. */
#pragma once

#include "core/policy/internal.h"

#include "conf/value/value.h"

#define FACT_NEEDS_NOTHING SIZE_MAX

struct fact {
        enum check_id subject;
        size_t option;        /* OPTION_AT_ */
        bool is_choice;       /* told only while the option has the value */
        uint64_t value;       /* of a choice */
        size_t needs;         /* FACT_NEEDS_NOTHING, or an option that has to be more than 0 */
        struct wording label; /* of a choice: a sentence */
};

/* It ends with a row whose label is empty. */
extern const struct fact facts[];
/* Options of which nothing is told; ends with OPTION_AT_END. */
extern const size_t facts_quiet[];
