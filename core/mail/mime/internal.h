/* What the files of core/check/mime share. */
#pragma once

#include "core/mail/mime/scan.h"

/* ---- value.c: values of fields, unfolded. What is wrong in one is read as if it did not stand there. */

void mime_read_type(struct span value, struct mime_entity *entity);
void mime_read_encoding(struct span value, struct mime_entity *entity);
bool mime_is_auto_replied(struct span value);

/* ---- decode.c */

/* Takes an octet of the body of an entity with an encoding. True: it gave one, *octet. */
bool mime_decode(struct mime_scan *scan, char *octet);

/* ---- fields.c: header blocks */

void mime_block_begin(struct mime_scan *scan, enum mime_block block);

enum mime_step {
        MIME_STEP_NONE,
        MIME_STEP_EVENT, /* scan->reference is set */
        MIME_STEP_BLANK, /* the empty line behind a header */
};
enum mime_step mime_field_octet(struct mime_scan *scan, char octet);
/* The two shortcuts, which change nothing. At the start of a line, which is not empty: true when its
 * beginning tells that it is of no use, state SKIP, or of which field it is, state VALUE; then *line is past
 * the name. */
bool mime_field_start(struct mime_scan *scan, struct span *line);
/* In the state VALUE: reads on to the end of the line, or to an event. */
enum mime_step mime_field_value(struct mime_scan *scan, struct span *input);
