/* Opening a journal after a stop or a crash. */
#include "workers/journal/open.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- records into the index ---------------------------------------------------------------------------- */

static void load_message(struct journal_loading *loading, const struct journal_part *part,
                         const struct journal_found *found)
{
        struct journal_message message;

        if (!journal_message_read(found->body, &message)) {
                loading->damaged++;
                return;
        }
        struct journal_entry entry = {
            .sequence = found->head.sequence,
            .time_ms = message.time_ms,
            .due_ms = message.due_ms,
            .attempts = message.attempts,
            .first_generation =
                message.chain.count > 0 ? message.chain.first_generation : part->segment.generation,
            .message = {part->segment.generation, found->offset, found->length},
        };
        uint32_t replaced =
            message.replaces == 0 ? JOURNAL_NONE : journal_index_find(loading->index, message.replaces);
        if (replaced != JOURNAL_NONE)
                journal_index_remove(loading->index, replaced);
        if (journal_index_add(loading->index, &entry, message.destination) == JOURNAL_NONE)
                loading->is_out_of_memory = true;
}

/* One of a message that is not there is of no use any more. */
static void load_outcome(struct journal_loading *loading, const struct journal_part *part,
                         const struct journal_found *found)
{
        struct journal_outcome outcome;

        if (!journal_outcome_read(found->body, &outcome)) {
                loading->damaged++;
                return;
        }
        uint32_t number = journal_index_find(loading->index, outcome.message);
        if (number == JOURNAL_NONE)
                return;
        if (!journal_outcome_waits(&outcome)) {
                journal_index_remove(loading->index, number);
                return;
        }
        struct journal_entry *entry = &loading->index->entries[number];
        entry->outcome = (struct journal_place){part->segment.generation, found->offset, found->length};
        entry->attempts = outcome.attempts;
        journal_index_take(loading->index, number);
        journal_index_put_back(loading->index, number, outcome.due_ms);
}

void journal_load_record(void *context, const struct journal_part *part, const struct journal_found *found)
{
        struct journal_loading *loading = context;

        if (found->head.kind == JOURNAL_MESSAGE)
                load_message(loading, part, found);
        else if (found->head.kind == JOURNAL_OUTCOME)
                load_outcome(loading, part, found);
}

/* ---- damage -------------------------------------------------------------------------------------------- */

/* Where that cannot be, it lies in its segment still, until that is used again. */
static void set_aside(const struct journal_folder *folder, const struct journal_damage *damage)
{
        char name[80];
        char *octets = malloc(damage->length);

        if (octets == NULL)
                return;
        snprintf(name, sizeof name, "%llu-%u", (unsigned long long)damage->generation, damage->offset);
        if (!journal_read_exactly(folder->slots[damage->slot].fd, octets, damage->length, damage->offset))
                memset(octets, 0, damage->length);
        journal_folder_set_aside(folder, name, span_of(octets, damage->length));
        free(octets);
}

/* A mark takes the place of a torn write, so that nobody takes it for damage later. */
static bool cover_torn(const struct journal_folder *folder, const struct journal_survey *survey,
                       const struct journal_damage *damage)
{
        uint8_t octets[JOURNAL_HEAD];
        struct journal_head head = {.kind = JOURNAL_MARK,
                                    .generation = damage->generation,
                                    .sequence = damage->last,
                                    .settled =
                                        survey->settled < damage->last ? survey->settled : damage->last - 1,
                                    .span = damage->length,
                                    .offset = damage->offset};
        const struct journal_part *part = survey->parts;
        int fd = folder->slots[damage->slot].fd;

        while (part->slot != damage->slot)
                part++;
        journal_head_seal_empty(&head, &part->segment);
        journal_head_write(octets, part->segment.key, &head);
        return journal_write_exactly(fd, octets, sizeof octets, damage->offset) && fdatasync(fd) == 0;
}

/* *ret_has_covered: something was written, so that the survey is to be made again. */
static bool settle_damages(const struct journal_folder *folder, const struct journal_survey *survey,
                           struct journal_opening_report *report, bool *ret_has_covered)
{
        bool is_good = true;

