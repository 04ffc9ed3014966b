/* The policy page of the configuration in force, as senders who were refused see it. A web server for the public passes
 * these paths on, and no others. */
#pragma once

#include "core/policy/frame.h"
#include "workers/http/route.h"
#include "workers/policy/seen_log.h"
#include "workers/server/web/view.h"

#define POLICY_PATH "/policy"

/* `rest` is the path behind POLICY_PATH: the page in the language that it names, or else in the first one that
 * `accepted`, the header Accept-Language or NULL, has and we have, or else in that of the configuration. */
enum http_status policy_write(const struct snapshot *snapshot, struct span rest, const char *accepted,
                              struct text *out);

/* Who asks for the page of one refusal. */
struct policy_question {
        const struct snapshot *snapshot;
        struct span rest;     /* of the path, behind POLICY_PATH and a slash: an id, and perhaps a language */
        const char *accepted; /* as above */
        bool is_over;         /* has asked too often */
};

/* That page, or one that says why there is none: the same for all ids that are not known, be they old, made up, or
 * none. */
enum http_status policy_refusal_answer(const struct policy_question *question, struct seen_log *seen,
                                       struct text *out);
