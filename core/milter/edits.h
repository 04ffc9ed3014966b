/* What a filter wants changed of a message: a list that is bounded and checked, so that nothing in it can inject
 * a line, and no field of it is in our name. An edit that fails its check is left out and counted; the others
 * stand. */
#pragma once

#include "conf/snapshot.h"
#include "core/base/arena.h"
#include "core/mail/content.h"

#define MILTER_EDITS_MAX        512
#define MILTER_EDITS_OCTETS_MAX 262144u /* of names, values and addresses together */
#define MILTER_NAME_MAX         128u    /* of a field */
#define MILTER_ADDRESS_MAX      254u    /* RFC 5321 4.5.3.1.3, without the brackets */

enum milter_edit_kind {
        MILTER_ADDS_FIELD,    /* at the end of the header */
        MILTER_INSERTS_FIELD, /* at a place */
        MILTER_CHANGES_FIELD,
        MILTER_ADDS_RECIPIENT,
        MILTER_DELETES_RECIPIENT,
        MILTER_CHANGES_SENDER,
};

struct milter_edit {
        struct milter_edit *next;
        enum milter_edit_kind kind;
        /* MILTER_INSERTS_FIELD: how many fields stand before it, all of ours in front counted as one, and those
         * that were inserted before as well. MILTER_CHANGES_FIELD: the number of the field among those of its
         * name, from 1 on. */
        uint32_t index;
        struct span name; /* of a field; or an address without brackets, empty for the null sender */
        /* As it stands behind the colon, with CRLF before each folded line and none at the end; empty: the field
         * is deleted. Of an address: parameters, with blanks between them. */
        struct span value;
};

enum milter_edit_outcome {
        MILTER_EDIT_TAKEN,
        MILTER_EDIT_REFUSED, /* by a check: it is left out */
        MILTER_EDIT_BOUND,   /* too many, too long, or no memory: none of them can stand */
};

struct milter_edits {
        /* Owner: the caller; as milter_edits_begin() was given them. */
        struct arena *arena;
        struct content_pool *pool;
        const struct snapshot *snapshot;
        uint64_t body_max;

        struct milter_edit *first, *last; /* in the order in which they are to be applied */
        uint32_t count, octets;
        uint32_t refused;
        const char *refusal; /* of the last that was refused; static */
        bool quarantines;
        struct span quarantine; /* the reason; printable */
        bool replaces_body;
        char body_last; /* octet of the new body; CR: it is held back until the next one is known */
        struct content body;
};

/* `snapshot`: whose names are ours; NULL: the filter may speak in our name, as one that signs and verifies for
 * us does. body_max: octets of a new body. The arena keeps all but the new body, whose blocks are the pool's. */
void milter_edits_begin(struct milter_edits *edits, struct arena *arena, struct content_pool *pool,
                        const struct snapshot *snapshot, uint64_t body_max);
/* The blocks of a new body go back; what the arena holds is not valid any more. */
void milter_edits_end(struct milter_edits *edits);

/* `name` and `value` are as the filter gave them. `has_blank`: the value begins with the blank behind the colon. */
enum milter_edit_outcome milter_edit_field(struct milter_edits *edits, enum milter_edit_kind kind,
                                           uint32_t index, struct span name, struct span value,
                                           bool has_blank);
/* `address` has its brackets, or not. */
enum milter_edit_outcome milter_edit_address(struct milter_edits *edits, enum milter_edit_kind kind,
                                             struct span address, struct span parameters);
enum milter_edit_outcome milter_edit_quarantine(struct milter_edits *edits, struct span reason);
/* A piece of the new body; bare CRs become blanks, and bare LFs ends of lines. */
enum milter_edit_outcome milter_edit_body(struct milter_edits *edits, struct span piece);
/* No piece follows. */
enum milter_edit_outcome milter_edit_body_end(struct milter_edits *edits);
/* It was not granted, or makes no sense. */
enum milter_edit_outcome milter_edit_refuse(struct milter_edits *edits, const char *why);
