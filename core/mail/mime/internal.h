/* What the files of core/mail/mime share. */
#pragma once

#include "core/mail/mime/scan.h"

/* ---- value.c: these read the value of a field, which is unfolded. What is wrong in it is passed over. */

void mime_read_type(struct span value, struct mime_entity *entity);
void mime_read_encoding(struct span value, struct mime_entity *entity);
bool mime_is_auto_replied(struct span value);

/* ---- decode.c */

/* Takes *octet, one of an encoded body. True when that yields a decoded octet, which is then in *octet. */
bool mime_decode(struct mime_scan *scan, char *octet);

/* ---- fields.c: header blocks */

void mime_block_begin(struct mime_scan *scan, enum mime_block block);

enum mime_step {
        MIME_STEP_NONE,
        MIME_STEP_EVENT, /* scan->reference is set */
        MIME_STEP_BLANK, /* the empty line behind a header */
};
enum mime_step mime_field_octet(struct mime_scan *scan, char octet);
/* This and the next are shortcuts: what is found is the same without them. At the start of a line that is not
 * empty, true when its beginning tells that it is of no use (state SKIP), or which field it is (state VALUE);
 * then *line is past the name. */
bool mime_field_start(struct mime_scan *scan, struct span *line);
/* In the state VALUE, reads on to the end of the line or to an event. */
enum mime_step mime_field_value(struct mime_scan *scan, struct span *input);
