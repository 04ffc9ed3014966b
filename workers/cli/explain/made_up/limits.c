/* The limits of client_rate in a line. */
#include "workers/cli/explain/made_up/limits.h"

#include "conf/value/rate.h"
#include "core/senders/rates.h"
#include "core/smtp/admit.h"

void limits_put(const struct snapshot *snapshot, const struct address *client, struct text *text)
{
        const struct options *options = &snapshot->options;
        const struct rate limits[RATE_KINDS] = {
            [RATE_CONNECTIONS] = options->client_rate_connections,
            [RATE_MESSAGES] = options->client_rate_messages,
            [RATE_RECIPIENTS] = options->client_rate_recipients,
            [RATE_UNKNOWN_RECIPIENTS] = options->client_rate_unknown_recipients,
            [RATE_ERRORS] = options->client_rate_errors,
            [RATE_TRANSACTIONS] = options->client_rate_transactions,
        };
        bool is_rated = client_is_rated(snapshot, client);

        if (!is_rated)
                text_put(text, SPAN("exempt"));
        for (enum rate_kind kind = 0; kind < RATE_KINDS && is_rated; kind++) {
                text_put_string(text, kind == 0 ? "" : ", ");
                text_put_string(text, rate_kind_name(kind));
                text_put_char(text, ' ');
                rate_write(text, &limits[kind]);
        }
}
