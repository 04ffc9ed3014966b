/* Who is let in, as an acceptor decides it. */
#include "core/base/expect.h"
#include "tests/dialogue/harness.h"

/* What the door looks up, and does not ask. */
static enum fact look_up(struct dns_source *source, const struct dns_question *question,
                         const struct dns_asker *asker, struct arena *arena, struct dns_answer *ret_answer)
{
        struct harness *harness =
            (struct harness *)(uintptr_t)((const char *)source - offsetof(struct harness, looks));
        const struct dns_asker looks = {.handle = asker->handle, .looks_only = true};

        return harness->dns.source.ask(&harness->dns.source, question, &looks, arena, ret_answer);
}

/* As an acceptor asks its door. */
static bool door_is_open(struct harness *harness)
{
        const struct session_peer *peer = &harness->peer;
        struct door_refusal refusal;
        struct door door;

        harness->looks.ask = look_up;
        door_init(&door, harness->snapshot->options.resolvers.count > 0 ? &harness->looks : NULL,
                  &harness->ledger, &harness->host);
        bool is_open = peer->needs_proxy_header ||
                       door_lets_in(&door, harness->snapshot, &peer->client, false, &refusal);
        if (!is_open) {
                client_reply_write(&harness->said, harness->snapshot,
                                   &(struct client_reply){.id = refusal.reply,
                                                          .client = &peer->client,
                                                          .subject = span_from(refusal.subject),
                                                          .reject_id = refusal.reject_id});
                /* The acceptor's own line, of which sessions know nothing. An integration test sees whether it
                 * writes it. */
                text_printf(&harness->logged, "{\"event\":\"client_refused\",\"reject_id\":\"%s\"}\n",
                            refusal.reject_id);
        }
        door_end(&door);
        return is_open;
}

bool harness_admits(struct harness *harness)
{
        const struct snapshot *snapshot = harness->snapshot;
        struct session_peer *peer = &harness->peer;
        enum reply_id reply = REPLY_NONE;

        peer->excess = NULL;
        if (network_list_contains(&snapshot->options.proxy_networks, &peer->client))
                return true;
        if (client_is_rated(snapshot, &peer->client))
                reply = client_admit(snapshot, &harness->ledger, &harness->counters, &peer->client,
                                     harness->host.now_ms, &harness->excess);
        else
                harness->excess = (struct rate_excess){0};
        if (harness->excess.is_over)
                peer->excess = &harness->excess;
        if (reply != REPLY_NONE)
                client_reply_write(&harness->said, snapshot,
                                   &(struct client_reply){.id = reply, .client = &peer->client});
        return reply == REPLY_NONE && door_is_open(harness);
}

void harness_seat(struct harness *harness, const struct address *client, const struct options *options)
{
        struct client_seat seat;
        expect(client_table_enter(&harness->clients, client, options, &seat) == NULL);
}
