/* Clients at the door. */
#include "core/smtp/admit.h"

#include "conf/value/policy_url.h"
#include "core/smtp/internal.h"

bool client_is_vouched_for(const struct snapshot *snapshot, const struct address *client)
{
        return network_list_contains(&snapshot->options.trusted_networks, client) ||
               network_list_contains(&snapshot->options.client_rate_exempt, client);
}

bool client_is_rated(const struct snapshot *snapshot, const struct address *client)
{
        return snapshot->checks[CHECK_client_rate].mode != CHECK_MODE_OFF &&
               !client_is_vouched_for(snapshot, client);
}

enum reply_id client_admit(const struct snapshot *snapshot, const struct ledger *ledger,
                           struct counters *counters, const struct address *client, uint64_t now_ms,
                           struct rate_excess *ret_excess)
{
        enum reply_id reply = REPLY_NONE;
        struct rates rates;

        rates_init(&rates, ledger, &snapshot->options, client, now_ms);
        *ret_excess = (struct rate_excess){0};
        if (!rates_are_clear(&rates, ret_excess))
                reply = REPLY_rate_penalty;
        else if (!rates_take(&rates, RATE_CONNECTIONS, 1, ret_excess))
                reply = REPLY_rate_connections;
        counter_add(&counters->metrics[METRIC_clients_displaced], rates.displaced);
        if (reply == REPLY_NONE)
                return REPLY_NONE;
        if (snapshot->checks[CHECK_client_rate].mode == CHECK_MODE_OBSERVE) {
                counter_add(&counters->observed[CHECK_client_rate], 1);
                return REPLY_NONE;
        }
        counter_add(&counters->deferred[CHECK_client_rate], 1);
        counter_add(&counters->metrics[METRIC_connections_refused], 1);
        return reply;
}

/* It sits until it is named anew, or the session ends. A balancer is not one client. */
static const char *take_seat(struct session *session)
{
        const struct options *options = &session->snapshot->options;
        const struct address *client = &session->peer.client;

        if (session->host->clients == NULL || network_list_contains(&options->proxy_networks, client))
                return NULL;
        return client_table_enter(session->host->clients, client, options, &session->seat);
}

bool named_client_is_refused(struct session *session, struct text *out, enum session_wish *ret_wish)
{
        const char *limit;

        if (session->naming != NAMING_DONE)
                return false;
        if (rate_refuses_named_client(session, out, ret_wish))
                return true;
        if (session->host->rung >= RUNG_known && !session->is_known) {
                counter_add(&session->host->counters->metrics[METRIC_clients_unserved], 1);
                *ret_wish = session_close(session, out, REPLY_overloaded_client);
                return true;
        }
        if ((limit = take_seat(session)) == NULL)
                return false;
        if (session_oddities(session) != NULL)
                session->oddities->limit = limit;
        *ret_wish = session_close(session, out, REPLY_too_many_connections);
        return true;
}

/* Of the checks that need the store of senders some ask for the reverse name as early as others, and Received and mail
 * filters do. */
static bool asks_at_connect(const struct snapshot *snapshot)
{
        if (snapshot->options.received_reverse_name || snapshot->filter_count > 0)
                return snapshot->options.resolvers.count > 0;
        for (enum check_id check = 0; check < CHECK_COUNT; check++)
                if (snapshot->check_is_wanted[check] &&
                    (check_infos[check].stage == STAGE_CONNECT || check_infos[check].needs == NEEDS_SENDERS))
                        return snapshot->options.resolvers.count > 0;
        return false;
}

bool client_is_known(const struct snapshot *snapshot, const struct ledger *ledger,
                     const struct address *client, uint64_t now_ms)
{
        struct rates rates;

        if (client_is_vouched_for(snapshot, client))
                return true;
        if (!client_is_rated(snapshot, client))
                return false;
        rates_init(&rates, ledger, &snapshot->options, client, now_ms);
        return rates_has_good_history(&rates);
}

bool client_is_greeted_at_once(const struct snapshot *snapshot, const struct session_peer *peer,
                               enum rung rung)
{
        const struct options *options = &snapshot->options;

        if (peer->needs_proxy_header || network_list_contains(&options->proxy_networks, &peer->client))
                return false;
        return network_list_contains(&options->trusted_networks, &peer->client) ||
               (rung < RUNG_turn && options->greeting_pause_ms == 0 && !asks_at_connect(snapshot));
}

static void put_placeholder(struct text *line, const struct snapshot *snapshot, char which,
                            const struct client_reply *reply)
{
        if (which == 'c')
                address_write(line, reply->client);
        else if (which == 'n')
                text_put_string(line, snapshot->options.hostname);
        else if (which == 'v')
                text_put_printable(line, reply->subject, false);
        else if (which == '%')
                text_put_char(line, which);
}

void client_reply_write(struct text *line, const struct snapshot *snapshot, const struct client_reply *reply)
{
        const struct reply_template *template = &snapshot->replies[reply->id];
        char suffix_octets[POLICY_REPLY_SUFFIX_MAX];
        struct text suffix, head;

        text_over(&suffix, suffix_octets, sizeof suffix_octets);
        if (template->is_policy)
                policy_url_put_suffix(&suffix, snapshot->options.policy_url,
                                      reply->reject_id == NULL ? "" : reply->reject_id);
        text_over(&head, line->at + line->length, CLIENT_LINE_MAX - suffix.length);
        text_put(&head, template->status);
        for (size_t i = 0; i < template->text.length; i++) {
                if (template->text.at[i] == '%' && i + 1 < template->text.length)
                        put_placeholder(&head, snapshot, template->text.at[++i], reply);
                else
                        text_put_char(&head, template->text.at[i]);
        }
        line->length += head.length;
        text_put(line, text_span(&suffix));
        text_put(line, SPAN("\r\n"));
}
