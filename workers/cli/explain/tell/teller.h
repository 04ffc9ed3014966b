/* What explain tells of a mail that the log has: the story, what the checks had against it, from which line of the
 * configuration that came and what that line says today, and which checks the log has nothing of. */
#pragma once

#include "workers/cli/explain/force.h"
#include "workers/policy/occurrence.h"

struct teller {
        const char *configuration;       /* the file; NULL: none was given */
        const struct snapshot *snapshot; /* of it; NULL: none */
        struct force force;
        json_t *mails; /* what is told as JSON, until teller_end(); NULL: all is told in words at once */
        size_t told;
};

/* `snapshot`, which may be NULL, outlives the teller. */
void teller_begin(struct teller *teller, const char *configuration, const struct snapshot *snapshot,
                  bool as_json);
/* With `is_by_id` the whole line of the log is told too. */
void teller_tell(struct teller *teller, const struct occurrence *occurrence, bool is_by_id);
/* Of a line in which the id has been found, but not as that of a reply. */
void teller_tell_event(struct teller *teller, json_t *line);
/* `left_out`: mails that were found beside those that were told. */
void teller_end(struct teller *teller, size_t left_out);
