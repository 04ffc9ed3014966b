/* The tables of options, checks and replies in the form of libConfuse's tables. Only conf/ includes this. */
#pragma once

#include "core/base/arena.h"

#include <confuse.h>

/* What libConfuse calls while it parses. */
struct grammar_calls {
        cfg_callback_t open;           /* a section begins: cfg is the section */
        cfg_validate_callback_t close; /* it has ended: cfg is its parent */
        cfg_callback_t value;          /* a value, or one item of a list */
        cfg_func_t include;
};

/* Returns the options of the root, or NULL when memory is out. */
cfg_opt_t *grammar_build(const struct grammar_calls *calls, struct arena *memory);

/* Appends a message that there is no such key in this section, with what serves for it, where it would stand, or
 * the nearest key that there is. `in_domain` tells that the section stands in a domain's. */
void grammar_say_unknown(const cfg_t *cfg, const char *key, bool in_domain, struct text *text);

/* Appends a message that `section` is given a value as if it were an option, with how to write what was meant.
 * The value's `at` may be NULL. */
void grammar_say_section(const char *section, struct span value, struct text *text);

enum scope_kind {
        SCOPE_ROOT,
        SCOPE_DOMAIN,
        SCOPE_CHECK,
        SCOPE_ZONE,
        SCOPE_REPLIES,
        SCOPE_TLS,
        SCOPE_HTTP,
        SCOPE_PAGE,
        SCOPE_HOPS,
        SCOPE_LISTENER,
        SCOPE_NETWORK,
        SCOPE_MILTER,
        SCOPE_SERVICE
};

/* Returns the kind of a section by its name. */
enum scope_kind grammar_scope_kind(const char *section);
/* Returns the name of sections of this kind; "" of the root and of checks, which have names of their own. */
const char *grammar_section_name(enum scope_kind kind);
