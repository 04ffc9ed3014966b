/* A scan of message text as it comes (RFC 2045, 2046). It finds what makes a mail a notification, and the
 * mails that it refers to. It needs fixed memory and takes the octets in any pieces; what is found does not
 * depend on how they are cut. It judges nothing. */
#pragma once

#include "core/base/text.h"

#define MIME_DEPTH_MAX    5    /* multiparts within each other; what lies deeper is read as text */
#define MIME_BOUNDARY_MAX 256  /* RFC 2046 5.1.1 says 70; longer ones are seen */
#define MIME_VALUE_MAX    1000 /* octets of a field's value, or of a reference, that are looked at */
#define MIME_LABEL_MAX    40   /* letters in front of a value in running text */
/* Ids, or what begins like one, encoded words and entities among them, labels, and lines of encoded headers in one
 * message. Nobody honest has so many, and each costs more than its octets: what follows is not looked at, as if it did
 * not matter. */
#define MIME_SPENT_MAX 20000

/* What the text itself says that the message is. The null sender makes any message a notification. */
enum mime_kind {
        MIME_KIND_MAIL,
        MIME_KIND_UNKNOWN,         /* a report that does not say of what, until it does */
        MIME_KIND_DELIVERY_REPORT, /* RFC 3464 */
        MIME_KIND_READ_RECEIPT,    /* RFC 8098 */
        MIME_KIND_AUTOMATIC_REPLY, /* RFC 3834: auto-replied */
};

enum mime_event {
        MIME_MORE, /* the input is used up */
        /* `reference` is a message id from In-Reply-To, References, Original-Message-ID, returned headers, or
         * a line of a notification's text that begins like one of them */
        MIME_REFERENCE,
        MIME_MENTION, /* `reference` is a domain behind an "@" in running text */
        MIME_OVER,    /* nothing that may follow matters */
};

enum mime_encoding { MIME_ENCODING_NONE, MIME_ENCODING_BASE64, MIME_ENCODING_QUOTED };

struct mime_decoder {
        enum mime_encoding encoding;
        uint8_t state;
        uint32_t bits;
};

enum mime_type {
        MIME_TYPE_NONE, /* not said: text */
        MIME_TYPE_TEXT, /* and all of which nobody knows better */
        MIME_TYPE_HTML,
        MIME_TYPE_BINARY,
        MIME_TYPE_MULTIPART,
        MIME_TYPE_RETURNED,    /* a message or the header of one */
        MIME_TYPE_DISPOSITION, /* message/disposition-notification */
        MIME_TYPE_STATUS,      /* message/delivery-status */
};

struct mime_boundary {
        uint16_t length; /* 0: none */
        char octets[MIME_BOUNDARY_MAX];
};

/* What the header of an entity says of it. */
struct mime_entity {
        enum mime_type type;
        enum mime_encoding encoding;
        enum mime_kind report; /* of a multipart/report; UNKNOWN: it does not say; MAIL: of something else */
        bool has_type;
        struct mime_boundary boundary;
};

enum mime_block { MIME_BLOCK_TOP, MIME_BLOCK_PART, MIME_BLOCK_RETURNED };

/* Message ids in a value, see ids.c. */
struct mime_ids {
        enum mime_ids_in { MIME_IDS_IN_FIELD, MIME_IDS_IN_TEXT, MIME_IDS_IN_HTML } in;
        enum mime_ids_state {
                MIME_IDS_BETWEEN,
                MIME_IDS_JUNK,      /* until the next "<" */
                MIME_IDS_TOKEN,     /* an id without brackets, or a word */
                MIME_IDS_BRACKET,   /* behind "<" */
                MIME_IDS_TOO_LONG,  /* that id is none */
                MIME_IDS_TAG,       /* HTML: behind a "<" that may begin a tag */
                MIME_IDS_TAG_REST,  /* it does */
                MIME_IDS_INNER_TAG, /* the same within an id */
        } state;
        /* An encoded word (RFC 2047). */
        enum mime_word {
                MIME_WORD_NONE,
                MIME_WORD_EQUALS,
                MIME_WORD_CHARSET,
                MIME_WORD_ENCODING,
                MIME_WORD_MARK,
                MIME_WORD_TEXT,
                MIME_WORD_END
        } word;
        struct mime_decoder word_decoder;
        bool is_behind_blank; /* or behind a word: another may begin */
        bool is_joined;       /* in text: the id in the bracket began in the line before */
        bool is_over;         /* in text: what follows is no part of the value */
};

/* Running text, see lines.c. */
struct mime_lines {
        bool has_labels, has_mentions, is_html; /* what is looked for, and in what */
        enum mime_lines_state {
                MIME_LINES_START, /* of a line, or behind what may stand in front of a label */
                MIME_LINES_LABEL,
                MIME_LINES_VALUE,
                MIME_LINES_FOLD, /* at the start of a line that may go on with the value */
                MIME_LINES_SKIP
        } state;
        bool has_many;    /* the label's value may have more than one id */
        bool has_found;   /* one */
        bool is_indented; /* the line in state FOLD */
        bool in_domain;   /* behind an "@" */
        uint8_t label_length;
        char label[MIME_LABEL_MAX];
};

struct mime_scan {
        /* Found so far. */
        enum mime_kind kind;
        struct span reference; /* after REFERENCE and MENTION, until the next call; without brackets */
        /* Fixed. */
        bool is_notification; /* whatever the text says */
        /* May be taken back by the user. */
        bool wants_mentions;
        /* The line as it came: parts end at lines. */
        enum mime_line { MIME_LINE_START, MIME_LINE_DASHES, MIME_LINE_INSIDE, MIME_LINE_SKIP } line;
        uint16_t dashes_length, dashes_read; /* of a line that may be a delimiter and is not */
        char dashes[MIME_BOUNDARY_MAX + 8];
        struct mime_boundary boundaries[MIME_DEPTH_MAX];
        uint8_t depth;
        /* The entity that is being read. */
        enum mime_body { MIME_BODY_FIELDS, MIME_BODY_TEXT, MIME_BODY_SKIP, MIME_BODY_OVER } body;
        enum mime_block block; /* of FIELDS */
        struct mime_entity entity;
        bool is_decoded; /* the body of an entity: its encoding counts */
        struct mime_decoder decoder;
        struct mime_lines lines;
        /* The field that is being read. */
        enum mime_field_state {
                MIME_FIELD_START,
                MIME_FIELD_NAME,
                MIME_FIELD_VALUE,
                MIME_FIELD_SKIP
        } field_state;
        uint8_t field;      /* row of the table of fields */
        uint8_t candidates; /* rows, as a bit mask, that the name read so far begins */
        uint8_t name_length;
        bool name_has_ended;
        bool has_fields; /* the block has had one */
        struct mime_ids ids;
        uint16_t value_length;
        char value[MIME_VALUE_MAX];
        uint32_t spent; /* of MIME_SPENT_MAX */
};

/* With `is_notification` the mail is known to be one, and all of it is scanned. With `wants_mentions` running
 * text is searched too. */
void mime_scan_init(struct mime_scan *scan, bool is_notification, bool wants_mentions);
/* Reads from the front of *input, which it advances, up to the next event. */
enum mime_event mime_scan_read(struct mime_scan *scan, struct span *input);
