/* What waits in a journal: for each message where it is, where its last outcome is, and when it is due; 80 octets
 * a message and 4 in its destination's queue. Texts and envelopes stay on the disk. It belongs to one thread. */
#pragma once

#include "conf/value/next_hop.h"
#include "workers/journal/disk/format.h"

#define JOURNAL_NONE            UINT32_MAX
#define JOURNAL_DESTINATION_MAX NEXT_HOPS_JOURNAL_MAX

/* Of texts that are in memory; of one destination's a quarter, so that one that hangs leaves room for others. */
#define JOURNAL_IN_HAND_OCTETS       (UINT64_C(64) << 20)
#define JOURNAL_QUEUE_IN_HAND_OCTETS (JOURNAL_IN_HAND_OCTETS / 4)

enum journal_entry_state {
        JOURNAL_ENTRY_FREE,
        JOURNAL_ENTRY_WAITS, /* in its destination's queue */
        JOURNAL_ENTRY_AWAY,  /* somebody tries to deliver it, or its outcome is on the way to the disk */
};

struct journal_entry {
        uint64_t sequence;
        uint64_t time_ms;          /* when the message was taken, as on the disk */
        uint64_t due_ms;           /* the same */
        uint64_t first_generation; /* of its first piece, or its own */
        struct journal_place message, outcome;
        uint32_t destination;
        uint32_t place; /* in the queue; or the next free entry */
        uint32_t attempts;
        enum journal_entry_state state;
};

/* Messages for one destination, the one that is due first in front: a binary heap. */
struct journal_queue {
        char destination[JOURNAL_DESTINATION_MAX + 1];
        uint32_t *entries;
        uint32_t count, size;
        uint32_t in_flight;
        uint64_t in_hand;          /* octets of texts; owner: whoever reads them */
        uint32_t failures;         /* in a row, of the destination as such */
        uint64_t failing_since_ms; /* monotonic: when nobody could be asked first; 0: it was asked last */
        uint64_t retry_at_ms;      /* nothing is tried before; as on the disk */
};

/* What still needs a generation. */
struct journal_pin {
        uint64_t generation;
        uint64_t messages;
        uint64_t octets; /* of their records, without chains */
};

struct journal_index {
        struct journal_entry *entries;
        uint32_t used, size; /* used: up to the highest that was ever in use */
        uint32_t free;
        bool keeps_order; /* while it is filled from the disk: entries ascend, and none is used twice */
        uint32_t waiting; /* messages that are not settled */
        struct journal_queue *queues;
        uint32_t queue_count, queue_turn;
        struct journal_pin *pins; /* ascending */
        size_t pin_count, pin_size;
};

void journal_index_end(struct journal_index *index);
/* Adds a message that waits. Returns its entry, or JOURNAL_NONE when memory is out. */
uint32_t journal_index_add(struct journal_index *index, const struct journal_entry *entry,
                           struct span destination);
/* The message is settled. */
void journal_index_remove(struct journal_index *index, uint32_t entry);
/* The message is somewhere else now. */
bool journal_index_move(struct journal_index *index, uint32_t entry, uint64_t sequence,
                        const struct journal_place *place, uint64_t first_generation);
/* The entry with this sequence, or JOURNAL_NONE. It is slow where the index keeps no order. */
uint32_t journal_index_find(const struct journal_index *index, uint64_t sequence);
/* Takes it out of its queue, or puts it back there, due at this time: room is kept for it. */
void journal_index_take(struct journal_index *index, uint32_t entry);
void journal_index_put_back(struct journal_index *index, uint32_t entry, uint64_t due_ms);
/* The clock on the wall was in the future, and is set back: what is due later than `latest_ms` is due now. */
void journal_index_hasten(struct journal_index *index, uint32_t entry, uint64_t now_ms, uint64_t latest_ms);
void journal_index_hasten_queues(struct journal_index *index, uint64_t now_ms, uint64_t latest_ms);
/* Of the destinations in turn the message that is due first, where one is, and the destination may be tried; else
 * JOURNAL_NONE, and *ret_next_ms is when to ask again at the latest. */
uint32_t journal_index_due(struct journal_index *index, uint64_t now_ms, uint32_t in_flight_max,
                           uint64_t *ret_next_ms);
/* The oldest generation that is needed, but at most `newest`. */
uint64_t journal_index_first_live(const struct journal_index *index, uint64_t newest);
