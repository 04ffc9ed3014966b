/* Next hops: which one gets a message, who waits for it, and whether it lives. */
#include "workers/hop/internal.h"

/* What is known of one that nobody uses is kept so long, such as its TLS sessions, and that it is down: whoever waits
 * for its next_hop_up shall see it where mail comes seldom. */
#define KEPT_MS (UINT64_C(60) * 60 * 1000)

/* ---- which there are ----------------------------------------------------------------------------------- */

static struct hop_target *target_find(const struct hop_thread *thread, const struct next_hop *hop)
{
        struct hop_target *target;

        LIST_FOREACH(target, &thread->targets, entry)
        if (next_hop_equals(&target->hop, hop))
                return target;
        return NULL;
}

static struct hop_target *target_make(struct hop_thread *thread, const struct next_hop *hop)
{
        size_t name_size = hop->name == NULL ? 0 : strlen(hop->name) + 1;
        struct hop_target *target = malloc(sizeof *target + name_size);

        if (target == NULL)
                return NULL;
        *target =
            (struct hop_target){.hop = *hop, .used_ms = thread->now_ms, .number = ++thread->targets_made};
        target->figures = figures_of(&thread->figures, hop);
        target->hop.weight = 1; /* that is the domain's affair */
        if (hop->name != NULL)
                target->hop.name = memcpy(target->name, hop->name, name_size);
        TAILQ_INIT(&target->waiting);
        TAILQ_INIT(&target->idle);
        LIST_INSERT_HEAD(&thread->targets, target, entry);
        return target;
}

void target_free(struct hop_target *target)
{
        LIST_REMOVE(target, entry);
        hop_count_gone(target);
        tls_resumption_forget(&target->resumption);
        free(target);
}

static void release(const struct hop_thread *thread, struct hop_target *target)
{
        bool is_down = target->failures > 0 && thread->now_ms < target->down_until_ms;

        if (target->connection_count > 0 || target->waiting_count > 0)
                target->used_ms = thread->now_ms;
        else if (thread->now_ms >= target->used_ms + KEPT_MS && !is_down)
                target_free(target);
}

/* ---- the choice ---------------------------------------------------------------------------------------- */

uint32_t target_draw(struct hop_thread *thread, uint32_t below)
{
        thread->random = thread->random * 6364136223846793005u + 1442695040888963407u;
        return (uint32_t)((thread->random >> 33) % below);
}

static bool takes_more(const struct hop_thread *thread, const struct next_hop *hop, bool is_callout)
{
        const struct hop_target *target = target_find(thread, hop);

        if (target == NULL)
                return true;
        /* Whoever guesses addresses takes no more of it than that. */
        if (is_callout && target->callouts >= thread->settings.callouts_max)
                return false;
        return target->waiting_count < thread->settings.waiting_max &&
               (!target_is_failing(thread, target) || thread->now_ms >= target->down_until_ms);
}

/* Bits of those that can be asked; of the reserve, whose weight is 0, only while there are no others. */
static uint32_t find_candidates(const struct hop_thread *thread, const struct transfer *transfer)
{
        uint32_t regular = 0, reserve = 0;

        for (uint32_t i = 0; i < transfer->hop_count; i++) {
                const struct next_hop *hop = &transfer->hops[i];
                if ((transfer->tried >> i & 1) != 0 || !takes_more(thread, hop, transfer->is_callout))
                        continue;
                if (hop->weight > 0)
                        regular |= 1u << i;
                else
                        reserve |= 1u << i;
        }
        return regular != 0 ? regular : reserve;
}

static uint32_t weight_of(const struct next_hop *hop)
{
        return hop->weight > 0 ? hop->weight : 1;
}

