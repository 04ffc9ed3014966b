/* One domain is held at a time, and of that one report. */
#include "workers/cli/dmarc_report/reports.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define COUNT_MAX 24 /* octets of a count and its tab, with a terminator */

/* ---- a report ------------------------------------------------------------------------------------------ */

static void send_to(struct reports *reports, const struct letter *letter)
{
        enum letter_result result = letter_write(letter, reports->folder);

        if (result == LETTER_FAILED)
                fprintf(stderr, "gatepost: cannot write a report into %s: %s\n", reports->folder,
                        strerror(errno));
        reports->written += result == LETTER_WRITTEN;
        reports->kept += result == LETTER_KEPT;
        reports->failed += result == LETTER_FAILED;
}

static void write_letters(struct reports *reports, const struct report *report)
{
        size_t length;
        char *packed = report_pack(report, &length);

        if (packed == NULL) {
                fprintf(stderr, "gatepost: memory is out\n");
                reports->failed++;
                return;
        }
        for (size_t i = 0; i < reports->destinations.count; i++)
                send_to(reports, &(struct letter){report, reports->destinations.list[i].address,
                                                  span_of(packed, length)});
        free(packed);
}

static void write_report(struct reports *reports, bool is_cut)
{
        struct report report = {
            .frame = reports->frame,
            .domain = reports->domain,
            .policy = span_from(reports->policy),
            .rows = span_of(reports->rows, reports->length),
            .part = reports->part,
            .is_cut = is_cut,
        };

        report_set_id(&report);
        reports->reports++;
        if (reports->folder != NULL)
                write_letters(reports, &report);
        reports->part++;
        reports->length = reports->count = 0;
}

/* ---- rows ---------------------------------------------------------------------------------------------- */

static void settle(struct reports *reports)
{
        struct span rest = span_from(reports->policy), uris = SPAN("");

        for (size_t i = 0; i <= ENTRY_RUA; i++)
                uris = entry_field_next(&rest);
        destinations_find(reports->look, reports->domain, uris, &reports->destinations);
        reports->is_settled = true;
        reports->domains++;
        reports->silent_domains += reports->destinations.count == 0;
}

static void append(struct reports *reports)
{
        int length = snprintf(reports->rows + reports->length, COUNT_MAX + ENTRY_MAX, "%" PRIu64 "\t%s\n",
                              reports->row_mails, reports->row);

        reports->length += (size_t)length;
        reports->count++;
        reports->mails += reports->row_mails;
}

/* The last row is whole: no other mail has the same. */
static void end_row(struct reports *reports)
{
        if (reports->row == NULL)
                return;
        if (!reports->is_settled)
                settle(reports);
        if (reports->count == REPORTS_ROWS_MAX || reports->length > REPORTS_OCTETS_MAX)
                write_report(reports, reports->part == REPORTS_PARTS_MAX);
        if (reports->destinations.count == 0)
                reports->silent_mails += reports->row_mails;
        else if (reports->part > REPORTS_PARTS_MAX)
                reports->cut_mails += reports->row_mails;
        else
                append(reports);
        free(reports->row);
        reports->row = NULL;
}

static bool take_row(struct reports *reports, const char *line)
{
        if (reports->row != NULL && strcmp(reports->row, line) == 0) {
                reports->row_mails++;
                return true;
        }
        end_row(reports);
        reports->row = strdup(line);
        reports->row_mails = 1;
        return reports->row != NULL;
}

/* ---- domains ------------------------------------------------------------------------------------------- */

static bool take_policy(struct reports *reports, const char *line, struct span domain)
{
        char *copy = strdup(line);

        if (copy == NULL)
                return false;
        free(reports->policy);
        reports->policy = copy;
        reports->domain = span_of(copy, domain.length);
        return true;
}

void reports_finish(struct reports *reports)
{
        if (reports->policy != NULL)
                end_row(reports);
        if (reports->policy != NULL && reports->count > 0)
                write_report(reports, false);
        free(reports->policy);
        reports->policy = NULL;
        reports->is_settled = false;
        reports->destinations.count = 0;
        reports->part = 1;
}

bool reports_take(struct reports *reports, const char *line)
{
        struct span rest = span_from(line);
        struct span domain = entry_field_next(&rest);
        bool is_policy = rest.length > 0 && rest.at[0] == '!';

        if (reports->rows == NULL)
                reports->rows = malloc(REPORTS_OCTETS_MAX + (size_t)2 * (COUNT_MAX + ENTRY_MAX));
        if (reports->rows == NULL)
                return false;
        if (reports->policy == NULL || !span_equals(domain, reports->domain))
                reports_finish(reports);
        if (is_policy)
                return take_policy(reports, line, domain);
        return reports->policy == NULL || take_row(reports, line);
}

void reports_end(struct reports *reports)
{
        free(reports->policy);
        free(reports->row);
        free(reports->rows);
}
