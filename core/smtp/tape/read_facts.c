/* Reads what a tape has of texts and of facts. */
#include "core/smtp/internal.h"
#include "core/smtp/tape/internal.h"

#define RECORDS_MAX 512 /* of an answer */

/* ---- the text ------------------------------------------------------------------------------------------ */

bool taped_read_text(struct reader *reader)
{
        struct taped_text *text = arena_take(reader->taped->arena, sizeof *text);
        struct span names = reader->fields[2];

        if (text == NULL)
                return false;
        *text = (struct taped_text){0};
        while (names.length > 0) {
                enum check_id check = check_by_name(span_take_until(&names, '/'));
                text->judged |= check < CHECK_COUNT ? check_bit(check) : 0;
        }
        reader->step->text = text;
        return taped_read_number(reader->fields[0], INT64_MAX, &text->size) &&
               taped_read_reply(reader->fields[1], &text->fault);
}

/* In the order of the table, so that the list is as the checks make it. */
bool taped_read_verdict(struct reader *reader)
{
        struct taped_text *text = reader->step->text;
        const struct span *fields = reader->fields;
        struct verdict *verdict = arena_take(reader->taped->arena, sizeof *verdict);
        uint64_t flags;

        if (text == NULL || verdict == NULL)
                return false;
        *verdict =
            (struct verdict){.check = check_by_name(fields[0]),
                             .result = span_equals(fields[1], SPAN("defer")) ? VERDICT_DEFER : VERDICT_REFUSE,
                             .is_of_text = true};
        if (!taped_read_reply(fields[2], &verdict->reply) ||
            !taped_read_number(fields[3], TAPE_ONLY_OBSERVES | TAPE_IS_QUARANTINE, &flags) ||
            !taped_read_octets(reader, fields[4], &verdict->subject) ||
            !taped_read_octets(reader, fields[5], &verdict->evidence))
                return false;
        verdict->only_observes = (flags & TAPE_ONLY_OBSERVES) != 0;
        verdict->is_quarantine = (flags & TAPE_IS_QUARANTINE) != 0;
        if (verdict->check >= CHECK_COUNT || verdict->reply == REPLY_NONE ||
            (text->judged & check_bit(verdict->check)) == 0)
                return true;
        struct verdict **link = &text->against.first;
        while (*link != NULL && (*link)->check < verdict->check)
                link = &(*link)->next;
        verdict->next = *link;
        *link = verdict;
        return true;
}

/* ---- facts --------------------------------------------------------------------------------------------- */

static bool read_type(struct span word, enum dns_type *ret_type)
{
        static const enum dns_type types[] = {DNS_A,  DNS_NS,  DNS_CNAME, DNS_SOA, DNS_PTR,
                                              DNS_MX, DNS_TXT, DNS_AAAA,  DNS_TLSA};

        for (size_t i = 0; i < sizeof types / sizeof *types; i++)
                if (span_equals(word, span_from(dns_type_name(types[i])))) {
                        *ret_type = types[i];
                        return true;
                }
        return false;
}

static bool read_address(struct reader *reader, struct span digits, size_t size, struct span *ret_data)
{
        uint8_t *octets = arena_take(reader->taped->arena, size);

        *ret_data = span_of((const char *)octets, size);
        return octets != NULL && span_hex(digits, octets, size);
}

static bool read_record(struct reader *reader, enum dns_type type, struct span field,
                        struct dns_record *ret_record)
{
        *ret_record = (struct dns_record){0};
        if (type == DNS_A || type == DNS_AAAA)
                return read_address(reader, field, type == DNS_A ? 4 : 16, &ret_record->data);
        if (type == DNS_MX && !taped_read_port(span_take_until(&field, ':'), &ret_record->preference))
                return false;
        return taped_read_octets(reader, field, &ret_record->data);
}

static bool read_records(struct reader *reader, struct taped_question *question)
{
        size_t count = reader->field_count - 4;
        struct dns_record *records = arena_take(reader->taped->arena, count * sizeof *records);

        for (size_t i = 0; records != NULL && i < count; i++)
                if (!read_record(reader, question->question.type, reader->fields[4 + i], &records[i]))
                        return false;
        question->answer.records = records;
        question->answer.record_count = (uint16_t)count;
        return records != NULL;
}

bool taped_read_question(struct reader *reader)
{
        const struct span *fields = reader->fields;
        struct taped_question *question = arena_take(reader->taped->arena, sizeof *question);
        char letter = fields[3].length == 1 ? fields[3].at[0] : '\0';
        struct dns_answer *answer;

        if (question == NULL)
                return false;
        *question = (struct taped_question){0};
        answer = &question->answer;
        answer->is_nxdomain = letter == TAPE_NXDOMAIN;
        answer->is_too_large = letter == TAPE_TOO_LARGE;
        answer->fact = answer->is_nxdomain ? FACT_ABSENT : FACT_FAILED;
        if (!taped_read_u32(fields[0], &question->transaction) ||
            !read_type(fields[1], &question->question.type) ||
            !taped_read_octets(reader, fields[2], &question->question.name) ||
            (!answer->is_nxdomain && !answer->is_too_large && !taped_read_fact(fields[3], &answer->fact)))
                return false;
        if ((answer->fact == FACT_FOUND) != (reader->field_count > 4) || answer->fact == FACT_PENDING ||
            reader->field_count - 4 > RECORDS_MAX)
                return false;
        *reader->question_end = question;
        reader->question_end = &question->next;
        return reader->field_count == 4 || read_records(reader, question);
}

bool taped_read_sender(struct reader *reader)
{
        const struct span *fields = reader->fields;
        struct taped_sender *sender = arena_take(reader->taped->arena, sizeof *sender);

        if (sender == NULL)
                return false;
        *sender = (struct taped_sender){0};
        *reader->sender_end = sender;
        reader->sender_end = &sender->next;
        return taped_read_u32(fields[0], &sender->transaction) &&
               span_hex(fields[1], sender->key, sizeof sender->key) &&
               taped_read_fact(fields[2], &sender->fact) && sender->fact != FACT_PENDING &&
               taped_read_u32(fields[3], &sender->record.first_s) &&
               taped_read_u32(fields[4], &sender->record.last_s) &&
               taped_read_u32(fields[5], &sender->record.expires_s) &&
               taped_read_u32(fields[6], &sender->record.count);
}
