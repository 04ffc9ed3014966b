/* Applies what a filter wants changed of a message's text. */
#pragma once

#include "core/milter/edits.h"

/* Makes *ret_text of `text`, which stays as it is, and of the edits of fields and of the body, in their order.
 * `own`: octets at its front that are fields of ours, which the filter has not been shown: they stay there.
 * Fields are numbered as in the text behind them, where a field that an edit deletes keeps its number:
 *   - a change of a field that is not there adds it at the end, and its deletion does nothing;
 *   - an insertion counts all that is ours as one field, as other MTAs count their Received, so 0 and 1 are the
 *     front of what the filter was shown; it counts what was inserted before too, but what was added is always
 *     behind it.
 * A header that ends with a line which is no field has an empty line put behind it, lest somebody else reads on for
 * fields where the filter has seen the body.
 * Returns false, with no blocks taken, where memory is out. */
bool milter_apply(const struct milter_edits *edits, const struct content *text, size_t own,
                  struct content *ret_text, struct content_pool *pool);
