/* Entries, queues, and pins. */
#include "workers/journal/index.h"

#include <assert.h>
#include <stdlib.h>

#define ENTRIES_MIN 1024

static_assert(sizeof(struct journal_entry) == 80, "as the header says");

/* ---- pins ---------------------------------------------------------------------------------------------- */

/* Of this generation; made where there is none. NULL when memory is out. */
static struct journal_pin *pin_of(struct journal_index *index, uint64_t generation)
{
        size_t at = index->pin_count;

        while (at > 0 && index->pins[at - 1].generation > generation)
                at--;
        if (at > 0 && index->pins[at - 1].generation == generation)
                return &index->pins[at - 1];
        if (index->pin_count == index->pin_size) {
                size_t size = index->pin_size == 0 ? 16 : 2 * index->pin_size;
                struct journal_pin *grown = realloc(index->pins, size * sizeof *grown);
                if (grown == NULL)
                        return NULL;
                index->pins = grown;
                index->pin_size = size;
        }
        memmove(&index->pins[at + 1], &index->pins[at], (index->pin_count - at) * sizeof *index->pins);
        index->pins[at] = (struct journal_pin){.generation = generation};
        index->pin_count++;
        return &index->pins[at];
}

static void unpin(struct journal_index *index, const struct journal_entry *entry)
{
        struct journal_pin *pin = pin_of(index, entry->first_generation);

        expect(pin != NULL && pin->messages > 0);
        pin->octets -= entry->message.span;
        if (--pin->messages > 0)
                return;
        index->pin_count--;
        memmove(pin, pin + 1, (size_t)(index->pins + index->pin_count - pin) * sizeof *pin);
}

static bool pin_message(struct journal_index *index, uint64_t generation, uint32_t octets)
{
        struct journal_pin *pin = pin_of(index, generation);

        if (pin == NULL)
                return false;
        pin->messages++;
        pin->octets += octets;
        return true;
}

uint64_t journal_index_first_live(const struct journal_index *index, uint64_t newest)
{
        return index->pin_count > 0 && index->pins[0].generation < newest ? index->pins[0].generation
                                                                          : newest;
}

/* ---- queues -------------------------------------------------------------------------------------------- */

static void heap_set(struct journal_index *index, struct journal_queue *queue, uint32_t place, uint32_t entry)
{
        queue->entries[place] = entry;
        index->entries[entry].place = place;
}

static bool is_earlier(const struct journal_index *index, uint32_t left, uint32_t right)
{
        const struct journal_entry *a = &index->entries[left], *b = &index->entries[right];
        return a->due_ms < b->due_ms || (a->due_ms == b->due_ms && a->sequence < b->sequence);
}

/* Puts the entry where it belongs, from a free place on. */
static void heap_settle(struct journal_index *index, struct journal_queue *queue, uint32_t place,
                        uint32_t entry)
{
        while (place > 0 && is_earlier(index, entry, queue->entries[(place - 1) / 2])) {
                heap_set(index, queue, place, queue->entries[(place - 1) / 2]);
                place = (place - 1) / 2;
        }
        for (uint32_t child; (child = 2 * place + 1) < queue->count; place = child) {
                if (child + 1 < queue->count &&
                    is_earlier(index, queue->entries[child + 1], queue->entries[child]))
                        child++;
                if (!is_earlier(index, queue->entries[child], entry))
                        break;
                heap_set(index, queue, place, queue->entries[child]);
        }
        heap_set(index, queue, place, entry);
}

/* Room for all its messages, those that are away with them. */
static bool queue_make_room(struct journal_queue *queue)
{
        if (queue->count + queue->in_flight < queue->size)
                return true;
        uint32_t size = queue->size == 0 ? 64 : 2 * queue->size;
        uint32_t *grown = realloc(queue->entries, size * sizeof *grown);
        if (grown == NULL)
                return false;
        queue->entries = grown;
        queue->size = size;
        return true;
}

static uint32_t queue_of(struct journal_index *index, struct span destination)
{
        for (uint32_t i = 0; i < index->queue_count; i++)
                if (span_equals(span_from(index->queues[i].destination), destination))
                        return i;
        struct journal_queue *grown =
            realloc(index->queues, (index->queue_count + 1) * sizeof *index->queues);
        if (grown == NULL)
                return JOURNAL_NONE;
        index->queues = grown;
        grown[index->queue_count] = (struct journal_queue){.entries = NULL};
        span_copy_cut(destination, grown[index->queue_count].destination, JOURNAL_DESTINATION_MAX + 1);
        return index->queue_count++;
}

void journal_index_take(struct journal_index *index, uint32_t entry)
{
        struct journal_entry *taken = &index->entries[entry];
        struct journal_queue *queue = &index->queues[taken->destination];
        uint32_t last = queue->entries[--queue->count];

        expect(taken->state == JOURNAL_ENTRY_WAITS);
        if (last != entry)
                heap_settle(index, queue, taken->place, last);
        taken->state = JOURNAL_ENTRY_AWAY;
        queue->in_flight++;
}

void journal_index_put_back(struct journal_index *index, uint32_t entry, uint64_t due_ms)
{
        struct journal_entry *back = &index->entries[entry];
        struct journal_queue *queue = &index->queues[back->destination];

        expect(back->state == JOURNAL_ENTRY_AWAY);
        back->state = JOURNAL_ENTRY_WAITS;
        back->due_ms = due_ms;
        queue->in_flight--;
        heap_settle(index, queue, queue->count++, entry);
}

