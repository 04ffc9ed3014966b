/* The text of a message on its way to a next hop, after GO_AHEAD. */
#pragma once

#include "core/client/hop.h"

/* The hop still listens to a text. */
static inline bool hop_is_texting(const struct hop *hop)
{
        return hop->resting == HOP_STATE_TEXT && hop->owed_count == 0;
}
/* Takes as much of *text as has room in `out` and advances it; nothing where hop_is_texting() is false. Lines end
 * with CRLF, and dots are not doubled: that is done here. A bare LF, which no client may send (RFC 5321 2.3.8),
 * becomes CRLF, and a bare CR a blank, so that nobody behind us sees an end where there is none. */
void hop_text(struct hop *hop, struct span *text, struct text *out);
/* The text is whole, and is to be delivered. False, and there is no dot, where the hop no longer listens. */
bool hop_dot(struct hop *hop, struct text *out);
