/* Segments' headers, records' heads and bodies, to and from octets. Checksums are XXH3, with 64 bits and a seed. */
#include "workers/journal/disk/format.h"

#include <assert.h>
#include <endian.h>
#include <xxhash.h>

#define HEADER_OCTETS  72
#define MESSAGE_OCTETS 72
#define FLAG_SMTPUTF8  1u
#define FLAG_OWN       2u
#define TEXT_OCTETS    16
#define OUTCOME_OCTETS 24
#define HEAD_MAGIC     0x52525047u /* "GPRR" */

static const uint8_t segment_magic[8] = {'G', 'P', 'J', 'R', 'N', 'L', '\r', '\n'};

static_assert(JOURNAL_SEGMENT_MIN > 2 * (JOURNAL_PIECE_MAX + JOURNAL_ENVELOPE_MAX), "any record finds room");

/* ---- numbers ------------------------------------------------------------------------------------------- */

static void put32(uint8_t *at, uint32_t number)
{
        number = htole32(number);
        memcpy(at, &number, sizeof number);
}

static void put64(uint8_t *at, uint64_t number)
{
        number = htole64(number);
        memcpy(at, &number, sizeof number);
}

static uint32_t get32(const void *at)
{
        uint32_t number;
        memcpy(&number, at, sizeof number);
        return le32toh(number);
}

static uint64_t get64(const void *at)
{
        uint64_t number;
        memcpy(&number, at, sizeof number);
        return le64toh(number);
}

/* ---- segments ------------------------------------------------------------------------------------------ */

void journal_segment_write(uint8_t block[static JOURNAL_BLOCK], const struct journal_segment *segment)
{
        memset(block, 0, JOURNAL_BLOCK);
        memcpy(block, segment_magic, sizeof segment_magic);
        put32(block + 8, JOURNAL_VERSION);
        put64(block + 16, segment->size);
        put64(block + 24, segment->generation);
        put64(block + 32, segment->first_live);
        put64(block + 40, segment->first_sequence);
        put64(block + 48, segment->key);
        put64(block + 56, segment->begun_ms);
        put64(block + 64, XXH3_64bits(block, 64));
        static_assert(HEADER_OCTETS == 64 + 8, "the checksum is behind all else");
}

bool journal_segment_read(const uint8_t block[static JOURNAL_BLOCK], struct journal_segment *ret_segment)
{
        if (memcmp(block, segment_magic, sizeof segment_magic) != 0 || get32(block + 8) != JOURNAL_VERSION ||
            get64(block + 64) != XXH3_64bits(block, 64))
                return false;
        struct journal_segment segment = {
            .size = get64(block + 16),
            .generation = get64(block + 24),
            .first_live = get64(block + 32),
            .first_sequence = get64(block + 40),
            .key = get64(block + 48),
            .begun_ms = get64(block + 56),
        };
        if (segment.size < JOURNAL_SEGMENT_MIN || segment.size > JOURNAL_SEGMENT_MAX ||
            segment.size % JOURNAL_BLOCK != 0 || segment.first_live > segment.generation)
                return false;
        *ret_segment = segment;
        return true;
}

/* ---- heads --------------------------------------------------------------------------------------------- */

void journal_head_write(uint8_t octets[static JOURNAL_HEAD], uint64_t key, const struct journal_head *head)
{
        put32(octets, HEAD_MAGIC);
        put32(octets + 4, (uint32_t)head->kind);
        put64(octets + 16, head->body_checksum);
        put64(octets + 24, head->generation);
        put64(octets + 32, head->sequence);
        put64(octets + 40, head->settled);
        put32(octets + 48, head->body_length);
        put32(octets + 52, head->span);
        put32(octets + 56, head->offset);
        put32(octets + 60, 0);
        put64(octets + 8, XXH3_64bits_withSeed(octets + 16, JOURNAL_HEAD - 16, key ^ (uint64_t)head->kind));
}

static bool head_is_sane(const struct journal_head *head, const struct journal_segment *segment,
                         uint32_t offset)
{
        return head->kind >= JOURNAL_MESSAGE && head->kind <= JOURNAL_MARK &&
               head->generation == segment->generation && head->offset == offset &&
               head->settled < head->sequence && head->span % JOURNAL_ALIGN == 0 &&
               head->span >= JOURNAL_HEAD && head->body_length <= head->span - JOURNAL_HEAD &&
               offset <= segment->size - JOURNAL_BLOCK &&
               head->span <= segment->size - JOURNAL_BLOCK - offset;
}

bool journal_head_read(const uint8_t octets[static JOURNAL_HEAD], const struct journal_segment *segment,
                       uint32_t offset, struct journal_head *ret_head)
{
        uint64_t kind = get32(octets + 4);

        if (get32(octets) != HEAD_MAGIC ||
            get64(octets + 8) != XXH3_64bits_withSeed(octets + 16, JOURNAL_HEAD - 16, segment->key ^ kind))
                return false;
        struct journal_head head = {
            .kind = (enum journal_kind)kind,
            .body_checksum = get64(octets + 16),
            .generation = get64(octets + 24),
            .sequence = get64(octets + 32),
            .settled = get64(octets + 40),
            .body_length = get32(octets + 48),
            .span = get32(octets + 52),
            .offset = get32(octets + 56),
        };
        if (!head_is_sane(&head, segment, offset))
                return false;
        *ret_head = head;
        return true;
}

void journal_head_seal_empty(struct journal_head *head, const struct journal_segment *segment)
{
        head->body_checksum = XXH3_64bits_withSeed("", 0, segment->key);
}

bool journal_body_is_whole(struct span body, const struct journal_segment *segment,
                           const struct journal_head *head)
{
        return body.length == head->body_length &&
               XXH3_64bits_withSeed(body.at, body.length, segment->key) == head->body_checksum;
}

