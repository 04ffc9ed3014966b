/* list, show and verify. */
#include "workers/cli/journal/look.h"

#include "core/base/date.h"
#include "workers/cli/journal/view.h"

#include <stdio.h>

#define PRINTABLE_MAX 1024

/* Strangers wrote it. */
static void print_printable(struct span span)
{
        char octets[PRINTABLE_MAX];
        struct text printable;

        if (span.length > PRINTABLE_MAX / 4)
                span.length = PRINTABLE_MAX / 4;
        text_over(&printable, octets, sizeof octets);
        text_put_printable(&printable, span, true);
        printf("%.*s", (int)printable.length, printable.at);
}

static void print_word(const char *name, struct span span)
{
        printf(" %s ", name);
        print_printable(span);
}

static void print_time(const char *name, uint64_t time_ms)
{
        char octets[DATE_TEXT_LENGTH];
        struct text date;

        text_over(&date, octets, sizeof octets);
        date_write(&date, (int64_t)(time_ms / 1000));
        printf(" %s %.*sZ", name, (int)date.length, date.at);
}

static uint32_t count_waiting(const struct journal_view_message *read)
{
        uint32_t count = 0;
        for (uint32_t i = 0; i < read->message.recipient_count; i++)
                count += read->states[i] == RECIPIENT_WAITS;
        return count;
}

static void print_row(const struct journal_entry *entry, const struct journal_view_message *read)
{
        printf("%llu", (unsigned long long)entry->sequence);
        print_word("id", read->message.id);
        print_word("to", read->message.destination);
        printf(" from <");
        print_printable(read->message.sender);
        printf("> recipients %u of %u octets %zu attempts %u", count_waiting(read),
               read->message.recipient_count, read->content.length, entry->attempts);
        print_time("taken", entry->time_ms);
        if (entry->due_ms > 0)
                print_time("due", entry->due_ms);
        printf("\n");
}

int journal_list(const struct options *options, const struct journal_numbers *numbers)
{
        struct journal_view view;
        bool is_good = journal_view_begin(&view, options);

        (void)numbers;
        for (uint32_t i = 0; is_good && i < view.index.used; i++) {
                const struct journal_entry *entry = &view.index.entries[i];
                struct journal_view_message read;
                if (entry->state == JOURNAL_ENTRY_FREE)
                        continue;
                if (journal_view_read(&view, i, &read) != JOURNAL_READ_DONE) {
                        printf("%llu is damaged\n", (unsigned long long)entry->sequence);
                        continue;
                }
                print_row(entry, &read);
                journal_view_message_end(&view, &read);
        }
        journal_view_end(&view);
        return is_good ? 0 : 1;
}

/* ---- show ---------------------------------------------------------------------------------------------- */

static void print_message(const struct journal_entry *entry, const struct journal_view_message *read)
{
        static const char *const states[] = {[RECIPIENT_WAITS] = "waits",
                                             [RECIPIENT_DONE] = "delivered",
                                             [RECIPIENT_DEAD] = "dead",
                                             [RECIPIENT_DROPPED] = "dropped"};
        struct span recipients = read->message.recipients, recipient;

        print_row(entry, read);
        printf("client [");
        print_printable(read->message.client);
        printf("]");
        print_word("helo", read->message.helo);
        printf("\n");
        for (uint32_t i = 0; journal_string_take(&recipients, &recipient); i++) {
                printf("%s <", read->states[i] <= RECIPIENT_DROPPED ? states[read->states[i]] : "?");
                print_printable(recipient);
                printf(">\n");
        }
        printf("\n");
        for (const struct content_block *block = read->content.first; block != NULL; block = block->next)
                fwrite(block->octets, 1, block->length, stdout);
}

int journal_show(const struct options *options, const struct journal_numbers *numbers)
{
        struct journal_view view;
        bool is_good = journal_view_begin(&view, options);

        for (size_t i = 0; is_good && i < numbers->count; i++) {
                uint32_t entry = journal_index_find(&view.index, numbers->at[i]);
                struct journal_view_message read;
                is_good =
                    entry != JOURNAL_NONE && journal_view_read(&view, entry, &read) == JOURNAL_READ_DONE;
                if (is_good) {
                        print_message(&view.index.entries[entry], &read);
                        journal_view_message_end(&view, &read);
                } else {
                        fprintf(stderr, "gatepost: message %llu %s\n", (unsigned long long)numbers->at[i],
                                entry == JOURNAL_NONE ? "does not wait" : "is damaged");
                }
        }
        journal_view_end(&view);
        return is_good ? 0 : 1;
}

/* ---- verify -------------------------------------------------------------------------------------------- */

static uint64_t count_unreadable(struct journal_view *view)
{
        uint64_t count = 0;

        for (uint32_t i = 0; i < view->index.used; i++) {
                struct journal_view_message read;
                if (view->index.entries[i].state == JOURNAL_ENTRY_FREE)
                        continue;
                if (journal_view_read(view, i, &read) == JOURNAL_READ_DONE) {
                        journal_view_message_end(view, &read);
                        continue;
                }
                printf("message %llu cannot be read\n", (unsigned long long)view->index.entries[i].sequence);
                count++;
        }
        return count;
}

static uint64_t print_damages(const struct journal_view *view)
{
        uint64_t count = view->senseless + view->survey.cut_segments;

        if (view->survey.cut_segments > 0)
                printf("%llu segments have been cut, and what stood there is gone\n",
                       (unsigned long long)view->survey.cut_segments);
        for (size_t i = 0; i < view->survey.damage_count; i++) {
                const struct journal_damage *damage = &view->survey.damages[i];
                bool is_loss = journal_damage_is_loss(&view->survey, damage);
                printf("%s: records %llu to %llu, segment %05u, offset %u, octets %u\n",
                       is_loss ? "damaged" : "torn", (unsigned long long)damage->first,
                       (unsigned long long)damage->last, damage->slot, damage->offset, damage->length);
                count += is_loss;
        }
        return count;
}

int journal_verify(const struct options *options, const struct journal_numbers *numbers)
{
        struct journal_view view;
        bool is_good = journal_view_begin(&view, options);

        (void)numbers;
        if (is_good) {
                uint64_t damages = print_damages(&view), unreadable = count_unreadable(&view);
                printf("%zu segments in use, %llu records, %u messages wait, %llu damages, %llu messages "
                       "cannot be read, "
                       "%llu files are no segments\n",
                       view.survey.part_count, (unsigned long long)view.survey.records, view.index.waiting,
                       (unsigned long long)damages, (unsigned long long)unreadable,
                       (unsigned long long)view.survey.lost_segments);
                is_good = damages + unreadable + view.survey.lost_segments == 0;
        }
        journal_view_end(&view);
        return is_good ? 0 : 1;
}