        report->damaged = 0;
        for (size_t i = 0; i < survey->damage_count && is_good; i++) {
                const struct journal_damage *damage = &survey->damages[i];
                uint64_t count = damage->last - damage->first + 1;
                if (journal_damage_is_loss(survey, damage)) {
                        report->damaged += count;
                        set_aside(folder, damage);
                } else {
                        report->torn += count;
                        is_good = cover_torn(folder, survey, damage);
                        *ret_has_covered = true;
                }
        }
        return is_good;
}

/* Files that have no header any more, but something else, are for the operator. */
static void set_segments_aside(struct journal_folder *folder)
{
        struct journal_segment segment;
        bool is_empty;

        for (uint32_t i = 0; i < folder->slot_count; i++)
                if (!journal_slot_header(folder, i, &segment, &is_empty) && !is_empty)
                        journal_slot_set_aside(folder, i);
}

static void set_twins_aside(struct journal_folder *folder, const struct journal_survey *survey)
{
        for (size_t i = 0; i < survey->twin_count; i++)
                journal_slot_set_aside(folder, survey->parts[survey->part_count + i].slot);
}

/* What was cut off is told once, or again where its file cannot be made as long as it was. */
static void lengthen_cut(const struct journal_folder *folder, const struct journal_survey *survey)
{
        for (size_t i = 0; i < survey->part_count; i++) {
                const struct journal_part *part = &survey->parts[i];
                if (journal_slot_is_cut(folder, part->slot, &part->segment) &&
                    ftruncate(folder->slots[part->slot].fd, (off_t)part->segment.size) != 0)
                        return;
        }
}

/* ---- opening ------------------------------------------------------------------------------------------- */

static void go_on(struct journal_store *store, const struct journal_survey *survey,
                  const struct journal_index *index)
{
        const struct journal_part *last =
            survey->part_count == 0 ? NULL : &survey->parts[survey->part_count - 1];

        journal_folder_note_headers(&store->folder);
        store->newest = survey->newest;
        store->sequence = store->settled = survey->sequence;
        atomic_store(&store->first_live, journal_index_first_live(index, store->newest));
        if (last == NULL)
                atomic_store(&store->first_live, 1);
        else
                journal_store_resume(store, last->slot, &last->segment, survey->end);
}

static bool read_all(struct journal_store *store, struct journal_index *index,
                     struct journal_opening_report *report)
{
        struct journal_survey survey;
        bool has_covered = false;

        for (int i = 0; i < 2; i++) {
                struct journal_loading loading = {.index = index};
                journal_index_end(index);
                index->keeps_order = true;
                has_covered = false;
                bool is_read = journal_survey_run(&survey, &store->folder, journal_load_record, &loading) &&
                               !loading.is_out_of_memory;
                if (!is_read)
                        errno = ENOMEM;
                is_read = is_read && settle_damages(&store->folder, &survey, report, &has_covered);
                report->damaged += loading.damaged + survey.cut_segments;
                report->lost_segments = survey.lost_segments;
                if (is_read && !has_covered) {
                        set_twins_aside(&store->folder, &survey);
                        lengthen_cut(&store->folder, &survey);
                        go_on(store, &survey, index);
                }
                int error = errno;
                journal_survey_end(&survey);
                errno = error;
                if (!is_read)
                        return false;
                if (!has_covered)
                        break;
        }
        index->keeps_order = false;
        errno = EIO; /* what was covered is torn again */
        return !has_covered;
}

enum journal_opening journal_open(struct journal_store *store, const char *path, uint64_t segment_size,
                                  uint64_t size, struct journal_index *index,
                                  struct journal_opening_report *ret_report)
{
        *ret_report = (struct journal_opening_report){0};
        if (!journal_folder_open(&store->folder, path, segment_size, size, false))
                return JOURNAL_IS_BROKEN;
        bool is_locked = journal_folder_lock(&store->folder);
        bool is_taken = !is_locked && errno == EWOULDBLOCK;
        if (is_locked && read_all(store, index, ret_report)) {
                set_segments_aside(&store->folder);
                return JOURNAL_OPENED;
        }
        int error = errno;
        journal_folder_close(&store->folder);
        errno = error;
        return is_taken ? JOURNAL_IS_TAKEN : JOURNAL_IS_BROKEN;
}
