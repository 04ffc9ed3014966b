/* What a configuration file says, as settings in the order of the text. What they mean is not known here.
 * Only conf/ includes this. */
#pragma once

#include "conf/snapshot.h"
#include "conf/text/grammar.h"
#include "conf/text/source.h"

/* One section of the text. */
struct scope {
        enum scope_kind kind;
        enum check_id check;  /* of a check section */
        const char *title;    /* of a section with a name */
        struct scope *parent; /* NULL: the root */
        struct seen_key *seen;
        /* Set by the reader of the settings. */
        struct domain *domain;
        struct dnsbl_zone *zone;
        struct mail_filter *filter;
        struct terms *terms; /* of a listener or network section */
};

enum setting_kind {
        SETTING_SECTION,    /* `scope` begins */
        SETTING_VALUE,      /* `key` = `text` in `scope`, or one item of a list */
        SETTING_EMPTY_LIST, /* `key` = {} */
        SETTING_PROBLEM,    /* `text` says what is wrong */
};

struct setting {
        struct setting *next;
        enum setting_kind kind;
        bool continues_list; /* an item behind the first */
        struct scope *scope;
        const char *key, *text;
        struct place place;
};

struct settings {
        struct setting *first, *last;
        bool are_complete; /* the parser came to the end */
};

/* Reads `source`, which is prepared, and what it includes. Relative names of included files begin in
 * `directory`. `scratch` holds the settings, and `names` the file names. False when memory is out; what is
 * wrong in a configuration becomes a setting of kind PROBLEM. */
bool conf_parse(struct source *source, const char *directory, struct arena *scratch, struct arena *names,
                struct settings *ret_settings);
