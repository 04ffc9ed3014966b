/* Which lists there are, and the thread that looks after them. */
#include "workers/feed/internal.h"

#include "dns/clock.h"
#include "workers/log/console.h"

#include <stdlib.h>
#include <time.h>
#include <urcu/urcu-memb.h>

/* ---- lists ---------------------------------------------------------------------------------------------- */

static bool are_equal(const struct text_list *left, const struct text_list *right)
{
        bool equals = left->count == right->count;

        for (size_t i = 0; i < left->count && equals; i++)
                equals = strcmp(left->texts[i], right->texts[i]) == 0;
        return equals;
}

static struct feed_slot *find(struct feed_slot *slots, const struct dnsbl_zone *zone,
                              const struct feed_wish *wish)
{
        struct feed_slot *slot = slots;

        while (slot != NULL &&
               (!span_equals(span_from(slot->zone), zone->name) || slot->wish.format != wish->format ||
                slot->wish.lists_names != wish->lists_names || slot->wish.memory_max != wish->memory_max ||
                !are_equal(&slot->patterns, &zone->options.file)))
                slot = slot->next;
        return slot;
}

static bool copy_patterns(struct text_list *to, const struct text_list *from)
{
        to->texts = calloc(from->count + 1, sizeof *to->texts);
        for (size_t i = 0; i < from->count && to->texts != NULL; i++, to->count++) {
                to->texts[i] = strdup(from->texts[i]);
                if (to->texts[i] == NULL)
                        return false;
        }
        return to->texts != NULL;
}

static struct feed_slot *create(const struct dnsbl_zone *zone, const struct feed_wish *wish)
{
        struct feed_slot *slot = calloc(1, sizeof *slot);

        if (slot == NULL)
                return NULL;
        slot->source.ask = feed_slot_ask;
        slot->wish = *wish;
        span_copy_cut(zone->name, slot->zone, sizeof slot->zone);
        if (copy_patterns(&slot->patterns, &zone->options.file))
                return slot;
        feed_slot_free(slot);
        return NULL;
}

static void set_times(struct feed_slot *slot, const struct zone_options *options)
{
        atomic_store(&slot->max_age_s, options->max_age_ms / 1000);
        atomic_store(&slot->falls_back, options->fallback == FEED_FALLBACK_DNS);
}

/* ---- snapshots ------------------------------------------------------------------------------------------ */

/* What RFC 5782 5 demands is not in lists of a site's own: then the watch would suspend the zone. */
static bool has_test_point(const struct feed_slot *slot)
{
        const struct feed_table *table = atomic_load(&slot->table);
        struct feed_answer answer;

        return table == NULL ||
               feed_find(table->feed, slot->wish.lists_names ? SPAN("test") : SPAN("2.0.0.127"),
                         FEED_ADDRESSES, &answer);
}

static void complain(const struct dnsbl_zone *zone, const struct feed_slot *slot,
                     struct conf_complaints *complaints)
{
        const char *name = slot->zone;

        if (slot->reason[0] != '\0')
                conf_complain(complaints, COMPLAINT_WARNING, &zone->place, "zone \"%s\": %s%s", name,
                              slot->reason,
                              feed_slot_serves(slot)                        ? ": the list before it stays"
                              : zone->options.fallback == FEED_FALLBACK_DNS ? ": DNS is asked"
                                                                            : ": it cannot be asked");
        else if (zone->options.self_test && !has_test_point(slot))
                conf_complain(
                    complaints, COMPLAINT_WARNING, &zone->place,
                    "zone \"%s\": its list has no entry for %s (RFC 5782 5), so that it would only observe: "
                    "self_test = no, or add one",
                    name, slot->wish.lists_names ? "test" : "127.0.0.2");
}

static bool prepare_zone(struct feed_keeper *keeper, const struct options *options, struct dnsbl_zone *zone,
                         struct conf_complaints *complaints)
{
        const struct feed_wish wish = {
            .format = zone->options.format,
            .lists_names = zone->options.names,
            .memory_max = (size_t)options->dnsbl_feed_memory_max_octets,
        };

        pthread_mutex_lock(&keeper->lock);
        struct feed_slot *slot = find(keeper->slots, zone, &wish);
        if (slot != NULL)
                slot->is_used = true;
        pthread_mutex_unlock(&keeper->lock);
        bool is_new = slot == NULL;
        if (is_new && (slot = create(zone, &wish)) == NULL)
                return false;
        zone->feed = &slot->source;
        if (!is_new)
                return true;
        set_times(slot, &zone->options);
        feed_slot_read(slot, &keeper->is_stopping);
        complain(zone, slot, complaints);
        return true;
}

bool feed_keeper_prepare(struct feed_keeper *keeper, struct snapshot *snapshot,
                         struct conf_complaints *complaints)
{
        for (size_t i = 0; i < snapshot->zone_count; i++)
                if (snapshot->zones[i].options.file.count > 0 &&
                    !prepare_zone(keeper, &snapshot->options, &snapshot->zones[i], complaints)) {
                        conf_complain(complaints, COMPLAINT_ERROR, &snapshot->zones[i].place, "no memory");
                        return false;
                }
        return true;
}

static struct feed_slot *slot_of(const struct dnsbl_zone *zone)
{
        return (struct feed_slot *)(void *)zone->feed;
}

