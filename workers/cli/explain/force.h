/* From which lines of the configuration a refusal comes: the mode of its check and the options that it goes by, with
 * the values that are in force. */
#pragma once

#include "conf/build/places.h"

#include <jansson.h>

struct force {
        const struct snapshot *snapshot;
        struct option_places places;
        bool has_places;
};

/* One for each check: of the domain, or where that is NULL, none of ours, those of the top level. */
const struct check_setting *force_checks(const struct snapshot *snapshot, const struct domain *domain);

/* Reads the lines of `path`, which the snapshot was made of. Without them, as where the file has just gone, options
 * that are set have no line. */
void force_begin(struct force *force, const struct snapshot *snapshot, const char *path);
void force_end(struct force *force);

/* What is asked about. */
struct force_matter {
        enum check_id check;                       /* CHECK_COUNT: none, but a limit of the server */
        enum reply_id reply;                       /* REPLY_NONE: not known */
        const struct domain *domain;               /* the recipient's; NULL: none of ours */
        const struct recipient_settings *settings; /* of its own; NULL: none */
        struct span helo;
};

/* The mode of a check for the recipient of the matter. */
struct check_setting force_mode(const struct snapshot *snapshot, const struct force_matter *matter,
                                enum check_id check);

/* An array of {"option", "value", "file", "line"}, or "default" in the place of the last two; the caller's. A list has
 * an entry for each of its items. */
json_t *force_json(const struct force *force, const struct force_matter *matter);
/* Prints it in a line: "In force for dnsbl: mode = enforce (default), threshold = 1 (FILE:LINE)." That is the mode, and
 * what is not as by default; of lists and of zones only what the evidence, which may be empty, names, where it names
 * any. `when` stands behind "In force", as " today". Nothing where nothing of the configuration is about it. */
void force_print(const struct force *force, const struct force_matter *matter, const char *when,
                 struct span evidence);
