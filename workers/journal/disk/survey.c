/* The survey of a journal. */
#include "workers/journal/disk/survey.h"

#include <errno.h>
#include <stdlib.h>

#define DAMAGES_MAX 4096

/* ---- segments ------------------------------------------------------------------------------------------ */

static int compare_parts(const void *left, const void *right)
{
        const struct journal_part *a = left, *b = right;

        if (a->is_twin != b->is_twin)
                return a->is_twin ? 1 : -1;
        return (a->segment.generation > b->segment.generation) -
               (a->segment.generation < b->segment.generation);
}

static void read_headers(struct journal_survey *survey, const struct journal_folder *folder)
{
        for (uint32_t i = 0; i < folder->slot_count; i++) {
                struct journal_part *part = &survey->parts[survey->part_count];
                bool is_empty;
                *part = (struct journal_part){.slot = i};
                if (journal_slot_header(folder, i, &part->segment, &is_empty))
                        survey->part_count++;
                else
                        survey->lost_segments += !is_empty;
        }
        qsort(survey->parts, survey->part_count, sizeof *survey->parts, compare_parts);
}

/* What the newest one did not need when it began is free. */
static void drop_free(struct journal_survey *survey)
{
        size_t free_count = 0;

        if (survey->part_count == 0)
                return;
        const struct journal_segment *newest = &survey->parts[survey->part_count - 1].segment;
        survey->newest = newest->generation;
        while (survey->parts[free_count].segment.generation < newest->first_live)
                free_count++;
        survey->sequence = survey->settled = newest->first_sequence - 1;
        survey->part_count -= free_count;
        memmove(survey->parts, survey->parts + free_count, survey->part_count * sizeof *survey->parts);
}

/* ---- twins --------------------------------------------------------------------------------------------- */

/* Of what is whole in it. */
static uint64_t last_sequence(const struct journal_folder *folder, const struct journal_part *part,
                              char *octets)
{
        struct journal_found found;
        struct journal_scan scan;

        journal_slot_read(folder, part->slot, octets, part->segment.size);
        journal_scan_begin(&scan, span_of(octets, part->segment.size), &part->segment);
        while (journal_scan_next(&scan, &found) != JOURNAL_SCAN_END)
                ;
        return scan.sequence;
}

/* A segment that somebody has copied is there twice: that of them which goes on farther counts. */
static void part_twins(struct journal_survey *survey, const struct journal_folder *folder, char *octets)
{
        struct journal_part *kept = survey->parts;

        for (size_t i = 1; i < survey->part_count; i++) {
                struct journal_part *part = &survey->parts[i];
                bool is_same = part->segment.generation == kept->segment.generation;
                struct journal_part *better = part;
                if (is_same) {
                        if (last_sequence(folder, part, octets) <= last_sequence(folder, kept, octets))
                                better = kept;
                        (better == part ? kept : part)->is_twin = true;
                        survey->twin_count++;
                }
                kept = better;
        }
        if (survey->twin_count > 0)
                qsort(survey->parts, survey->part_count, sizeof *survey->parts, compare_parts);
        survey->part_count -= survey->twin_count;
        survey->lost_segments += survey->twin_count;
        for (size_t i = 0; i + 1 < survey->part_count; i++)
                survey->parts[i].end_sequence = survey->parts[i + 1].segment.first_sequence;
}

/* ---- records ------------------------------------------------------------------------------------------- */

static void add_damage(struct journal_survey *survey, const struct journal_part *part,
                       const struct journal_found *found, uint64_t first, uint64_t last)
{
        if (last < first || survey->damage_count == DAMAGES_MAX)
                return;
        if (survey->damages == NULL)
                survey->damages = calloc(DAMAGES_MAX, sizeof *survey->damages);
        if (survey->damages == NULL) {
                survey->is_out_of_memory = true;
                return;
        }
        survey->damages[survey->damage_count++] = (struct journal_damage){
            part->slot, found->offset, found->length, part->segment.generation, first, last};
}

static bool is_void(const struct journal_part *part, uint64_t sequence)
{
        return part->end_sequence != 0 && sequence >= part->end_sequence;
}

