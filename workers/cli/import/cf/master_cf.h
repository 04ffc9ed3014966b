/* Postfix's master.cf: which services there are (master(5)). */
#pragma once

#include "workers/cli/import/cf/main_cf.h"

struct cf_service {
        struct cf_service *next;
        struct span name, type, command, arguments;
        uint32_t line;
        char chroot; /* 'y', 'n', or '-', which compatibility_level decides */
};

struct cf_master {
        struct cf_service *first;
        size_t count;
};

/* False, with the reason, when it is no master.cf. */
bool cf_master_read(struct keep *keep, struct span text, struct cf_master *ret_master,
                    struct cf_fault *ret_fault);
/* Cuts the next override, "-o NAME=VALUE" or "-o { NAME = VALUE }", off the arguments of a service. False at the
 * end. */
bool cf_take_override(struct span *arguments, struct span *ret_name, struct span *ret_value);
