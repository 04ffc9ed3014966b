/* Where mail is delivered to, and what is said of single recipients. */
#pragma once

#include "conf/checks.h"

/* Where something stands in the configuration. Line 0 means that it is a default. */
struct place {
        const char *file;
        uint32_t line;
};

/* Whether mail for next hops goes into the journal, where there is one. */
enum journal_use { JOURNAL_NEVER, JOURNAL_WHEN_DOWN, JOURNAL_ALWAYS };

enum deliver_kind { DELIVER_DISCARD, DELIVER_MAILDIR, DELIVER_HOPS };

struct next_hop_list;

struct deliver_target {
        enum deliver_kind kind;
        const char *path;                 /* maildir: absolute path with %d and %u */
        const struct next_hop_list *hops; /* next hops: conf/value/next_hop.h; not empty */
        const char *destination;          /* the hops as text; NULL: there are none, or no journal */
};

/* What a line of recipients says behind the address: it holds in the place of what the domain says. */
struct recipient_settings {
        struct span text; /* as it is written */
        uint64_t checks;  /* of which it says the mode; a bit mask */
        enum check_mode modes[CHECK_COUNT];
        bool has_deliver;
        struct deliver_target deliver;
        struct place place; /* of the first line that says so, or of the mapped file's name */
};

/* Those of a source of recipients, each once. */
struct recipient_sets {
        struct recipient_settings *sets;
        size_t count;
        uint64_t checks[CHECK_MODE_ENFORCE + 1]; /* that one of them has in this mode; bit masks */
};
