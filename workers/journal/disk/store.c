/* Batches and segments. */
#include "workers/journal/disk/store.h"

#include "dns/clock.h"
#include "workers/deliver/pieces.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>
#include <xxhash.h>

#define PIECES_MAX   4096
#define BATCH_OCTETS (2u << 20)
/* A head and the padding before it, the padding of the last record, and an envelope. */
#define BATCH_SPARE (JOURNAL_HEAD + JOURNAL_ALIGN + JOURNAL_BLOCK + JOURNAL_ENVELOPE_MAX)

static uint32_t round_up(uint32_t number, uint32_t unit)
{
        return (number + unit - 1) / unit * unit;
}

bool journal_store_init(struct journal_store *store)
{
        store->pieces = calloc(PIECES_MAX, sizeof *store->pieces);
        store->octets = malloc(BATCH_OCTETS);
        store->checksum = XXH3_createState();
        return store->pieces != NULL && store->octets != NULL && store->checksum != NULL;
}

void journal_store_end(struct journal_store *store)
{
        free(store->pieces);
        free(store->octets);
        store->pieces = NULL;
        store->octets = NULL;
        XXH3_freeState(store->checksum);
        store->checksum = NULL;
        journal_folder_close(&store->folder);
}

void journal_store_resume(struct journal_store *store, uint32_t slot, const struct journal_segment *segment,
                          uint32_t position)
{
        store->is_open = true;
        store->slot = slot;
        store->segment = *segment;
        store->position = position;
}

/* ---- batch --------------------------------------------------------------------------------------------- */

static void batch_clear(struct journal_store *store)
{
        store->piece_count = 0;
        store->used = 0;
        store->length = 0;
        store->last_at = NULL;
}

/* Octets that follow the last ones in memory become part of their piece. */
static void batch_add(struct journal_store *store, const void *at, size_t length)
{
        struct iovec *next = store->pieces + store->piece_count;

        store->length += (uint32_t)length;
        if (length == 0)
                return;
        if (store->piece_count > 0 && (const char *)next[-1].iov_base + next[-1].iov_len == at) {
                next[-1].iov_len += length;
                return;
        }
        *next = (struct iovec){.iov_base = (void *)(uintptr_t)at, .iov_len = length};
        store->piece_count++;
}

/* Of memory of the batch's own. */
static uint8_t *batch_take(struct journal_store *store, uint32_t length)
{
        uint8_t *at = store->octets + store->used;
        store->used += length;
        return at;
}

static void batch_pad(struct journal_store *store, uint32_t unit)
{
        uint32_t padding = round_up(store->length, unit) - store->length;
        uint8_t *at = batch_take(store, padding);

        memset(at, 0, padding);
        batch_add(store, at, padding);
}

struct text *journal_store_body(struct journal_store *store, struct text *text)
{
        if (store->used + BATCH_SPARE > BATCH_OCTETS)
                return NULL;
        text_over(text, (char *)store->octets + store->used + JOURNAL_HEAD, JOURNAL_ENVELOPE_MAX);
        return text;
}

static size_t count_blocks(const struct journal_cursor *cursor, size_t length)
{
        size_t count = 0, offset = cursor->offset;

        for (const struct content_block *block = cursor->block; length > 0; block = block->next, offset = 0) {
                size_t there = block->length - offset;
                length -= there < length ? there : length;
                count++;
        }
        return count;
}

/* The text's part of the body, and of its checksum. */
static void batch_add_text(struct journal_store *store, struct journal_cursor *cursor, size_t length)
{
        cursor->left -= length;
        while (length > 0) {
                size_t there = cursor->block->length - cursor->offset, part = there < length ? there : length;
                const char *at = cursor->block->octets + cursor->offset;
                XXH3_64bits_update(store->checksum, at, part);
                batch_add(store, at, part);
                length -= part;
                cursor->offset += part;
                if (part == there) {
                        cursor->block = cursor->block->next;
                        cursor->offset = 0;
                }
        }
}

static bool fits_segment(const struct journal_store *store, uint32_t span)
{
        return store->is_open && store->position + (uint64_t)round_up(store->length + span, JOURNAL_BLOCK) <=
                                     store->segment.size - JOURNAL_BLOCK;
}

