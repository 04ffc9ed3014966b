/* Reading a journal. */
#include "workers/cli/journal/view.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* No message is looked for in them: they are not set aside here, only passed over. */
static void forget_twins(struct journal_view *view)
{
        const struct journal_part *twins = view->survey.parts + view->survey.part_count;

        for (size_t i = 0; i < view->survey.twin_count; i++)
                view->folder.slots[twins[i].slot].generation = 0;
}

bool journal_view_begin(struct journal_view *view, const struct options *options)
{
        struct journal_loading loading = {.index = &view->index};

        *view = (struct journal_view){.folder = {.fd = -1, .lock = -1}};
        content_pool_init(&view->pool, 100);
        view->index.keeps_order = true;
        bool is_read = journal_folder_open(&view->folder, options->journal, options->journal_segment_octets,
                                           options->journal_size_octets, true);
        if (is_read) {
                journal_folder_note_headers(&view->folder);
                is_read = journal_survey_run(&view->survey, &view->folder, journal_load_record, &loading) &&
                          !loading.is_out_of_memory;
                forget_twins(view);
        }
        view->senseless = loading.damaged;
        if (!is_read)
                fprintf(stderr, "gatepost: journal %s: %s\n", options->journal, strerror(errno));
        return is_read;
}

void journal_view_end(struct journal_view *view)
{
        journal_survey_end(&view->survey);
        journal_index_end(&view->index);
        journal_folder_close(&view->folder);
        content_pool_end(&view->pool);
}

enum journal_read journal_view_read(struct journal_view *view, uint32_t entry,
                                    struct journal_view_message *ret_message)
{
        const struct journal_entry *found = &view->index.entries[entry];
        struct journal_view_message read = {.states = NULL};
        enum journal_read result = journal_read_message(&view->folder, &found->message, &view->pool,
                                                        &read.copy, &read.message, &read.content);

        if (result == JOURNAL_READ_DONE) {
                read.states = malloc(read.message.recipient_count + 1);
                result = read.states == NULL ? JOURNAL_READ_NO_MEMORY
                                             : journal_read_states(&view->folder, &found->outcome,
                                                                   read.states, read.message.recipient_count);
        }
        if (result == JOURNAL_READ_DONE)
                *ret_message = read;
        else
                journal_view_message_end(view, &read);
        return result;
}

void journal_view_message_end(struct journal_view *view, struct journal_view_message *message)
{
        content_release(&message->content, &view->pool);
        free(message->copy.octets);
        free(message->states);
}
