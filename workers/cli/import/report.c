/* The report of an import, for a terminal of 100 columns. */
#include "workers/cli/import/report.h"

#define COLUMNS      100
#define THEIRS_WIDTH 50
#define WHY_INDENT   8

static const char *const judgements[JUDGEMENTS] = {
    [JUDGED_SAME] = "same",
    [JUDGED_STRICTER] = "stricter",
    [JUDGED_LAXER] = "laxer",
    [JUDGED_NOT_NEEDED] = "not needed",
    [JUDGED_NOT_TRANSLATED] = "not translated",
};

void report_init(struct report *report, struct keep *keep)
{
        *report = (struct report){.keep = keep};
        report->end = &report->first;
        report->todo.end = &report->todo.first;
        report->known.end = &report->known.first;
}

struct report_list *report_begin_list(struct report *report, struct span title)
{
        struct report_list *list = keep_take(report->keep, sizeof *list);

        list->title = keep_span(report->keep, title);
        list->end = &list->first;
        *report->end = list;
        report->end = &list->next;
        return list;
}

struct report_row *report_add(struct report *report, struct report_list *list, const struct report_row *row)
{
        struct report_row *kept = keep_take(report->keep, sizeof *kept);

        *kept = *row;
        kept->next = NULL;
        kept->place = keep_span(report->keep, row->place);
        kept->theirs = keep_span(report->keep, row->theirs);
        *list->end = kept;
        list->end = &kept->next;
        return kept;
}

void report_note(struct report *report, struct report_notes *notes, struct span text)
{
        for (const struct report_note *note = notes->first; note != NULL; note = note->next)
                if (span_equals(note->text, text))
                        return;
        struct report_note *note = keep_take(report->keep, sizeof *note);
        note->text = keep_span(report->keep, text);
        *notes->end = note;
        notes->end = &note->next;
}

/* ---- printing ------------------------------------------------------------------------------------------ */

/* One line, whatever stands in it; what is longer than `width` ends in "...". 0: however long it is. */
static void print_cut(FILE *file, struct span text, size_t width)
{
        char octets[4096];
        struct text shown;
        bool was_blank = false;

        text_over(&shown, octets, sizeof octets);
        for (size_t i = 0; i < text.length && text_room(&shown) > 4; i++) {
                bool is_blank = text.at[i] == '\n' || text.at[i] == '\t' || text.at[i] == ' ';
                if (!is_blank || !was_blank)
                        text_put_printable(&shown, is_blank ? SPAN(" ") : span_of(text.at + i, 1), false);
                was_blank = is_blank;
        }
        if (width > 0 && shown.length > width) {
                shown.length = width - 3;
                text_put_string(&shown, "...");
        }
        fprintf(file, "%.*s", (int)shown.length, shown.at);
        for (size_t column = shown.length; column < width; column++)
                putc(' ', file);
}

/* Wrapped at blanks; behind the first line, which begins at `indent` already. */
static void print_wrapped(FILE *file, struct span text, size_t indent)
{
        size_t column = indent;

        while (text.length > 0) {
                struct span word = span_take_word(&text);
                if (word.length == 0)
                        continue;
                if (column > indent && column + 1 + word.length > COLUMNS) {
                        fprintf(file, "\n%*s", (int)indent, "");
                        column = indent;
                }
                if (column > indent)
                        putc(' ', file);
                column += word.length + (column > indent);
                print_cut(file, word, 0);
        }
        putc('\n', file);
}

static void print_sum(FILE *file, const struct report *report, bool of_restrictions)
{
        unsigned counts[JUDGEMENTS] = {0}, sum = 0;

        for (const struct report_list *list = report->first; list != NULL; list = list->next)
                for (const struct report_row *row = list->first; row != NULL; row = row->next)
                        if (row->is_restriction == of_restrictions)
                                counts[row->judgement]++, sum++;
        fprintf(file, "%u %s%s", sum, of_restrictions ? "restriction" : "setting", sum == 1 ? "" : "s");
        const char *between = ": ";
        for (int i = 0; i < JUDGEMENTS; i++)
                if (counts[i] > 0) {
                        fprintf(file, "%s%u %s%s", between, counts[i], i == JUDGED_SAME ? "the " : "",
                                judgements[i]);
                        between = ", ";
                }
        fputs("\n", file);
}

static void print_aside(FILE *file, unsigned count, const char *what)
{
        if (count > 0)
                fprintf(file, "%u setting%s %s\n", count, count == 1 ? "" : "s", what);
}

static void print_list(FILE *file, const struct report_list *list)
{
        if (list->first == NULL)
                return;
        fprintf(file, "\n%.*s\n\n", SPAN_ARG(list->title));
        for (const struct report_row *row = list->first; row != NULL; row = row->next) {
                print_cut(file, row->place, 16);
                putc(' ', file);
                print_cut(file, row->theirs, THEIRS_WIDTH);
                fprintf(file, " %-14s", judgements[row->judgement]);
                if (row->ours[0] != '\0')
                        fprintf(file, " -> %s", row->ours);
                fprintf(file, "\n%*s", WHY_INDENT, "");
                print_wrapped(file, span_from(row->why), WHY_INDENT);
        }
}

static void print_notes(FILE *file, const char *title, const struct report_notes *notes)
{
        unsigned number = 0;

        if (notes->first == NULL)
                return;
        fprintf(file, "\n%s\n\n", title);
        for (const struct report_note *note = notes->first; note != NULL; note = note->next) {
                fprintf(file, "%3u. ", ++number);
                print_wrapped(file, note->text, 5);
        }
}

void report_print(const struct report *report, const char *from, FILE *file)
{
        fprintf(file, "From Postfix: %s\n\n", from);
        print_sum(file, report, true);
        print_sum(file, report, false);
        print_aside(file, report->sending, "concern sending and the queue, not reception");
        print_aside(file, report->submission, "concern submission by users, which stays with another server");
        print_aside(file, report->household, "concern Postfix's own household: its files, programs and log");
        print_notes(file, "To be done before this serves", &report->todo);
        for (const struct report_list *list = report->first; list != NULL; list = list->next)
                print_list(file, list);
        print_notes(file, "What differs whatever the configuration says", &report->known);
}
