/* The steps of a dialogue with a filter: what it is told of a session. See milter.h for what they return and
 * when. Names, addresses and parameters are those of a command line, and no longer. */
#pragma once

#include "core/milter/fields.h"
#include "core/milter/milter.h"

/* The host's name as verified, or its address in brackets. */
enum milter_event milter_connect(struct milter *milter, struct milter_macros macros, struct span host,
                                 const struct address *address, uint16_t port, struct text *out);
enum milter_event milter_helo(struct milter *milter, struct milter_macros macros, struct span name,
                              struct text *out);
/* The address without brackets, empty for the null sender; the parameters as the client gave them, with blanks
 * between. */
enum milter_event milter_mail(struct milter *milter, struct milter_macros macros, struct span sender,
                              struct span parameters, struct text *out);
enum milter_event milter_recipient(struct milter *milter, struct milter_macros macros, struct span recipient,
                                   struct span parameters, struct text *out);
enum milter_event milter_data(struct milter *milter, struct milter_macros macros, struct text *out);
/* The value from behind the colon up to the end of the field, its last CRLF not included: `length` octets from
 * `value` on. What MILTER_DATA_MAX has no room for is not told. */
enum milter_event milter_header(struct milter *milter, struct span name, struct content_place value,
                                size_t length, struct text *out);
enum milter_event milter_end_of_header(struct milter *milter, struct text *out);
/* Uses at most MILTER_DATA_MAX octets from the front of *body. */
enum milter_event milter_body(struct milter *milter, struct span *body, struct text *out);
/* The text is complete, and the filter is to judge. `edits` are begun, and are the caller's again after
 * ANSWERED; where the verdict is neither CONTINUES nor ACCEPTS, and after FAILED, they are worth nothing. */
enum milter_event milter_end(struct milter *milter, struct milter_macros macros, struct milter_edits *edits,
                             struct text *out);
/* The message has come to nothing. No reply is due, and nothing happens where one is owed, or no message is
 * open. Like each step, it is followed by milter_input(). */
void milter_abort(struct milter *milter, struct text *out);