enum journal_put journal_store_put(struct journal_store *store, enum journal_kind kind,
                                   const struct text *body, struct journal_cursor *cursor, size_t length,
                                   struct journal_place *ret_place, uint64_t *ret_sequence)
{
        struct journal_head head = {
            .kind = kind,
            .generation = store->segment.generation,
            .sequence = store->sequence + 1,
            .settled = store->settled,
            .body_length = (uint32_t)(body->length + length),
            .span = round_up((uint32_t)(JOURNAL_HEAD + body->length + length), JOURNAL_ALIGN),
            .offset = store->position + store->length,
        };

        if (!fits_segment(store, head.span))
                return JOURNAL_PUT_FULL_SEGMENT;
        if ((size_t)store->piece_count + count_blocks(cursor, length) + 3 > PIECES_MAX)
                return JOURNAL_PUT_FULL_BATCH;
        uint8_t *at = batch_take(store, (uint32_t)(JOURNAL_HEAD + body->length));
        batch_add(store, at, JOURNAL_HEAD + body->length);
        XXH3_64bits_reset_withSeed(store->checksum, store->segment.key);
        XXH3_64bits_update(store->checksum, at + JOURNAL_HEAD, body->length);
        batch_add_text(store, cursor, length);
        head.body_checksum = XXH3_64bits_digest(store->checksum);
        batch_pad(store, JOURNAL_ALIGN);
        journal_head_write(at, store->segment.key, &head);
        store->last = head;
        store->last_at = at;
        store->sequence++;
        *ret_place = (struct journal_place){head.generation, head.offset, head.span};
        *ret_sequence = head.sequence;
        return JOURNAL_PUT_DONE;
}

/* ---- commit -------------------------------------------------------------------------------------------- */

static bool write_pieces(int fd, struct iovec *piece, int count, uint64_t offset)
{
        while (count > 0) {
                ssize_t written = pwritev(fd, piece, count < IOV_MAX ? count : IOV_MAX, (off_t)offset);
                if (written < 0 && errno == EINTR)
                        continue;
                if (written <= 0) {
                        errno = written < 0 ? errno : EIO;
                        return false;
                }
                offset += (uint64_t)written;
                pieces_skip(&piece, &count, (size_t)written);
        }
        return true;
}

/* The last record takes what is left of its block. */
static void batch_close(struct journal_store *store)
{
        uint32_t before = store->length;

        batch_pad(store, JOURNAL_BLOCK);
        store->last.span += store->length - before;
        journal_head_write(store->last_at, store->segment.key, &store->last);
}

bool journal_store_commit(struct journal_store *store)
{
        int fd = store->folder.slots[store->slot].fd;

        if (store->length == 0)
                return true;
        batch_close(store);
        bool is_durable =
            write_pieces(fd, store->pieces, store->piece_count, store->position) && fdatasync(fd) == 0;
        int error = errno;
        if (is_durable) {
                store->position += store->length;
                store->settled = store->sequence;
                store->is_marked = false;
        } else {
                store->is_open = false;
                store->folder.slots[store->slot].is_unfit = true;
                store->sequence = store->settled;
        }
        batch_clear(store);
        errno = error;
        return is_durable;
}

void journal_store_mark(struct journal_store *store, bool is_durable)
{
        struct text text, *body = journal_store_body(store, &text);
        struct journal_cursor nothing = {0};
        struct journal_place place;
        uint64_t sequence;

        if (!store->is_open || store->is_marked || body == NULL || store->length > 0 ||
            journal_store_put(store, JOURNAL_MARK, body, &nothing, 0, &place, &sequence) != JOURNAL_PUT_DONE)
                return;
        batch_close(store);
        int fd = store->folder.slots[store->slot].fd;
        /* The next batch overwrites it, with the same number. Nothing rests on it. */
        store->is_marked = write_pieces(fd, store->pieces, store->piece_count, store->position) &&
                           (!is_durable || fdatasync(fd) == 0);
        store->sequence = store->settled;
        batch_clear(store);
}

/* ---- segments ------------------------------------------------------------------------------------------ */

static bool slot_is_free(const struct journal_store *store, const struct journal_slot *slot)
{
        return slot->fd >= 0 && slot->generation < atomic_load(&store->first_live);
}

