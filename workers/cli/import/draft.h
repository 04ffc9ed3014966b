/* A configuration of ours in the making: sections, and the options in them, each with where it comes from. */
#pragma once

#include "conf/checks.h"
#include "workers/cli/import/keep.h"

#include <stdio.h>

struct draft_value {
        struct draft_value *next;
        struct span text;
};

struct draft_option {
        struct draft_option *next;
        const char *name;
        struct draft_value *first, **end; /* one, unless it is a list */
        struct span origin;               /* "main.cf:12 myhostname" */
        size_t count;                     /* of the list */
        bool is_list, is_quoted;
};

struct draft_section {
        struct draft_section *next, *parent;
        const char *kind; /* "" for the top level */
        struct span title;
        struct draft_option *first, **end;
};

struct draft_mode {
        enum check_mode mode;
        struct span origin;
        bool is_set;
};

struct draft {
        struct keep *keep;
        struct draft_section top, *first, **end;
        struct draft_mode modes[CHECK_COUNT];
};

void draft_init(struct draft *draft, struct keep *keep);
/* It is made where it is not there. An empty title: there is but one. */
struct draft_section *draft_section(struct draft *draft, struct draft_section *parent, const char *kind,
                                    struct span title);
struct draft_section *draft_check(struct draft *draft, enum check_id check);
/* These set an option, in the place of what was set before: a bare word or number, or a text. */
void draft_word(struct draft *draft, struct draft_section *section, const char *name, struct span word,
                struct span origin);
void draft_text(struct draft *draft, struct draft_section *section, const char *name, struct span text,
                struct span origin);
#define DRAFT_ITEMS_MAX 10000

/* One item more of a list, which none has twice. False: there are DRAFT_ITEMS_MAX others. */
bool draft_item(struct draft *draft, struct draft_section *section, const char *name, struct span text,
                struct span origin);
/* The same, however often it is there. */
bool draft_append(struct draft *draft, struct draft_section *section, const char *name, struct span text,
                  struct span origin);
/* Whether the list has it, octet for octet; and how many items it has. */
bool draft_has(const struct draft_section *section, const char *name, struct span text);
size_t draft_count(const struct draft_section *section, const char *name);
/* A list that may stay empty. */
void draft_empty_list(struct draft *draft, struct draft_section *section, const char *name,
                      struct span origin);
/* The option's value, or the first of its list; NULL in `at`: it is not set. */
struct span draft_find(const struct draft_section *section, const char *name);
/* The strictest mode that was asked for counts. */
void draft_mode(struct draft *draft, enum check_id check, enum check_mode mode, struct span origin);
/* What may stand in a text: something, in UTF-8, without control characters. */
bool draft_takes(struct span text);
/* Each check gets its mode: what was asked for, else `observe` where it would enforce by default. With `observes`
 * no check does more than that. */
void draft_write(struct draft *draft, bool observes, const char *from, FILE *file);