/* ---- bodies -------------------------------------------------------------------------------------------- */

bool journal_string_write(struct text *text, struct span string)
{
        uint8_t length[2] = {(uint8_t)string.length, (uint8_t)(string.length >> 8)};

        if (string.length > UINT16_MAX || text_room(text) < sizeof length + string.length)
                return false;
        text_put(text, span_of((const char *)length, sizeof length));
        text_put(text, string);
        return true;
}

bool journal_string_take(struct span *rest, struct span *ret_string)
{
        if (rest->length < 2)
                return false;
        size_t length = (uint8_t)rest->at[0] | (size_t)(uint8_t)rest->at[1] << 8;
        struct span string = span_skip(*rest, 2);
        if (string.length < length)
                return false;
        *ret_string = span_of(string.at, length);
        *rest = span_skip(string, length);
        return true;
}

bool journal_message_write(struct text *body, const struct journal_message *message)
{
        uint8_t fixed[MESSAGE_OCTETS] = {0};

        put64(fixed, message->time_ms);
        put64(fixed + 8, message->due_ms);
        put64(fixed + 16, message->replaces);
        put64(fixed + 24, message->chain.generation);
        put64(fixed + 32, message->chain.first_generation);
        put64(fixed + 40, message->chain.octets);
        put32(fixed + 48, message->chain.offset);
        put32(fixed + 52, message->chain.count);
        put32(fixed + 56, message->attempts);
        put32(fixed + 60, message->recipient_count);
        put32(fixed + 68, (message->is_smtputf8 ? FLAG_SMTPUTF8 : 0) | (message->is_own ? FLAG_OWN : 0));
        text_put(body, span_of((const char *)fixed, sizeof fixed));
        bool fits = journal_string_write(body, message->id) && journal_string_write(body, message->client) &&
                    journal_string_write(body, message->helo) &&
                    journal_string_write(body, message->sender) &&
                    journal_string_write(body, message->destination);
        text_put(body, message->recipients);
        return fits && !body->overflowed;
}

void journal_message_close(struct text *body)
{
        put32((uint8_t *)body->at + 64, (uint32_t)body->length);
}

static bool recipients_are_whole(struct span recipients, uint32_t count)
{
        struct span recipient;
        while (count > 0 && journal_string_take(&recipients, &recipient))
                count--;
        return count == 0 && recipients.length == 0;
}

bool journal_message_read(struct span body, struct journal_message *ret_message)
{
        if (body.length < MESSAGE_OCTETS)
                return false;
        uint32_t envelope = get32(body.at + 64);
        if (envelope < MESSAGE_OCTETS || envelope > body.length)
                return false;
        struct journal_message message = {
            .time_ms = get64(body.at),
            .due_ms = get64(body.at + 8),
            .replaces = get64(body.at + 16),
            .chain = {.generation = get64(body.at + 24),
                      .first_generation = get64(body.at + 32),
                      .octets = get64(body.at + 40),
                      .offset = get32(body.at + 48),
                      .count = get32(body.at + 52)},
            .attempts = get32(body.at + 56),
            .recipient_count = get32(body.at + 60),
            .is_smtputf8 = (get32(body.at + 68) & FLAG_SMTPUTF8) != 0,
            .is_own = (get32(body.at + 68) & FLAG_OWN) != 0,
            .text = span_skip(body, envelope),
        };
        struct span rest = span_of(body.at + MESSAGE_OCTETS, envelope - MESSAGE_OCTETS);
        if (!journal_string_take(&rest, &message.id) || !journal_string_take(&rest, &message.client) ||
            !journal_string_take(&rest, &message.helo) || !journal_string_take(&rest, &message.sender) ||
            !journal_string_take(&rest, &message.destination) ||
            !recipients_are_whole(rest, message.recipient_count))
                return false;
        message.recipients = rest;
        *ret_message = message;
        return true;
}

void journal_text_write(struct text *body, const struct journal_text *piece)
{
        uint8_t fixed[TEXT_OCTETS];

        put64(fixed, piece->generation);
        put32(fixed + 8, piece->offset);
        put32(fixed + 12, piece->number);
        text_put(body, span_of((const char *)fixed, sizeof fixed));
}

bool journal_text_read(struct span body, struct journal_text *ret_piece)
{
        if (body.length < TEXT_OCTETS)
                return false;
        *ret_piece = (struct journal_text){.generation = get64(body.at),
                                           .offset = get32(body.at + 8),
                                           .number = get32(body.at + 12),
                                           .text = span_skip(body, TEXT_OCTETS)};
        return true;
}

bool journal_outcome_write(struct text *body, const struct journal_outcome *outcome)
{
        uint8_t fixed[OUTCOME_OCTETS];

        put64(fixed, outcome->message);
        put64(fixed + 8, outcome->due_ms);
        put32(fixed + 16, outcome->attempts);
        put32(fixed + 20, (uint32_t)outcome->states.length);
        text_put(body, span_of((const char *)fixed, sizeof fixed));
        text_put(body, outcome->states);
        return !body->overflowed;
}

bool journal_outcome_read(struct span body, struct journal_outcome *ret_outcome)
{
        if (body.length < OUTCOME_OCTETS || get32(body.at + 20) != body.length - OUTCOME_OCTETS)
                return false;
        *ret_outcome = (struct journal_outcome){.message = get64(body.at),
                                                .due_ms = get64(body.at + 8),
                                                .attempts = get32(body.at + 16),
                                                .states = span_skip(body, OUTCOME_OCTETS)};
        return true;
}

bool journal_outcome_waits(const struct journal_outcome *outcome)
{
        return span_find(outcome->states, RECIPIENT_WAITS) != SIZE_MAX;
}
