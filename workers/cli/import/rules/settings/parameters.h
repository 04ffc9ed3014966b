/* Settings one by one, judged by the table parameters.def. */
#pragma once

#include "workers/cli/import/rules/rules.h"

struct parameter {
        const char *name, *ours, *why;
        struct span value, origin;
        enum judgement judgement;
        bool is_left_out; /* nothing is told of it */
};

void parameters_translate(struct import *import);