/* What has been up to here is not to be written to. */
static void note_end(struct journal_survey *survey, uint64_t sequence, uint32_t end)
{
        survey->sequence = sequence;
        survey->end = end;
}

static void take_record(struct journal_survey *survey, const struct journal_part *part,
                        const struct journal_found *found, journal_visit *visit, void *context)
{
        if (found->head.settled > survey->settled)
                survey->settled = found->head.settled;
        /* A mark that begins a block gives way to the next batch. Another one stands where a torn write was. */
        if (found->head.kind == JOURNAL_MARK && found->offset % JOURNAL_BLOCK == 0) {
                note_end(survey, found->head.sequence - 1, found->offset);
                return;
        }
        note_end(survey, found->head.sequence, found->offset + found->length);
        if (found->head.kind == JOURNAL_MARK)
                return;
        survey->records++;
        visit(context, part, found);
}

static void read_part(struct journal_survey *survey, const struct journal_part *part, struct span octets,
                      journal_visit *visit, void *context)
{
        struct journal_found found, gap = {0};
        struct journal_scan scan;
        uint64_t before;

        journal_scan_begin(&scan, octets, &part->segment);
        note_end(survey, scan.sequence, JOURNAL_BLOCK);
        for (;;) {
                uint32_t at = scan.at;
                before = scan.sequence;
                enum journal_scan_result result = journal_scan_next(&scan, &found);
                if (result == JOURNAL_SCAN_END ||
                    (found.head.span > 0 && is_void(part, found.head.sequence))) {
                        found.offset = gap.length > 0 ? gap.offset : at;
                        break;
                }
                if (found.head.span == 0) {
                        gap = found;
                        continue;
                }
                if (gap.length > 0)
                        add_damage(survey, part, &gap, before + 1, found.head.sequence - 1);
                gap.length = 0;
                if (result == JOURNAL_SCAN_DAMAGE) {
                        add_damage(survey, part, &found, found.head.sequence, found.head.sequence);
                        note_end(survey, found.head.sequence, found.offset + found.length);
                } else {
                        take_record(survey, part, &found, visit, context);
                }
        }
        found.length = (uint32_t)octets.length - JOURNAL_BLOCK - found.offset;
        if (part->end_sequence != 0)
                add_damage(survey, part, &found, before + 1, part->end_sequence - 1);
}

bool journal_survey_run(struct journal_survey *survey, const struct journal_folder *folder,
                        journal_visit *visit, void *context)
{
        struct journal_segment now;
        uint64_t size = 0;
        bool is_empty;

        *survey = (struct journal_survey){0};
        survey->parts = calloc(folder->slot_count, sizeof *survey->parts);
        if (survey->parts == NULL)
                return false;
        read_headers(survey, folder);
        drop_free(survey);
        for (size_t i = 0; i < survey->part_count; i++)
                if (survey->parts[i].segment.size > size)
                        size = survey->parts[i].segment.size;
        char *octets = size == 0 ? NULL : malloc(size);
        if (octets == NULL && size > 0)
                return false;
        part_twins(survey, folder, octets);
        for (size_t i = 0; i < survey->part_count; i++) {
                const struct journal_part *part = &survey->parts[i];
                survey->cut_segments += journal_slot_is_cut(folder, part->slot, &part->segment);
                journal_slot_read(folder, part->slot, octets, part->segment.size);
                /* A server that runs has begun it anew meanwhile: nothing in it waited any more. */
                if (!journal_slot_header(folder, part->slot, &now, &is_empty) ||
                    now.generation != part->segment.generation)
                        continue;
                read_part(survey, part, span_of(octets, part->segment.size), visit, context);
        }
        free(octets);
        survey->end = (survey->end + JOURNAL_BLOCK - 1) / JOURNAL_BLOCK * JOURNAL_BLOCK;
        return !survey->is_out_of_memory;
}

bool journal_damage_is_loss(const struct journal_survey *survey, const struct journal_damage *damage)
{
        return damage->first <= survey->settled;
}

void journal_survey_end(struct journal_survey *survey)
{
        free(survey->parts);
        free(survey->damages);
        *survey = (struct journal_survey){0};
}