uint32_t journal_store_free_segments(const struct journal_store *store)
{
        uint32_t used = 0;
        for (uint32_t i = 0; i < store->folder.slot_count; i++)
                used += store->folder.slots[i].fd >= 0 && !slot_is_free(store, &store->folder.slots[i]);
        return used < store->folder.slots_max ? store->folder.slots_max - used : 0;
}

uint64_t journal_store_spools_first(const struct journal_store *store)
{
        uint64_t first = store->newest;

        for (uint32_t i = 0; store->spools > 0 && i < store->folder.slot_count; i++)
                if (store->folder.slots[i].spools > 0 && store->folder.slots[i].generation < first)
                        first = store->folder.slots[i].generation;
        return first;
}

/* The free file that was begun longest ago, or UINT32_MAX. */
static uint32_t find_free(const struct journal_store *store)
{
        const struct journal_slot *slots = store->folder.slots;
        uint32_t found = UINT32_MAX;

        for (uint32_t i = 0; i < store->folder.slot_count; i++)
                if (slot_is_free(store, &slots[i]) &&
                    (found == UINT32_MAX || slots[i].generation < slots[found].generation))
                        found = i;
        return found;
}

/* Of `max` files there may be; UINT32_MAX: there are so many. */
static uint32_t find_without_file(const struct journal_store *store, uint32_t max)
{
        uint32_t found = UINT32_MAX, files = 0;

        for (uint32_t i = store->folder.slot_count; i > 0; i--)
                if (store->folder.slots[i - 1].fd < 0)
                        found = i - 1;
                else
                        files++;
        return files < max ? found : UINT32_MAX;
}

/* A slot with a file that may be overwritten; UINT32_MAX with errno. */
static uint32_t find_slot(struct journal_store *store, bool is_order, bool *ret_is_bound)
{
        uint32_t slot = find_free(store);

        *ret_is_bound = false;
        if (slot != UINT32_MAX && store->folder.slots[slot].is_unfit) {
                journal_slot_remove(&store->folder, slot);
                slot = UINT32_MAX;
        }
        if (slot != UINT32_MAX)
                return slot;
        slot = find_without_file(store, is_order ? store->folder.slots_hard : store->folder.slots_max);
        *ret_is_bound = slot == UINT32_MAX;
        errno = ENOSPC;
        return slot != UINT32_MAX && journal_slot_make(&store->folder, slot) ? slot : UINT32_MAX;
}

bool journal_store_advance(struct journal_store *store, bool is_order, bool *ret_is_bound)
{
        uint32_t slot = find_slot(store, is_order, ret_is_bound);
        uint64_t first_live = atomic_load(&store->first_live);
        struct journal_segment segment = {
            .size = store->folder.segment_size,
            .generation = store->newest + 1,
            .first_sequence = store->settled + 1,
            .begun_ms = (uint64_t)clock_wall_ms(),
        };

        if (slot == UINT32_MAX)
                return false;
        segment.first_live = first_live < segment.generation ? first_live : segment.generation;
        if (getrandom(&segment.key, sizeof segment.key, 0) != (ssize_t)sizeof segment.key)
                return false;
        store->newest = segment.generation;
        /* A header that may be on the disk makes void what would still come into the segment before. */
        store->is_open = false;
        if (!journal_slot_begin(&store->folder, slot, &segment)) {
                store->folder.slots[slot].is_unfit = true;
                return false;
        }
        store->is_marked = false;
        journal_store_resume(store, slot, &segment, JOURNAL_BLOCK);
        return true;
}

bool journal_store_has_spare(struct journal_store *store)
{
        if (find_free(store) != UINT32_MAX)
                return true;
        uint32_t slot = find_without_file(store, store->folder.slots_hard);
        errno = ENOSPC;
        return slot != UINT32_MAX && journal_slot_make(&store->folder, slot);
}

void journal_store_prepare(struct journal_store *store)
{
        uint32_t free = find_free(store);
        uint32_t slot = find_without_file(store, store->folder.slots_max);

        if (free == UINT32_MAX && slot != UINT32_MAX)
                journal_slot_make(&store->folder, slot);
        else if (free != UINT32_MAX && find_without_file(store, store->folder.slots_max + 1) == UINT32_MAX)
                journal_slot_remove(&store->folder, free);
}
