/* What the files of core/smtp/tape share. Nobody else includes this. */
#pragma once

#include "core/smtp/tape/play.h"
#include "core/smtp/tape/taped.h"

enum tape_record {
#define RECORD(name, letter, fields) RECORD_##name,
#include "core/smtp/tape/tape.def"
        RECORD_COUNT
};

/* By enum fact; nobody has gone by what was pending. */
extern const char tape_facts[4];
#define TAPE_NXDOMAIN  'N' /* ABSENT, and the name too */
#define TAPE_TOO_LARGE 'L' /* FAILED, because more came than is kept */

#define TAPE_HAD_HISTORY 1 /* flags of a head: the client had a good history */
#define TAPE_WAS_NAMED   2 /* by a balancer */

#define TAPE_ONLY_OBSERVES 1 /* flags of a verdict */
#define TAPE_IS_QUARANTINE 2

/* ---- write_facts.c: the pieces of records, and the records of facts */

void tape_put_record(struct text *text, enum tape_record record);
void tape_put_field(struct text *text, struct span octets);
void tape_put_number(struct text *text, uint64_t number);
void tape_put_address(struct text *text, const struct address *address);
void tape_put_check(struct text *text, enum check_id check);
void tape_put_reply(struct text *text, enum reply_id reply);
/* `transaction`: its number; 0: the session's own. */
void tape_put_memo(const struct session *session, const struct memo *memo, uint32_t transaction);
/* Of the transaction under way, once. */
void tape_put_facts(struct session *session);
void tape_put_text(struct session *session, enum reply_id fault);

/* ---- taped.c: the fields of records. False: it is not such a field */

#define FIELDS_MAX 520 /* of a record: an answer of DNS has many */

struct reader {
        struct taped *taped;
        struct taped_step *step; /* the last one */
        struct taped_question **question_end;
        struct taped_sender **sender_end;
        enum rung rung;
        struct span fields[FIELDS_MAX]; /* of the record */
        size_t field_count;
};

/* In the arena where something is escaped. */
bool taped_read_octets(struct reader *reader, struct span field, struct span *ret_octets);
bool taped_read_number(struct span field, uint64_t max, uint64_t *ret_number);
bool taped_read_u32(struct span field, uint32_t *ret_number);
bool taped_read_port(struct span field, uint16_t *ret_port);
bool taped_read_reply(struct span field, enum reply_id *ret_reply);
bool taped_read_fact(struct span field, enum fact *ret_fact);

/* ---- read_facts.c: records */

bool taped_read_text(struct reader *reader);
bool taped_read_verdict(struct reader *reader);
bool taped_read_question(struct reader *reader);
bool taped_read_sender(struct reader *reader);

/* ---- answers.c */

void player_answer(struct tape_player *player);
