/* What a journal looks like on disk. Numbers are little-endian; offsets and lengths count octets; times are
 * milliseconds since 1970 in UTC. This file knows no files: it turns octets into values and back.
 *
 *   segment:  header, one block | records | header again, the last block
 *   header:   magic 8 | version 4 | zero 4 | size 8 | generation 8 | first live 8 | first sequence 8 | key 8 |
 *             begun 8 | checksum 8 of all before; zeros to the end of the block
 *   record:   head, 64 | body | padding to a multiple of 64, behind the last one of a batch to a whole block
 *   head:     magic 4 | kind 4 | checksum 8 of the head behind it | checksum 8 of the body | generation 8 |
 *             sequence 8 | settled 8 | body's length 4 | span 4 | offset in the segment 4 | zero 4
 *
 * A batch begins in a block of its own, so that no write ever touches a block with a record that was acknowledged.
 * A segment is used again and again, each time as a new generation with a new key, which is the seed of all
 * checksums in it: so what an earlier generation has left is never taken for a record, and neither is what
 * somebody has put into a message to look like one.
 *
 * Sequence numbers are consecutive over all segments. `settled` is a number up to which all records were durable
 * when this one was written: what is damaged and not above it was acknowledged, and what is above it may be a torn
 * write that nobody was told of. The numbers of a batch that failed are given again, in the next segment: so a
 * record whose number is not below the next segment's first one is void.
 *
 *   MESSAGE:  time taken 8 | due 8 | replaces 8 | chain: generation 8, first generation 8, octets 8, offset 4,
 *             count 4 | attempts 4 | recipients 4 | length of all but the text 4 | flags 4 | strings | text
 *             flags: 1, its client has said SMTPUTF8; 2, its destination is one of recipients, not of their domain
 *             strings: id, client, helo, sender, destination, recipients; each a length of 2 and its octets
 *   TEXT:     piece before: generation 8, offset 4 | number of this piece 4, from 1 on | text
 *   OUTCOME:  sequence of the message 8 | due 8 | attempts 4 | recipients 4 | a state for each recipient, 1
 *   MARK:     nothing; it stands where nothing followed for a while, and tells by `settled` that all before is whole
 *
 * A long message is a chain of TEXT records, from the last to the first, and a MESSAGE with the rest. A MESSAGE
 * that replaces another one was moved, and the other one counts no more. */
#pragma once

#include "workers/deliver/delivery.h"

#define JOURNAL_BLOCK       4096
#define JOURNAL_ALIGN       64
#define JOURNAL_HEAD        64
#define JOURNAL_VERSION     1
#define JOURNAL_SEGMENT_MIN (4u << 20)
#define JOURNAL_SEGMENT_MAX (1u << 30)
/* Text of one record, and all else of a message. */
#define JOURNAL_PIECE_MAX    (1u << 20)
#define JOURNAL_ENVELOPE_MAX (512u << 10)

enum journal_kind { JOURNAL_MESSAGE = 1, JOURNAL_TEXT, JOURNAL_OUTCOME, JOURNAL_MARK };

/* Where a record is. */
struct journal_place {
        uint64_t generation; /* 0: nowhere */
        uint32_t offset, span;
};

struct journal_segment {
        uint64_t size;
        uint64_t generation;     /* from 1 on; 0: never used */
        uint64_t first_live;     /* the oldest generation that was needed when this one began */
        uint64_t first_sequence; /* of its records */
        uint64_t key;
        uint64_t begun_ms;
};

struct journal_head {
        enum journal_kind kind;
        uint64_t body_checksum;
        uint64_t generation;
        uint64_t sequence;
        uint64_t settled;
        uint32_t body_length;
        uint32_t span;
        uint32_t offset;
};

/* Zeroes the rest of the block. */
void journal_segment_write(uint8_t block[static JOURNAL_BLOCK], const struct journal_segment *segment);
/* False when it is none of ours. */
bool journal_segment_read(const uint8_t block[static JOURNAL_BLOCK], struct journal_segment *ret_segment);

void journal_head_write(uint8_t octets[static JOURNAL_HEAD], uint64_t key, const struct journal_head *head);
/* The head of a record at this offset of a segment. False when there is none of this generation, or the record would
 * not end before the segment's last block. Its body may be damaged all the same. */
bool journal_head_read(const uint8_t octets[static JOURNAL_HEAD], const struct journal_segment *segment,
                       uint32_t offset, struct journal_head *ret_head);
/* Sets the checksum of a body that has no octets. */
void journal_head_seal_empty(struct journal_head *head, const struct journal_segment *segment);
bool journal_body_is_whole(struct span body, const struct journal_segment *segment,
                           const struct journal_head *head);

struct journal_message {
        uint64_t time_ms;
        uint64_t due_ms;   /* 0: at once */
        uint64_t replaces; /* sequence of another one; 0: of none */
        struct piece_chain chain;
        uint32_t attempts;
        bool is_smtputf8;
        bool is_own; /* the destination is what is said of recipients, not of their domain */
        struct span id, client, helo, sender, destination;
        uint32_t recipient_count;
        struct span recipients; /* as strings */
        struct span text;       /* behind that of the chain */
};

/* Appends all but the text; `body` is empty. More recipients may follow, and journal_message_close() then. False
 * when the envelope does not fit. */
bool journal_message_write(struct text *body, const struct journal_message *message);
void journal_message_close(struct text *body);
/* Spans lie in the body. False when it is not well-formed. */
bool journal_message_read(struct span body, struct journal_message *ret_message);
/* A string. False, with nothing appended, when it is too long or does not fit. */
bool journal_string_write(struct text *text, struct span string);
/* Cuts a string off. False when there is none. */
bool journal_string_take(struct span *rest, struct span *ret_string);

struct journal_text {
        uint64_t generation; /* of the piece before; 0: this is the first */
        uint32_t offset;
        uint32_t number;
        struct span text;
};

void journal_text_write(struct text *body, const struct journal_text *piece);
bool journal_text_read(struct span body, struct journal_text *ret_piece);

enum recipient_state { RECIPIENT_WAITS, RECIPIENT_DONE, RECIPIENT_DEAD, RECIPIENT_DROPPED };

struct journal_outcome {
        uint64_t message; /* its sequence */
        uint64_t due_ms;
        uint32_t attempts;
        struct span states; /* an octet for each recipient, see enum recipient_state */
};

bool journal_outcome_write(struct text *body, const struct journal_outcome *outcome);
bool journal_outcome_read(struct span body, struct journal_outcome *ret_outcome);
/* True when one of them waits. */
bool journal_outcome_waits(const struct journal_outcome *outcome);
