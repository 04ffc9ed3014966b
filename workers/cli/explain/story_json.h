/* The sentences of story.h as JSON. */
#pragma once

#include "workers/cli/explain/story.h"

/* Adds what came of it, and why: "outcome", "code", "reply", "check", "evidence", "reject_id", "why" and "remedy", of
 * which only the first is always there. Of a mail with recipients that were answered each for itself it is about the
 * first one who gets it, or else the first. */
void story_put(json_t *object, const struct occurrence *of, enum story_kind kind);
/* Adds who it was and what mail: "time", "client", "helo", "id", "from", "message_id", "file" and "reason". */
void story_put_mail(json_t *object, const struct occurrence *occurrence, enum story_kind kind);
/* What was seen: the evidence of the deciding verdict, or of the fault. Empty where there is none. */
struct span story_evidence(const struct occurrence *occurrence);
