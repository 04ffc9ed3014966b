/* Reads what tape.c has written. A record that is not as it should be makes all of it worthless. */
#include "core/smtp/tape/taped.h"

#include "core/senders/rates.h"
#include "core/smtp/internal.h"
#include "core/smtp/tape/internal.h"

#include <stdlib.h>

const char tape_facts[4] = {
    [FACT_FOUND] = 'F', [FACT_ABSENT] = 'A', [FACT_FAILED] = 'X', [FACT_PENDING] = 'P'};

/* ---- fields -------------------------------------------------------------------------------------------- */

bool taped_read_octets(struct reader *reader, struct span field, struct span *ret_octets)
{
        uint8_t octet;

        *ret_octets = field;
        if (span_find(field, '%') == SIZE_MAX)
                return true;
        char *octets = arena_take(reader->taped->arena, field.length);
        size_t length = 0;
        for (size_t i = 0; octets != NULL && i < field.length; i++) {
                octets[length] = field.at[i];
                if (field.at[i] == '%') {
                        if (i + 2 >= field.length || !span_hex(span_of(field.at + i + 1, 2), &octet, 1))
                                return false;
                        octets[length] = (char)octet;
                        i += 2;
                }
                length++;
        }
        *ret_octets = span_of(octets, length);
        return octets != NULL;
}

bool taped_read_number(struct span field, uint64_t max, uint64_t *ret_number)
{
        return span_number(field, ret_number) && *ret_number <= max;
}

bool taped_read_u32(struct span field, uint32_t *ret_number)
{
        uint64_t number;

        if (!taped_read_number(field, UINT32_MAX, &number))
                return false;
        *ret_number = (uint32_t)number;
        return true;
}

bool taped_read_port(struct span field, uint16_t *ret_port)
{
        uint64_t number;

        if (!taped_read_number(field, UINT16_MAX, &number))
                return false;
        *ret_port = (uint16_t)number;
        return true;
}

/* A reply or a check that this version does not have is none. */
bool taped_read_reply(struct span field, enum reply_id *ret_reply)
{
        *ret_reply = field.length == 0 ? REPLY_NONE : reply_by_name(field);
        return true;
}

bool taped_read_fact(struct span field, enum fact *ret_fact)
{
        for (size_t fact = 0; field.length == 1 && fact < sizeof tape_facts; fact++)
                if (tape_facts[fact] == field.at[0]) {
                        *ret_fact = (enum fact)fact;
                        return true;
                }
        return false;
}

/* ---- the session --------------------------------------------------------------------------------------- */

static bool add_step(struct reader *reader)
{
        struct taped_step *step = arena_take(reader->taped->arena, sizeof *step);

        if (step == NULL)
                return false;
        *step = (struct taped_step){.rung = reader->rung, .fault = REPLY_NONE, .ruling_fact = FACT_PENDING};
        if (reader->step == NULL)
                reader->taped->steps = step;
        else
                reader->step->next = step;
        reader->step = step;
        return true;
}

static bool taped_read_head(struct reader *reader)
{
        struct taped *taped = reader->taped;
        const struct span *fields = reader->fields;
        uint64_t version, wall_ms, flags;

        if (reader->step != NULL || !taped_read_number(fields[0], TAPE_VERSION, &version) ||
            version != TAPE_VERSION || !taped_read_number(fields[1], INT64_MAX / 1000, &wall_ms) ||
            !address_parse(fields[2], &taped->client) || !taped_read_port(fields[3], &taped->client_port) ||
            !address_parse(fields[4], &taped->server) || !taped_read_port(fields[5], &taped->server_port) ||
            !taped_read_number(fields[6], TAPE_HAD_HISTORY | TAPE_WAS_NAMED, &flags))
                return false;
        taped->wall_ms = (int64_t)wall_ms;
        taped->had_good_history = (flags & TAPE_HAD_HISTORY) != 0;
        taped->was_named = (flags & TAPE_WAS_NAMED) != 0;
        return add_step(reader);
}

static bool taped_read_rung(struct reader *reader)
{
        uint64_t rung;

        if (!taped_read_number(reader->fields[0], RUNG_COUNT - 1, &rung))
                return false;
        reader->rung = (enum rung)rung;
        return true;
}

static bool taped_read_command(struct reader *reader)
{
        if (!add_step(reader))
                return false;
        struct taped_step *step = reader->step;
        return taped_read_number(reader->fields[0], UINT32_MAX, &step->at_ms) &&
               taped_read_octets(reader, reader->fields[1], &step->line) &&
               step->line.length <= LINE_KEEP_MAX && taped_read_reply(reader->fields[2], &step->fault);
}

