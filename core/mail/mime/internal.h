/* What the files of core/mail/mime share. */
#pragma once

#include "core/mail/mime/scan.h"

static inline bool mime_is_blank(char octet)
{
        return octet == ' ' || octet == '\t';
}

/* Where the first octet stands whose class is one of `stops`, or how many octets there are. The table has the classes
 * of all octets, as bits. */
static inline size_t mime_run(struct span octets, const uint8_t classes[static 256], unsigned stops)
{
        size_t at = 0;
        while (at < octets.length && (classes[(unsigned char)octets.at[at]] & stops) == 0)
                at++;
        return at;
}

/* Of a domain behind an "@". */
static inline bool mime_is_domain_octet(char octet)
{
        return ascii_is_alnum(octet) || octet == '-' || octet == '.' || (unsigned char)octet >= 0x80;
}

/* ---- value.c: these read the value of a field, which is unfolded. What is wrong in it is passed over. */

void mime_read_type(struct span value, struct mime_entity *entity);
void mime_read_encoding(struct span value, struct mime_entity *entity);
bool mime_is_auto_replied(struct span value);

/* ---- decode.c */

void mime_decode_begin(struct mime_decoder *decoder, enum mime_encoding encoding);
/* Takes *octet, one of what is encoded. True when that yields a decoded octet, which is then in *octet. */
bool mime_decode(struct mime_decoder *decoder, char *octet);
/* The same of many, from the front of *input, which it advances, until `room` octets have come of it, or to a LF as it
 * came: where a line is next that begins with "-" and the text is `in_part`, or one that may not be encoded. Returns
 * how many are in `ret_octets`. */
size_t mime_decode_some(struct mime_decoder *decoder, struct span *input, char *ret_octets, size_t room,
                        bool in_part);
/* True when the octet of what is encoded stands for itself: most of quoted-printable. */
static inline bool mime_is_literal(const struct mime_decoder *decoder, char octet)
{
        return decoder->encoding == MIME_ENCODING_QUOTED && decoder->state == 0 && octet != '=' &&
               octet != '\r';
}
/* Returns the value of a hexadecimal digit, or -1 for what is none. */
int mime_hex_value(char octet);

/* ---- what an octet came to */

/* For each thing that costs more than its octets: see MIME_SPENT_MAX. */
static inline void mime_spend(struct mime_scan *scan)
{
        scan->spent += scan->spent <= MIME_SPENT_MAX;
}
static inline bool mime_is_spent(const struct mime_scan *scan)
{
        return scan->spent > MIME_SPENT_MAX;
}

enum mime_step {
        MIME_STEP_NONE,
        MIME_STEP_REFERENCE, /* scan->reference is set */
        MIME_STEP_MENTION,   /* the same */
        MIME_STEP_BLANK,     /* the empty line behind a header */
};

/* ---- ids.c: message ids in a value; it uses scan->value */

void mime_ids_begin(struct mime_scan *scan, enum mime_ids_in in);
/* An octet that is no part of an encoded word, or what such a part stands for. */
enum mime_step mime_id_octet(struct mime_scan *scan, char octet);
/* The line ends; the value may go on in the next one. */
enum mime_step mime_ids_line_end(struct mime_scan *scan);

/* ---- id_runs.c */

/* Takes the octets at the front that are only kept or left out, and returns how many. */
size_t mime_id_run(struct mime_scan *scan, struct span octets);

/* ---- words.c: the same with encoded words in it */

enum mime_step mime_ids_octet(struct mime_scan *scan, char octet);
/* Reads on to a CR, LF or NUL, which is left, to an event, or in text behind the octet at which the value is over. */
enum mime_step mime_ids_read(struct mime_scan *scan, struct span *input);

/* ---- lines.c: running text; it uses scan->value */

/* With `has_labels`, lines that begin like fields with message ids count. With `has_mentions`, domains behind
 * an "@" do, when the user of the scan wants them. */
void mime_lines_begin(struct mime_scan *scan, bool has_labels, bool has_mentions);
/* For labels; decoded, and no NUL. */
enum mime_step mime_lines_octet(struct mime_scan *scan, char octet);
/* In the state VALUE, reads on as mime_ids_read() does. */
enum mime_step mime_lines_value(struct mime_scan *scan, struct span *input);
/* In any other, reads on to a NUL, which is left, to an event or to where a value begins; with `has_mentions` to an
 * "@", with `is_line` to a LF, which are left too. */
enum mime_step mime_lines_run(struct mime_scan *scan, struct span *octets, bool has_mentions, bool is_line);
/* Without labels, the octets at the front that matter to nobody. */
size_t mime_unlabelled_run(struct span octets, bool has_mentions);
/* True when nothing in the rest of the line matters. */
bool mime_lines_is_line_done(const struct mime_scan *scan);
/* True at the start of a line of which nothing is to be remembered. */
bool mime_lines_are_fresh(const struct mime_scan *scan);
/* False when what ends here is no label of a message id, whatever stands in front of `text`. */
bool mime_lines_is_label(struct span text);

/* ---- text.c: the same with mentions */

/* Reads on to the end of a line as it came, or to an event. */
enum mime_step mime_lines_read(struct mime_scan *scan, struct span *input);
/* True when wants_mentions counts in this text. */
bool mime_has_mentions(const struct mime_scan *scan);

/* ---- dull.c: shortcuts, too, at the start of a line */

/* Passes whole lines of a body that matter to nobody. */
void mime_skip_dull_text(const struct mime_scan *scan, struct span *input);

/* ---- scan.c */

/* Nothing in this part matters any more. Behind the last part nothing does. */
void mime_body_skip(struct mime_scan *scan);

/* ---- delimiters.c */

/* `line`, without what ends it, begins with "--" within a multipart. True when it is a delimiter: then the part that it
 * begins is next, or what is behind the last one. */
bool mime_take_delimiter(struct mime_scan *scan, struct span line);
/* True when the line, which begins with "-", may be a delimiter, or its end is not there. */
bool mime_may_be_delimiter(const struct mime_scan *scan, struct span input);

/* ---- fields.c: header blocks */

void mime_block_begin(struct mime_scan *scan, enum mime_block block);
enum mime_step mime_field_octet(struct mime_scan *scan, char octet);
/* This and the next two are shortcuts: what is found is the same without them. At the start of a line that is not
 * empty, true when its beginning tells that it is of no use (state SKIP), or which field it is (state VALUE);
 * then *line is past the name. */
bool mime_field_start(struct mime_scan *scan, struct span *line);
/* At the start of a line that is not encoded, passes whole lines that matter to nobody. */
void mime_skip_dull_fields(const struct mime_scan *scan, struct span *input);
/* In a returned header a line is of use even when it is no field, as long as none has come. */
static inline bool mime_needs_field(const struct mime_scan *scan)
{
        return scan->block == MIME_BLOCK_RETURNED && !scan->has_fields;
}
/* In the state VALUE, reads on to the end of the line or to an event. */
enum mime_step mime_field_value(struct mime_scan *scan, struct span *input);

/* ---- leaps.c: of lines in a header that is not encoded, behind the LF that `input` begins with, the length of those
 * that matter to nobody */

/* Outside a field that matters. */
size_t mime_leap_fields(const struct mime_scan *scan, struct span input);
/* Within one. `has_references`: ids are looked for in it. */
size_t mime_leap_folds(const struct mime_scan *scan, bool has_references, struct span input);