/* By weight. */
static uint32_t draw_candidate(struct hop_thread *thread, const struct transfer *transfer,
                               uint32_t candidates)
{
        uint32_t sum = 0, at = 0;

        for (uint32_t i = 0; i < transfer->hop_count; i++)
                if ((candidates >> i & 1) != 0)
                        sum += weight_of(&transfer->hops[i]);
        uint32_t left = target_draw(thread, sum);
        for (uint32_t i = 0; i < transfer->hop_count; i++) {
                if ((candidates >> i & 1) == 0)
                        continue;
                at = i;
                if (left < weight_of(&transfer->hops[i]))
                        break;
                left -= weight_of(&transfer->hops[i]);
        }
        return at;
}

static uint64_t load_of(const struct hop_thread *thread, const struct next_hop *hop)
{
        const struct hop_target *target = target_find(thread, hop);
        return target == NULL ? 0 : target->waiting_count + target->busy;
}

/* Two are drawn, and the one that has less to do for its weight is taken: so shares are kept, but a slow one does not
 * gather what others could take. */
struct hop_target *target_choose(struct hop_thread *thread, struct transfer *transfer)
{
        uint32_t candidates = find_candidates(thread, transfer);

        if (candidates == 0)
                return NULL;
        uint32_t first = draw_candidate(thread, transfer, candidates);
        uint32_t second = draw_candidate(thread, transfer, candidates);
        const struct next_hop *left = &transfer->hops[first], *right = &transfer->hops[second];
        if (load_of(thread, right) * weight_of(left) < load_of(thread, left) * weight_of(right)) {
                first = second;
                left = right;
        }
        struct hop_target *target = target_find(thread, left);
        if (target == NULL)
                target = target_make(thread, left);
        transfer->tried |= 1u << first;
        transfer->hop = left;
        return target;
}

/* ---- who waits ----------------------------------------------------------------------------------------- */

void target_enqueue(struct hop_thread *thread, struct hop_target *target, struct transfer *transfer)
{
        /* One that was down is probed by this one alone for so long. */
        if (target_is_failing(thread, target))
                target->down_until_ms = thread->now_ms + thread->settings.retry_ms;
        transfer->target = target;
        if (transfer->is_callout) {
                transfer->asked = target;
                target->callouts++;
        }
        TAILQ_INSERT_TAIL(&target->waiting, transfer, waiting);
        target->waiting_count++;
}

void target_dequeue(struct hop_target *target, struct transfer *transfer)
{
        TAILQ_REMOVE(&target->waiting, transfer, waiting);
        target->waiting_count--;
        transfer->target = NULL;
}

/* Of this thread. */
static uint64_t connections_max(const struct hop_thread *thread, const struct next_hop *hop)
{
        const struct hop_settings *settings = &thread->settings;
        uint64_t max =
            next_hop_gives(hop, NEXT_HOP_CONNECTIONS_MAX) ? hop->connections_max : settings->connections_max;
        return (max + settings->threads - 1) / settings->threads;
}

static void serve(struct hop_thread *thread, struct hop_target *target)
{
        struct hop_connection *idle;

        target_leave_gone(thread, target);
        if (target->waiting_count > 0)
                target_ask_if_due(thread, target);
        while (target->waiting_count > 0 && (idle = TAILQ_FIRST(&target->idle)) != NULL) {
                struct transfer *transfer = TAILQ_FIRST(&target->waiting);
                target_dequeue(target, transfer);
                dialogue_begin(thread, idle, transfer);
        }
        while (target->connecting_count < target->waiting_count &&
               target->connection_count < connections_max(thread, &target->hop) &&
               target_has_address(thread, target))
                hop_connection_begin(thread, target);
}

void targets_serve(struct hop_thread *thread)
{
        struct hop_target *next;

        for (struct hop_target *target = LIST_FIRST(&thread->targets); target != NULL; target = next) {
                next = LIST_NEXT(target, entry);
                serve(thread, target);
                release(thread, target);
        }
}

/* ---- whether it lives ---------------------------------------------------------------------------------- */

static void log_health(const struct hop_thread *thread, const struct hop_target *target, const char *event,
                       const char *reason)
{
        char name[NEXT_HOP_TEXT_MAX + 1];

        next_hop_write_string(&target->hop, name);
        if (reason == NULL)
                log_event(thread->log, event, "next_hop", name, NULL);
        else
                log_event(thread->log, event, "next_hop", name, "reason", reason, NULL);
}

