/* Listed clients, and unknown ones. */
#include "core/smtp/door/door.h"

#include "core/smtp/internal.h"

#define KEPT_BLOCKS        4
#define BLOCK_SIZE         4096
#define ARENA_MAX          65536
#define IDS_A_SECOND_MAX   200 /* a flood of listed clients must not be one of log lines */
#define QUESTIONS_PER_ZONE 2

void door_init(struct door *door, struct dns_source *dns, const struct ledger *ledger,
               struct session_host *host)
{
        *door = (struct door){.dns = dns, .ledger = ledger, .host = host};
        block_pool_init(&door->pool, BLOCK_SIZE, KEPT_BLOCKS);
}

void door_end(struct door *door)
{
        block_pool_end(&door->pool);
}

static void give_id(struct door *door, struct door_refusal *refusal)
{
        uint64_t second = door->host->now_ms / 1000;

        if (second != door->second)
                door->ids_given = 0;
        door->second = second;
        if (door->ids_given == IDS_A_SECOND_MAX)
                return;
        door->ids_given++;
        ids_write(&door->host->ids, door->host->wall_ms, refusal->reject_id);
}

/* The check dnsbl itself judges, by what the cache has: where anything that it asks for is not there, it waits, and
 * the client is let in. */
static bool is_listed(struct door *door, const struct snapshot *snapshot, const struct address *client,
                      struct door_refusal *refusal)
{
        struct verdict verdict = {.check = CHECK_dnsbl};
        struct arena arena;
        struct memo memo;

        arena_init(&arena, &door->pool, ARENA_MAX);
        memo_init(&memo, &arena, door->dns, 0, QUESTIONS_PER_ZONE * DNSBL_ZONES_MAX);
        const struct facts facts = {
            .snapshot = snapshot,
            .client = *client,
            .memo = &memo,
            .is_terse = true,
            .wall_s = door->host->wall_ms / 1000,
            .arena = &arena,
        };
        bool is_refused = pipeline_check(&facts, CHECK_dnsbl, STAGE_CONNECT, &verdict) == VERDICT_REFUSE &&
                          !verdict.only_observes;
        if (is_refused) {
                refusal->check = CHECK_dnsbl;
                span_copy_cut(verdict.subject, refusal->subject, sizeof refusal->subject);
                span_copy_cut(verdict.evidence, refusal->evidence, sizeof refusal->evidence);
        }
        arena_end(&arena);
        return is_refused;
}

/* Under load by 421, for what is refused then would be so later as well, but for mail to postmaster. */
static bool refuses_listed(struct door *door, const struct snapshot *snapshot, const struct address *client,
                           struct door_refusal *refusal)
{
        enum listed_moment moment = snapshot->options.refuse_listed_at;
        struct counters *counters = door->host->counters;

        if (moment == LISTED_AT_RCPT || (moment == LISTED_UNDER_LOAD && door->host->rung < RUNG_turn))
                return false;
        if (door->dns == NULL || !snapshot->check_is_everywhere[CHECK_dnsbl] ||
            !is_listed(door, snapshot, client, refusal))
                return false;
        bool is_refused = moment == LISTED_AT_ACCEPT;
        refusal->reply = is_refused ? REPLY_dnsbl : REPLY_dnsbl_busy;
        counter_add(is_refused ? &counters->refused[CHECK_dnsbl] : &counters->deferred[CHECK_dnsbl], 1);
        counter_add(&counters->metrics[METRIC_clients_listed], 1);
        give_id(door, refusal);
        return true;
}

bool door_lets_in(struct door *door, const struct snapshot *snapshot, const struct address *client,
                  bool is_kept_for_known, struct door_refusal *ret_refusal)
{
        /* Not by the rung full: those who accept have counted then, and ask the door when they have room again. */
        bool looks_for_known = is_kept_for_known || door->host->rung == RUNG_known;

        if (!looks_for_known && snapshot->options.refuse_listed_at != LISTED_AT_ACCEPT &&
            door->host->rung < RUNG_turn)
                return true;
        *ret_refusal = (struct door_refusal){.check = CHECK_COUNT, .reply = REPLY_overloaded_client};
        if (network_list_contains(&snapshot->options.trusted_networks, client))
                return true;
        if (refuses_listed(door, snapshot, client, ret_refusal))
                return false;
        if (!looks_for_known || client_is_known(snapshot, door->ledger, client, door->host->now_ms))
                return true;
        counter_add(&door->host->counters->metrics[METRIC_clients_unserved], 1);
        return false;
}
