/* gatepost spf: evaluates SPF (RFC 7208) for a client and a sender, and shows what was looked up. The first
 * line is the result. */
#include "workers/cli/spf.h"

#include "conf/snapshot.h"
#include "conf/value/list.h"
#include "core/base/expect.h"
#include "core/base/local_part.h"
#include "core/check/spf/evaluate.h"
#include "core/check/spf/received.h"
#include "core/smtp/command/path.h"
#include "dns/clock.h"
#include "dns/pool/client.h"
#include "workers/cli/dns.h"
#include "workers/cli/usage.h"

#include <stdio.h>
#include <time.h>

#define QUESTIONS_MAX  200
#define ANSWER_WAIT_MS 20000

/* As spf_help has them. */
static int status_of(enum spf_result result)
{
        static const int statuses[] = {
            [SPF_PASS] = 0,  [SPF_FAIL] = 10,      [SPF_SOFTFAIL] = 11, [SPF_NEUTRAL] = 12,
            [SPF_NONE] = 13, [SPF_TEMPERROR] = 14, [SPF_PERMERROR] = 15};
        return statuses[result];
}

static void print_detail(enum spf_result result, const struct spf_detail *detail)
{
        printf("%s\n", spf_result_name(result));
        if (detail->explanation.length > 0)
                printf("explanation: %.*s\n", (int)detail->explanation.length, detail->explanation.at);
        if (detail->mechanism.length > 0)
                printf("mechanism: %.*s\n", (int)detail->mechanism.length, detail->mechanism.at);
        if (detail->problem.length > 0)
                printf("problem: %.*s\n", (int)detail->problem.length, detail->problem.at);
        for (const struct spf_lookup *lookup = detail->lookups; lookup != NULL; lookup = lookup->next)
                cli_dns_print("lookup", &lookup->question, lookup->answer);
}

static int evaluate(const struct spf_request *request, const struct endpoint *resolver)
{
        struct block_pool pool;
        struct arena arena;
        struct memo memo;
        struct cli_dns dns;
        struct spf_detail detail = {0};
        enum spf_result result;
        const struct dns_reply_message *message;

        if (!cli_dns_open(&dns, resolver, 1)) {
                fprintf(stderr, "gatepost: cannot start the resolver\n");
                return 1;
        }
        block_pool_init(&pool, 65536, 0);
        arena_init(&arena, &pool, SIZE_MAX);
        memo_init(&memo, &arena, dns.source, 0, QUESTIONS_MAX);
        while ((result = spf_evaluate(request, &memo, &arena, &detail)) == SPF_WAIT) {
                if ((message = cli_dns_wait(&dns, ANSWER_WAIT_MS)) != NULL)
                        memo_settle(&memo, &message->question, &message->answer);
                else
                        memo.is_late = true;
        }
        print_detail(result, &detail);
        arena_end(&arena);
        block_pool_end(&pool);
        cli_dns_close(&dns);
        return fflush(stdout) == 0 ? status_of(result) : 1;
}

/* "x@y", "<x@y>", "<>" or ""; a bare domain stands for postmaster there (RFC 7208 4.3). Quotes are spelling,
 * as in a session; what is no local part of SMTP stays as it is. */
static void set_sender(struct spf_request *request, struct span sender, struct text *unquoted)
{
        if (sender.length >= 2 && sender.at[0] == '<' && sender.at[sender.length - 1] == '>')
                sender = span_of(sender.at + 1, sender.length - 2);
        size_t at = span_find_last(sender, '@');
        if (at < sender.length)
                request->sender_local = span_of(sender.at, at);
        if (local_part_parse(request->sender_local, true, unquoted))
                request->sender_local = text_span(unquoted);
        request->sender_domain = at < sender.length ? span_skip(sender, at + 1) : sender;
}

const char spf_help[] =
    "usage: gatepost spf --ip ADDRESS --from ADDRESS [--helo NAME] [--resolver ADDRESS:PORT]\n\n"
    "Evaluates SPF (RFC 7208). The first line is the result; the lookups follow. --from may be <>: then the\n"
    "HELO name counts. Without --resolver the one at 127.0.0.1:53 is asked.\n\n"
    "Exit status: 0 pass, 10 fail, 11 softfail, 12 neutral, 13 none, 14 temperror, 15 permerror;\n"
    "1 it could not be evaluated; 2 wrong call.\n";

int spf_main(int argc, char **argv)
{
        const char *client = NULL, *helo = "unknown", *sender = NULL, *resolver_text = "127.0.0.1:53";
        const struct usage_option options[] = {{"ip", &client, NULL},
                                               {"helo", &helo, NULL},
                                               {"from", &sender, NULL},
                                               {"resolver", &resolver_text, NULL},
                                               {0}};
        struct spf_request request = {.receiver = SPAN("localhost"), .now_s = clock_wall_s()};
        char unquoted_octets[LOCAL_PART_MAX];
        struct text unquoted;
        struct endpoint resolver;

        if (!usage_read_options(spf_help, options, 0, argc, argv))
                return USAGE_STATUS;
        if (!endpoint_parse(span_from(resolver_text), &resolver))
                return usage_fault(spf_help, "spf: --resolver \"%s\" is not ADDRESS:PORT", resolver_text);
        if (client == NULL)
                return usage_fault(spf_help, "spf: --ip ADDRESS is missing");
        if (!address_parse(span_from(client), &request.client))
                return usage_fault(spf_help, "spf: --ip \"%s\" is no address", client);
        if (sender == NULL)
                return usage_fault(spf_help, "spf: --from ADDRESS is missing");
        request.helo = span_from(helo);
        text_over(&unquoted, unquoted_octets, sizeof unquoted_octets);
        set_sender(&request, span_from(sender), &unquoted);
        return evaluate(&request, &resolver);
}
