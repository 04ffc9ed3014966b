/* drop. */
#include "workers/cli/journal/drop.h"

#include "workers/cli/control/ask.h"
#include "workers/cli/journal/journal.h"
#include "workers/journal/open.h"
#include "workers/journal/disk/read.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* None of its recipients waits any more. A message that cannot be read has no recipients, and one state says so. */
static bool drop(struct journal_store *store, struct journal_index *index, uint32_t entry)
{
        struct journal_cursor nothing = {0};
        struct journal_place place;
        struct text text;
        uint64_t sequence;
        char dropped = RECIPIENT_DROPPED;
        struct journal_outcome outcome = {.message = index->entries[entry].sequence,
                                          .states = span_of(&dropped, 1)};
        enum journal_put result = JOURNAL_PUT_FULL_BATCH;
        bool is_bound;

        for (int i = 0; i < 3 && result != JOURNAL_PUT_DONE; i++) {
                struct text *body = journal_store_body(store, &text);
                if (body != NULL && journal_outcome_write(body, &outcome))
                        result =
                            journal_store_put(store, JOURNAL_OUTCOME, body, &nothing, 0, &place, &sequence);
                if (result != JOURNAL_PUT_DONE && !journal_store_commit(store))
                        return false;
                if (result == JOURNAL_PUT_FULL_SEGMENT && !journal_store_advance(store, true, &is_bound))
                        return false;
        }
        journal_index_remove(index, entry);
        return result == JOURNAL_PUT_DONE;
}

static bool drop_all(struct journal_store *store, struct journal_index *index,
                     const struct journal_numbers *numbers)
{
        bool is_good = true;

        for (size_t i = 0; i < numbers->count; i++) {
                uint32_t entry = journal_index_find(index, numbers->at[i]);
                if (entry == JOURNAL_NONE)
                        fprintf(stderr, "gatepost: message %llu does not wait\n",
                                (unsigned long long)numbers->at[i]);
                else if (!drop(store, index, entry))
                        fprintf(stderr, "gatepost: journal: %s\n", strerror(errno));
                else
                        continue;
                is_good = false;
        }
        if (!journal_store_commit(store)) {
                fprintf(stderr, "gatepost: journal: %s\n", strerror(errno));
                return false;
        }
        journal_store_mark(store, true);
        return is_good;
}

/* The server that has the journal drops them. */
static int let_server_drop(const struct journal_numbers *numbers)
{
        int status = 0;

        for (size_t i = 0; i < numbers->count; i++) {
                char order[64];
                snprintf(order, sizeof order, "journal_drop %llu", (unsigned long long)numbers->at[i]);
                const struct ask ask = {.configuration = numbers->configuration, .order = order};
                status |= ask_server(&ask, journal_help);
        }
        return status;
}

int journal_drop(const struct options *options, const struct journal_numbers *numbers)
{
        struct journal_store store = {.folder = {.fd = -1, .lock = -1}};
        struct journal_index index = {0};
        struct journal_opening_report report;
        int status = 1;

        if (access(options->journal, F_OK) != 0 || !journal_store_init(&store)) {
                fprintf(stderr, "gatepost: journal %s: %s\n", options->journal, strerror(errno));
                journal_store_end(&store);
                return 1;
        }
        switch (journal_open(&store, options->journal, options->journal_segment_octets,
                             options->journal_size_octets, &index, &report)) {
        case JOURNAL_OPENED:
                status = drop_all(&store, &index, numbers) ? 0 : 1;
                break;
        case JOURNAL_IS_TAKEN:
                status = let_server_drop(numbers);
                break;
        case JOURNAL_IS_BROKEN:
                fprintf(stderr, "gatepost: journal %s: %s\n", options->journal, strerror(errno));
                break;
        }
        journal_index_end(&index);
        journal_store_end(&store);
        return status;
}
