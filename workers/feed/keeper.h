/* Lists of DNS zones that are read from files. A thread of their keeper reads them anew when files have changed,
 * beside those in use, and swaps them (RCU). A list that cannot be read, or has shrunk by more than half, is not
 * taken: the one before it stays until it is too old. Then the zone cannot be asked, or DNS is, as its option says.
 *
 * A snapshot is prepared with the lists of its zones, and then put to use, or forgotten. A list that an earlier
 * snapshot has as well is the same one, and stays as it is. */
#pragma once

#include "conf/complaints.h"
#include "dns/fact.h"
#include "workers/feed/files.h"
#include "workers/log/writer.h"

#include <pthread.h>

/* A list as it is asked. It never changes. */
struct feed_table {
        struct feed *feed;
        struct feed_stamp stamp;
};

#define FEED_REASON_MAX 512

/* The list of a zone. */
struct feed_slot {
        struct dns_source source;           /* first: what the zone has as its feed */
        _Atomic(struct feed_table *) table; /* rcu: valid until read_unlock; NULL: none can be used */
        _Atomic bool falls_back;            /* then DNS is asked */
        _Atomic uint64_t max_age_s;         /* 0: any */

        /* Fixed. */
        char zone[254];
        struct text_list patterns;
        struct feed_wish wish;

        /* For whoever shows it. */
        _Atomic uint64_t entries, octets, failures;
        _Atomic int64_t made_s;
        _Atomic bool has_failed; /* the files were not taken */

        /* For the thread. They stand apart from what has a lock: a compiler may read some neighbours at a time. */
        _Atomic bool is_asked; /* to be looked at at once */
        _Atomic bool gives_up; /* what the thread reads is not wanted any more */

        /* Under the keeper's lock. */
        struct feed_slot *next;
        bool is_used; /* by the snapshot in force, or one that was prepared since */
        bool is_kept; /* has been put to use */
        bool is_read; /* the thread is at it */

        /* Owner: whoever reads it: who prepares, then the thread. */
        uint64_t seen;    /* the digest of the files that were read last, taken or not */
        int64_t first_s;  /* when these were read first, by the clock on the wall */
        uint64_t changed; /* another one, seen once: they may be written still */
        unsigned unrest;  /* looks of which each has seen another one */
        uint64_t look_at_ms;
        uint64_t
            retry_at_ms;  /* what was not taken is read again, as its fault may have been one of the time */
        uint64_t took_ms; /* to read them */
        char reason[FEED_REASON_MAX]; /* why they were not taken; "": they were */
};

struct feed_keeper {
        pthread_mutex_t lock; /* of the list, and of its thread's rest; never held while a file is read */
        pthread_cond_t wake;
        struct feed_slot *slots;
        _Atomic uint64_t interval_ms; /* 0: looks when it is asked to only */
        struct log_writer *log;       /* NULL: nobody is told */
        pthread_t thread;
        bool is_started;
        _Atomic bool is_stopping;
};

void feed_keeper_init(struct feed_keeper *keeper);
/* Before anything else runs: reads the lists of the first snapshot, with what is wrong on standard error, and puts
 * them to use. False when memory is out. */
bool feed_keeper_load_first(struct feed_keeper *keeper, struct snapshot *snapshot);
/* Reads the lists for their complaints alone. */
void feed_keeper_check(struct snapshot *snapshot, struct conf_complaints *complaints);
/* From here on the thread looks. The log outlives it. */
bool feed_keeper_start(struct feed_keeper *keeper, struct log_writer *log);
/* What is being read is given up. False when the thread runs still at this moment of clock_monotonic_ms(). */
bool feed_keeper_stop(struct feed_keeper *keeper, uint64_t until_ms);
/* Nobody asks any more. */
void feed_keeper_end(struct feed_keeper *keeper);

/* Gives the zones their lists, and reads those that are new; what is wrong with them are warnings. False when
 * memory is out. */
bool feed_keeper_prepare(struct feed_keeper *keeper, struct snapshot *snapshot,
                         struct conf_complaints *complaints);
/* The snapshot is in force. */
void feed_keeper_use(struct feed_keeper *keeper, const struct snapshot *snapshot);
/* It is not put in force, and ends. */
void feed_keeper_forget(struct snapshot *snapshot);
/* No snapshot is left but the one in force. */
void feed_keeper_drop_unused(struct feed_keeper *keeper);

/* The list of a zone that has one. */
static inline const struct feed_slot *feed_slot_of(const struct dnsbl_zone *zone)
{
        return (const struct feed_slot *)(const void *)zone->feed;
}
/* True while its list is asked. Any thread that is registered with RCU. */
static inline bool feed_slot_serves(const struct feed_slot *slot)
{
        return atomic_load_explicit(&slot->table, memory_order_relaxed) != NULL;
}
