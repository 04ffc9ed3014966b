/* Fuzzes the reading of a journal's segment: records whose bodies are the input's, rubbish between them, and damage.
 * What is read must be what was written, octet for octet, or nothing; and the index must add up whatever bodies say.
 *
 * Input: number of damages, 1 | each: offset 2, what it is combined with by XOR 1 | records: kind 1, length 2, body.
 * With the highest bit of the kind the body stands there without a head. */
#include "core/base/expect.h"
#include "workers/journal/disk/scan.h"
#include "workers/journal/open.h"

#include <xxhash.h>

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t length);

#define INPUT_MAX   (1u << 20) /* and then all of it fits */
#define RECORDS_MAX 200
#define DAMAGES_MAX 7
#define KEY         UINT64_C(0x0123456789abcdef)

static char segment_octets[JOURNAL_SEGMENT_MIN];
static const struct journal_segment segment = {
    .size = JOURNAL_SEGMENT_MIN, .generation = 7, .first_live = 1, .first_sequence = 1, .key = KEY};

struct play {
        struct span rest; /* of the input */
        struct span bodies[RECORDS_MAX + 1];
        enum journal_kind kinds[RECORDS_MAX + 1];
        uint64_t count;
        uint32_t at;
};

static uint8_t take(struct play *play)
{
        if (play->rest.length == 0)
                return 0;
        uint8_t octet = (uint8_t)play->rest.at[0];
        play->rest = span_skip(play->rest, 1);
        return octet;
}

static void put_head(struct play *play, enum journal_kind kind, struct span body, uint32_t span)
{
        struct journal_head head = {
            .kind = kind,
            .body_checksum = XXH3_64bits_withSeed(body.at, body.length, KEY),
            .generation = segment.generation,
            .sequence = play->count,
            .settled = play->count - 1,
            .body_length = (uint32_t)body.length,
            .span = span,
            .offset = play->at,
        };
        journal_head_write((uint8_t *)segment_octets + play->at, KEY, &head);
}

static void put_record(struct play *play)
{
        uint8_t kind = take(play);
        size_t length = take(play);
        length |= (size_t)take(play) << 8;
        bool is_rubbish = (kind & 0x80) != 0;
        struct span body = span_of(play->rest.at, length < play->rest.length ? length : play->rest.length);
        uint32_t used = (uint32_t)body.length + (is_rubbish ? 0 : JOURNAL_HEAD);
        uint32_t span = (used + JOURNAL_ALIGN - 1) / JOURNAL_ALIGN * JOURNAL_ALIGN;

        play->rest = span_skip(play->rest, body.length);
        if (body.length > 0)
                memcpy(segment_octets + play->at + (is_rubbish ? 0 : JOURNAL_HEAD), body.at, body.length);
        if (!is_rubbish) {
                play->count++;
                play->kinds[play->count] = (enum journal_kind)(kind % 4 + 1);
                play->bodies[play->count] = body;
                put_head(play, play->kinds[play->count], body, span);
        }
        play->at += span;
}

static void check_index(const struct journal_index *index)
{
        uint32_t waiting = 0;
        uint64_t pinned = 0;

        for (uint32_t i = 0; i < index->used; i++)
                waiting += index->entries[i].state != JOURNAL_ENTRY_FREE;
        for (size_t i = 0; i < index->pin_count; i++)
                pinned += index->pins[i].messages;
        expect(waiting == index->waiting && pinned == waiting);
        for (uint32_t i = 0; i < index->queue_count; i++) {
                expect(index->queues[i].in_flight == 0);
                waiting -= index->queues[i].count;
        }
        expect(waiting == 0);
}

static void read_back(const struct play *play, bool has_damage)
{
        struct journal_index index = {.keeps_order = true};
        struct journal_loading loading = {.index = &index};
        struct journal_part part = {.segment = segment};
        struct journal_scan scan;
        struct journal_found found;
        enum journal_scan_result result;
        uint64_t count = 0, last = 0;

        journal_scan_begin(&scan, span_of(segment_octets, sizeof segment_octets), &segment);
        while ((result = journal_scan_next(&scan, &found)) != JOURNAL_SCAN_END) {
                expect(found.offset >= JOURNAL_BLOCK && found.offset + found.length <= sizeof segment_octets);
                if (result != JOURNAL_SCAN_RECORD)
                        continue;
                expect(found.head.sequence > last && found.head.sequence <= play->count);
                last = found.head.sequence;
                expect(found.head.kind == play->kinds[last] && span_equals(found.body, play->bodies[last]));
                journal_load_record(&loading, &part, &found);
                count++;
        }
        expect(has_damage || count == play->count);
        expect(!loading.is_out_of_memory);
        check_index(&index);
        journal_index_end(&index);
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t length)
{
        struct play play = {.rest = span_of((const char *)octets, length), .at = JOURNAL_BLOCK};
        if (length > INPUT_MAX)
                return 0;
        uint8_t damages = take(&play) % (DAMAGES_MAX + 1);
        uint32_t offsets[DAMAGES_MAX];
        uint8_t changes[DAMAGES_MAX];

        for (uint8_t i = 0; i < damages; i++) {
                offsets[i] = take(&play);
                offsets[i] |= (uint32_t)take(&play) << 8;
                changes[i] = take(&play);
        }
        while (play.rest.length > 0 && play.count < RECORDS_MAX)
                put_record(&play);
        for (uint8_t i = 0; i < damages; i++)
                segment_octets[JOURNAL_BLOCK + offsets[i]] ^= (char)changes[i];
        read_back(&play, damages > 0);
        memset(segment_octets + JOURNAL_BLOCK, 0, (play.at > 0x10000 ? play.at : 0x10000) + JOURNAL_BLOCK);
        return 0;
}