static void send_elsewhere(struct hop_thread *thread, struct hop_target *target)
{
        struct transfer *transfer;

        while ((transfer = TAILQ_FIRST(&target->waiting)) != NULL) {
                target_dequeue(target, transfer);
                courier_seek(thread, transfer);
        }
}

void target_failed(struct hop_thread *thread, struct hop_target *target, const char *reason)
{
        bool was_failing = target_is_failing(thread, target);

        target->failures++;
        span_copy_cut(span_from(reason), target->failure, sizeof target->failure);
        if (!target_is_failing(thread, target))
                return;
        target->down_until_ms = thread->now_ms + thread->settings.retry_ms;
        if (!was_failing) {
                hop_count(thread, target, FIGURE_downs);
                log_health(thread, target, "next_hop_down", reason);
        }
        send_elsewhere(thread, target);
}

static bool is_broken_by(const struct hop_target *target, const struct transfer *transfer)
{
        struct span sender = transfer->sender.address, recipient = span_from(target->broken_recipient);
        bool is_known = !transfer->is_callout && sender.length > 0 &&
                        span_equals(span_from(target->broken_sender), sender);

        for (uint32_t i = 0; i < transfer->recipient_count && !is_known; i++)
                is_known = span_equals(transfer->recipients[i].address, recipient);
        return is_known;
}

/* What one sender writes, or a mailbox that is damaged, may break a hop that takes all other mail: one alone shall not
 * make it count as down for everybody. A hop that breaks at all mail meets another one soon. */
void target_broke(struct hop_thread *thread, struct hop_target *target, const struct transfer *transfer)
{
        if (is_broken_by(target, transfer))
                return;
        span_copy_cut(transfer->sender.address, target->broken_sender, sizeof target->broken_sender);
        span_copy_cut(transfer->recipients[0].address, target->broken_recipient,
                      sizeof target->broken_recipient);
        target_failed(thread, target, transfer->answers[0].text);
}

/* Whoever waits longest has had this try: it seeks another one. Where there are connections it waits for them, for a
 * store may refuse more of them than it can serve. */
void target_unreachable(struct hop_thread *thread, struct hop_target *target, const char *reason)
{
        struct transfer *first = TAILQ_FIRST(&target->waiting);
        bool has_others = target->connection_count > target->connecting_count;

        hop_count(thread, target, FIGURE_connections_failed);
        if (first != NULL && !has_others) {
                target_dequeue(target, first);
                courier_seek(thread, first);
        }
        target_failed(thread, target, reason);
}

void target_address_failed(struct hop_thread *thread, struct hop_target *target,
                           const struct address *address, const char *reason)
{
        uint64_t until_ms = thread->now_ms + thread->settings.retry_ms;

        if (target->hop.kind == NEXT_HOP_AT_NAME &&
            hop_addresses_fail(&target->addresses, address, until_ms, thread->now_ms))
                hop_count(thread, target, FIGURE_connections_failed);
        else
                target_unreachable(thread, target, reason);
}

void target_lives(struct hop_thread *thread, struct hop_target *target)
{
        bool was_failing = target_is_failing(thread, target);

        target->failures = 0;
        target->down_until_ms = 0;
        target->broken_sender[0] = target->broken_recipient[0] = target->failure[0] = '\0';
        if (was_failing)
                log_health(thread, target, "next_hop_up", NULL);
}

void target_say_why(const struct hop_thread *thread, const struct transfer *transfer, struct text *text)
{
        const struct next_hop *hop = transfer->hop != NULL ? transfer->hop : &transfer->hops[0];
        const struct hop_target *target = target_find(thread, hop);
        char name[NEXT_HOP_TEXT_MAX + 1];

        if (target == NULL || target->failure[0] == '\0')
                return;
        next_hop_write_string(hop, name);
        text_put_string(text, ": ");
        text_put_string(text, name);
        text_put_string(text, ": ");
        text_put_string(text, target->failure);
}