void journal_index_hasten(struct journal_index *index, uint32_t entry, uint64_t now_ms, uint64_t latest_ms)
{
        const struct journal_entry *late = &index->entries[entry];

        if (late->state != JOURNAL_ENTRY_WAITS || late->due_ms <= latest_ms)
                return;
        journal_index_take(index, entry);
        journal_index_put_back(index, entry, now_ms);
}

void journal_index_hasten_queues(struct journal_index *index, uint64_t now_ms, uint64_t latest_ms)
{
        for (uint32_t i = 0; i < index->queue_count; i++)
                if (index->queues[i].retry_at_ms > latest_ms)
                        index->queues[i].retry_at_ms = now_ms;
}

uint32_t journal_index_due(struct journal_index *index, uint64_t now_ms, uint32_t in_flight_max,
                           uint64_t *ret_next_ms)
{
        uint64_t next_ms = UINT64_MAX;

        for (uint32_t i = 0; i < index->queue_count; i++) {
                uint32_t turn = (index->queue_turn + i) % index->queue_count;
                const struct journal_queue *queue = &index->queues[turn];
                if (queue->count == 0 || queue->in_flight >= in_flight_max ||
                    queue->in_hand >= JOURNAL_QUEUE_IN_HAND_OCTETS)
                        continue;
                uint64_t due_ms = index->entries[queue->entries[0]].due_ms;
                if (due_ms < queue->retry_at_ms)
                        due_ms = queue->retry_at_ms;
                if (due_ms <= now_ms) {
                        index->queue_turn = turn + 1;
                        return queue->entries[0];
                }
                next_ms = due_ms < next_ms ? due_ms : next_ms;
        }
        *ret_next_ms = next_ms;
        return JOURNAL_NONE;
}

/* ---- entries ------------------------------------------------------------------------------------------- */

void journal_index_end(struct journal_index *index)
{
        for (uint32_t i = 0; i < index->queue_count; i++)
                free(index->queues[i].entries);
        free(index->queues);
        free(index->entries);
        free(index->pins);
        *index = (struct journal_index){0};
}

static bool entries_make_room(struct journal_index *index)
{
        if ((index->free != 0 && !index->keeps_order) || index->used < index->size)
                return true;
        uint32_t size = index->size == 0 ? ENTRIES_MIN : 2 * index->size;
        struct journal_entry *grown = realloc(index->entries, size * sizeof *grown);
        if (grown == NULL)
                return false;
        index->entries = grown;
        index->size = size;
        return true;
}

static uint32_t entry_take(struct journal_index *index)
{
        uint32_t entry = index->free;

        if (entry == 0 || index->keeps_order)
                return index->used++;
        index->free = index->entries[entry - 1].place;
        return entry - 1;
}

uint32_t journal_index_add(struct journal_index *index, const struct journal_entry *entry,
                           struct span destination)
{
        uint32_t queue_number = queue_of(index, destination);

        if (queue_number == JOURNAL_NONE || !queue_make_room(&index->queues[queue_number]) ||
            !entries_make_room(index) || !pin_message(index, entry->first_generation, entry->message.span))
                return JOURNAL_NONE;
        uint32_t number = entry_take(index);
        struct journal_entry *added = &index->entries[number];
        struct journal_queue *queue = &index->queues[queue_number];
        *added = *entry;
        added->destination = queue_number;
        added->state = JOURNAL_ENTRY_WAITS;
        heap_settle(index, queue, queue->count++, number);
        index->waiting++;
        return number;
}

void journal_index_remove(struct journal_index *index, uint32_t entry)
{
        struct journal_entry *removed = &index->entries[entry];

        if (removed->state == JOURNAL_ENTRY_WAITS)
                journal_index_take(index, entry);
        index->queues[removed->destination].in_flight--;
        unpin(index, removed);
        removed->state = JOURNAL_ENTRY_FREE;
        removed->place = index->free;
        index->free = entry + 1;
        index->waiting--;
}

bool journal_index_move(struct journal_index *index, uint32_t entry, uint64_t sequence,
                        const struct journal_place *place, uint64_t first_generation)
{
        struct journal_entry *moved = &index->entries[entry];

        if (!pin_message(index, first_generation, place->span))
                return false;
        unpin(index, moved);
        moved->sequence = sequence;
        moved->message = *place;
        moved->outcome = (struct journal_place){0};
        moved->first_generation = first_generation;
        return true;
}

static uint32_t find_in_order(const struct journal_index *index, uint64_t sequence)
{
        uint32_t low = 0, high = index->used;

        while (low < high) {
                uint32_t middle = low + (high - low) / 2;
                if (index->entries[middle].sequence < sequence)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low;
}

uint32_t journal_index_find(const struct journal_index *index, uint64_t sequence)
{
        uint32_t at = index->keeps_order ? find_in_order(index, sequence) : 0;

        while (!index->keeps_order && at < index->used &&
               (index->entries[at].sequence != sequence || index->entries[at].state == JOURNAL_ENTRY_FREE))
                at++;
        bool is_found = at < index->used && index->entries[at].sequence == sequence &&
                        index->entries[at].state != JOURNAL_ENTRY_FREE;
        return is_found ? at : JOURNAL_NONE;
}