void feed_keeper_use(struct feed_keeper *keeper, const struct snapshot *snapshot)
{
        pthread_mutex_lock(&keeper->lock);
        for (struct feed_slot *slot = keeper->slots; slot != NULL; slot = slot->next)
                slot->is_used = false;
        for (size_t i = 0; i < snapshot->zone_count; i++) {
                struct feed_slot *slot = slot_of(&snapshot->zones[i]);
                if (slot == NULL)
                        continue;
                set_times(slot, &snapshot->zones[i].options);
                slot->is_used = true;
                if (slot->is_kept) {
                        atomic_store(&slot->is_asked, true);
                        continue;
                }
                slot->is_kept = true;
                slot->next = keeper->slots;
                keeper->slots = slot;
                if (keeper->log != NULL)
                        feed_slot_tell(keeper, slot);
        }
        for (struct feed_slot *slot = keeper->slots; slot != NULL; slot = slot->next)
                atomic_store(&slot->gives_up, !slot->is_used);
        atomic_store(&keeper->interval_ms, snapshot->options.dnsbl_feed_interval_ms);
        pthread_cond_signal(&keeper->wake);
        pthread_mutex_unlock(&keeper->lock);
}

void feed_keeper_forget(struct snapshot *snapshot)
{
        for (size_t i = 0; i < snapshot->zone_count; i++) {
                struct feed_slot *slot = slot_of(&snapshot->zones[i]);
                if (slot != NULL && !slot->is_kept)
                        feed_slot_free(slot);
                snapshot->zones[i].feed = NULL;
        }
}

void feed_keeper_drop_unused(struct feed_keeper *keeper)
{
        struct feed_slot *unused = NULL;

        pthread_mutex_lock(&keeper->lock);
        for (struct feed_slot **link = &keeper->slots, *slot; (slot = *link) != NULL;) {
                if (slot->is_used || slot->is_read) {
                        link = &slot->next;
                        continue;
                }
                *link = slot->next;
                slot->next = unused;
                unused = slot;
        }
        pthread_mutex_unlock(&keeper->lock);
        for (struct feed_slot *next; unused != NULL; unused = next) {
                next = unused->next;
                feed_slot_free(unused);
        }
}

bool feed_keeper_load_first(struct feed_keeper *keeper, struct snapshot *snapshot)
{
        struct conf_complaints complaints = {0};

        feed_keeper_init(keeper);
        bool is_prepared = feed_keeper_prepare(keeper, snapshot, &complaints);
        console_complaints(complaints.text);
        conf_complaints_end(&complaints);
        if (is_prepared)
                feed_keeper_use(keeper, snapshot);
        return is_prepared;
}

void feed_keeper_check(struct snapshot *snapshot, struct conf_complaints *complaints)
{
        struct feed_keeper keeper;

        feed_keeper_init(&keeper);
        feed_keeper_prepare(&keeper, snapshot, complaints);
        feed_keeper_forget(snapshot);
        feed_keeper_end(&keeper);
}

/* ---- thread --------------------------------------------------------------------------------------------- */

/* The lock is let go while a list is read; it stays in its place meanwhile. */
static void look_at_all(struct feed_keeper *keeper)
{
        for (struct feed_slot *slot = keeper->slots; slot != NULL && !keeper->is_stopping;
             slot = slot->next) {
                if (!slot->is_used)
                        continue;
                slot->is_read = true;
                pthread_mutex_unlock(&keeper->lock);
                feed_slot_look(keeper, slot, clock_monotonic_ms());
                feed_slot_age(keeper, slot);
                pthread_mutex_lock(&keeper->lock);
                slot->is_read = false;
        }
}

static void rest(struct feed_keeper *keeper)
{
        struct timespec until;

        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec++;
        if (!keeper->is_stopping)
                pthread_cond_timedwait(&keeper->wake, &keeper->lock, &until);
}

static void *keeper_main(void *argument)
{
        struct feed_keeper *keeper = argument;

        pthread_setname_np(pthread_self(), "feeds");
        urcu_memb_register_thread();
        pthread_mutex_lock(&keeper->lock);
        while (!keeper->is_stopping) {
                look_at_all(keeper);
                rest(keeper);
        }
        pthread_mutex_unlock(&keeper->lock);
        urcu_memb_unregister_thread();
        return NULL;
}

void feed_keeper_init(struct feed_keeper *keeper)
{
        pthread_condattr_t monotonic;

        *keeper = (struct feed_keeper){.log = NULL};
        pthread_mutex_init(&keeper->lock, NULL);
        pthread_condattr_init(&monotonic);
        pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
        pthread_cond_init(&keeper->wake, &monotonic);
        pthread_condattr_destroy(&monotonic);
}

bool feed_keeper_start(struct feed_keeper *keeper, struct log_writer *log)
{
        keeper->log = log;
        for (const struct feed_slot *slot = keeper->slots; slot != NULL; slot = slot->next)
                feed_slot_tell(keeper, slot);
        keeper->is_started = pthread_create(&keeper->thread, NULL, keeper_main, keeper) == 0;
        return keeper->is_started;
}

bool feed_keeper_stop(struct feed_keeper *keeper, uint64_t until_ms)
{
        if (!keeper->is_started)
                return true;
        pthread_mutex_lock(&keeper->lock);
        keeper->is_stopping = true;
        for (struct feed_slot *slot = keeper->slots; slot != NULL; slot = slot->next)
                atomic_store(&slot->gives_up, true);
        pthread_cond_signal(&keeper->wake);
        pthread_mutex_unlock(&keeper->lock);
        return clock_join_thread(keeper->thread, until_ms);
}

void feed_keeper_end(struct feed_keeper *keeper)
{
        for (struct feed_slot *slot = keeper->slots, *next; slot != NULL; slot = next) {
                next = slot->next;
                feed_slot_free(slot);
        }
        pthread_mutex_destroy(&keeper->lock);
        pthread_cond_destroy(&keeper->wake);
}
