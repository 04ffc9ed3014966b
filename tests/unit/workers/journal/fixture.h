/* A journal in a fresh folder, used without threads. */
#pragma once

#include "workers/journal/open.h"
#include "workers/journal/disk/read.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define SEGMENT JOURNAL_SEGMENT_MIN

static char base[200];
static struct journal_store store;
static struct journal_index journal_index;
static struct journal_opening_report opened;
static struct content_pool pool;

static inline enum journal_opening open_again(uint64_t size)
{
        store = (struct journal_store){.folder = {.fd = -1, .lock = -1}};
        cr_assert(journal_store_init(&store));
        return journal_open(&store, base, SEGMENT, size, &journal_index, &opened);
}

/* As after kill -9. */
static inline void close_it(void)
{
        journal_store_end(&store);
}

static inline void begin(void)
{
        const char *tmp = getenv("TMPDIR");

        snprintf(base, sizeof base, "%s/gatepost-journal-XXXXXX", tmp != NULL ? tmp : "/tmp");
        cr_assert(mkdtemp(base) != NULL);
        content_pool_init(&pool, 100);
        cr_assert_eq(open_again(UINT64_C(4) * SEGMENT), JOURNAL_OPENED);
}

static inline int remove_one(const char *path, const struct stat *status, int kind, struct FTW *place)
{
        (void)status, (void)kind, (void)place;
        return remove(path);
}

static inline void end(void)
{
        close_it();
        journal_index_end(&journal_index);
        content_pool_end(&pool);
        cr_assert_eq(nftw(base, remove_one, 10, FTW_DEPTH | FTW_PHYS), 0);
}

/* Puts a record; a full batch or segment is seen to. */
static inline uint64_t put(enum journal_kind kind, const void *what, struct span text,
                           struct journal_place *ret_place)
{
        struct content content = {0};
        enum journal_put result;
        uint64_t sequence;
        bool is_bound;

        cr_assert(content_append(&content, &pool, text));
        do {
                struct text room, *body = journal_store_body(&store, &room);
                struct journal_cursor cursor = {content.first, 0, content.length};
                result = JOURNAL_PUT_FULL_BATCH;
                if (body != NULL && kind == JOURNAL_MESSAGE) {
                        cr_assert(journal_message_write(body, what));
                        journal_message_close(body);
                } else if (body != NULL && kind == JOURNAL_OUTCOME) {
                        cr_assert(journal_outcome_write(body, what));
                } else if (body != NULL) {
                        journal_text_write(body, what);
                }
                if (body != NULL)
                        result = journal_store_put(&store, kind, body, &cursor, content.length, ret_place,
                                                   &sequence);
                if (result != JOURNAL_PUT_DONE)
                        cr_assert(journal_store_commit(&store));
                if (result == JOURNAL_PUT_FULL_SEGMENT)
                        cr_assert(journal_store_advance(&store, false, &is_bound), "%s", strerror(errno));
        } while (result != JOURNAL_PUT_DONE);
        /* Only a commit reads the blocks, and it is the test that lends them. */
        cr_assert(journal_store_commit(&store));
        content_release(&content, &pool);
        return sequence;
}

/* A message with two recipients. */
static inline struct journal_message envelope(void)
{
        return (struct journal_message){
            .time_ms = 1700000000000,
            .id = SPAN("ID"),
            .client = SPAN("192.0.2.1"),
            .helo = SPAN("client.example"),
            .sender = SPAN("me@example.com"),
            .destination = SPAN("lmtp://[::1]:24"),
            .recipient_count = 2,
            .recipients = SPAN("\x01\0a\x02\0bb"),
        };
}

static inline uint64_t put_message(struct span text)
{
        struct journal_message message = envelope();
        struct journal_place place;
        return put(JOURNAL_MESSAGE, &message, text, &place);
}

static inline void put_outcome(uint64_t sequence, struct span states)
{
        struct journal_outcome outcome = {.message = sequence, .due_ms = 5, .attempts = 1, .states = states};
        struct journal_place place;
        put(JOURNAL_OUTCOME, &outcome, SPAN(""), &place);
}

/* Writes into the file of slot 0. */
static inline void spoil(uint64_t offset, struct span octets)
{
        char path[300];

        snprintf(path, sizeof path, "%s/00000.segment", base);
        int fd = open(path, O_WRONLY | O_CLOEXEC);
        cr_assert(fd >= 0 && pwrite(fd, octets.at, octets.length, (off_t)offset) == (ssize_t)octets.length);
        close(fd);
}

static inline bool is_saved(const char *name)
{
        char path[300];
        snprintf(path, sizeof path, "%s/damaged/%s", base, name);
        return access(path, F_OK) == 0;
}

/* The whole text of a message in the index. */
static inline struct content text_of(uint32_t entry, enum journal_read *ret_result)
{
        struct journal_message message;
        struct journal_copy copy = {0};
        struct content content = {0};

        *ret_result = journal_read_message(&store.folder, &journal_index.entries[entry].message, &pool, &copy,
                                           &message, &content);
        free(copy.octets);
        return content;
}
