/* The walk, and how it finds the next record behind a damage. */
#include "workers/journal/disk/scan.h"

void journal_scan_begin(struct journal_scan *scan, struct span octets, const struct journal_segment *segment)
{
        *scan = (struct journal_scan){.octets = octets,
                                      .segment = segment,
                                      .at = JOURNAL_BLOCK,
                                      .sequence = segment->first_sequence - 1};
}

/* Sequences ascend within a generation: a head with another one was left by a write that failed. */
static bool find_head(const struct journal_scan *scan, uint32_t at, struct journal_head *ret_head)
{
        return journal_head_read((const uint8_t *)scan->octets.at + at, scan->segment, at, ret_head) &&
               ret_head->sequence > scan->sequence;
}

static enum journal_scan_result scan_record(struct journal_scan *scan, struct journal_found *found)
{
        struct span body = span_of(scan->octets.at + scan->at + JOURNAL_HEAD, found->head.body_length);

        found->offset = scan->at;
        found->length = found->head.span;
        scan->at += found->head.span;
        scan->sequence = found->head.sequence;
        if (!journal_body_is_whole(body, scan->segment, &found->head))
                return JOURNAL_SCAN_DAMAGE;
        found->body = body;
        return JOURNAL_SCAN_RECORD;
}

enum journal_scan_result journal_scan_next(struct journal_scan *scan, struct journal_found *ret_found)
{
        struct journal_found found = {0};
        uint32_t end = (uint32_t)scan->octets.length - JOURNAL_BLOCK, at = scan->at;
        enum journal_scan_result result;

        while (at < end && !find_head(scan, at, &found.head))
                at += JOURNAL_ALIGN;
        if (at == scan->at && at < end) {
                result = scan_record(scan, &found);
        } else {
                found = (struct journal_found){.offset = scan->at, .length = at - scan->at};
                result = at < end ? JOURNAL_SCAN_DAMAGE : JOURNAL_SCAN_END;
                if (at < end)
                        scan->at = at;
        }
        *ret_found = found;
        return result;
}