static bool taped_read_early(struct reader *reader)
{
        struct taped_step *step = reader->step;
        struct span *octets = step->first.code == 0 ? &step->early : &step->early_behind;

        return taped_read_octets(reader, reader->fields[0], octets);
}

static bool taped_read_excess(struct reader *reader)
{
        for (enum rate_kind kind = 0; kind < RATE_KINDS; kind++)
                if (span_equals(reader->fields[0], span_from(rate_kind_name(kind)))) {
                        reader->step->excesses |= 1u << kind;
                        return true;
                }
        return false;
}

static bool taped_read_ruling(struct reader *reader)
{
        struct taped_step *step = reader->step;
        struct ruling *ruling = arena_take(reader->taped->arena, sizeof *ruling);
        const struct span *fields = reader->fields;
        uint64_t kind, whom, code;
        struct span text;

        if (ruling == NULL || !taped_read_fact(fields[0], &step->ruling_fact) ||
            !taped_read_number(fields[1], RULING_DEFERS, &kind) ||
            !taped_read_number(fields[2], RULING_OF_ANYBODY, &whom) ||
            !taped_read_number(fields[3], 599, &code) || fields[4].length >= sizeof ruling->enhanced ||
            !taped_read_octets(reader, fields[5], &text) || text.length > sizeof ruling->text)
                return false;
        /* The contract of a ruling: a code is of its class. */
        if (code != 0 && (code < 200 || code == 421 ||
                          code / 100 != (kind == RULING_TAKES    ? 2
                                         : kind == RULING_DEFERS ? 4
                                                                 : 5)))
                return false;
        if (kind != RULING_TAKES && code == 0 && step->ruling_fact == FACT_FOUND)
                return false;
        *ruling = (struct ruling){.kind = (enum ruling_kind)kind,
                                  .whom = (enum ruling_whom)whom,
                                  .code = (uint16_t)code,
                                  .text_length = (uint16_t)text.length};
        span_copy_cut(fields[4], ruling->enhanced, sizeof ruling->enhanced);
        if (text.length > 0)
                memcpy(ruling->text, text.at, text.length);
        step->ruling = ruling;
        return true;
}

static bool taped_read_answer(struct reader *reader)
{
        const struct span *fields = reader->fields;
        struct taped_answer answer = {.id = fields[3]};
        struct taped_step *step = reader->step;
        uint64_t code;

        if (!taped_read_number(fields[0], 599, &code) || code < 200 ||
            !taped_read_reply(fields[1], &answer.reply) || fields[3].length > ID_LENGTH)
                return false;
        answer.code = (uint16_t)code;
        answer.check = fields[2].length == 0 ? CHECK_COUNT : check_by_name(fields[2]);
        if (step->first.code == 0)
                step->first = answer;
        else if (step->first.code == 354 && step->of_text.code == 0)
                step->of_text = answer;
        step->last = answer;
        return true;
}

static bool taped_read_secured(struct reader *reader)
{
        reader->step->is_secured = true;
        return true;
}

/* ---- records ------------------------------------------------------------------------------------------- */

static const struct row {
        char letter;
        size_t fields;
        bool (*read)(struct reader *reader);
} rows[] = {
#define RECORD(name, letter, fields) {letter, fields, taped_read_##name},
#include "core/smtp/tape/tape.def"
};

static bool split(struct reader *reader, struct span fields)
{
        reader->field_count = 0;
        while (fields.length > 0) {
                if (reader->field_count == FIELDS_MAX || fields.at[0] != ',')
                        return false;
                fields = span_skip(fields, 1);
                size_t end = span_find(fields, ',');
                struct span field = span_of(fields.at, end < fields.length ? end : fields.length);
                reader->fields[reader->field_count++] = field;
                fields = span_skip(fields, field.length);
        }
        return true;
}

static bool read_one(struct reader *reader, struct span record)
{
        if (record.length == 0 || !split(reader, span_skip(record, 1)))
                return false;
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
                bool may_have_more = i == RECORD_question;
                if (rows[i].letter != record.at[0])
                        continue;
                return (reader->step != NULL || i == RECORD_head) &&
                       (reader->field_count == rows[i].fields ||
                        (may_have_more && reader->field_count > rows[i].fields)) &&
                       rows[i].read(reader);
        }
        return false;
}

bool taped_read(struct span text, struct arena *arena, struct taped *ret_taped)
{
        struct reader reader = {.taped = ret_taped};

        *ret_taped = (struct taped){.arena = arena};
        if (text.length > TAPE_MAX)
                return false;
        reader.question_end = &ret_taped->questions;
        reader.sender_end = &ret_taped->senders;
        while (text.length > 0)
                if (!read_one(&reader, span_take_until(&text, ' ')))
                        return false;
        return reader.step != NULL;
}
