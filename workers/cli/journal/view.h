/* A journal that is only looked at. */
#pragma once

#include "conf/snapshot.h"
#include "workers/journal/open.h"
#include "workers/journal/disk/read.h"

struct journal_view {
        struct journal_folder folder;
        struct journal_index index;
        struct journal_survey survey;
        struct content_pool pool;
        uint64_t senseless; /* records that are whole, and are none */
};

/* A message with all that belongs to it. */
struct journal_view_message {
        struct journal_copy copy;
        struct journal_message message;
        struct content content;
        uint8_t *states;
};

/* Reads it. False, with the reason told on standard error, when it cannot be. It is to be ended in any case. */
bool journal_view_begin(struct journal_view *view, const struct options *options);
void journal_view_end(struct journal_view *view);
/* To be ended where it is READ_DONE. */
enum journal_read journal_view_read(struct journal_view *view, uint32_t entry,
                                    struct journal_view_message *ret_message);
void journal_view_message_end(struct journal_view *view, struct journal_view_message *message);
