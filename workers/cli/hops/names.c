/* Each name is asked for once, by the configuration's own resolvers, as hop threads do. */
#include "workers/cli/hops/names.h"

#include "conf/value/next_hop.h"
#include "core/base/name_table.h"
#include "workers/cli/dns.h"

#define ANSWER_WAIT_MS 20000
#define MEMORY_MAX     ((size_t)1 << 20)

struct look {
        struct place place;
        struct conf_complaints *complaints;
        struct cli_dns dns;
        struct block_pool pool;
        struct name_table seen;
};

/* Prints what there is, and tells what came of it. */
static enum fact ask(struct look *look, struct memo *memo, struct span name, enum dns_type type)
{
        const struct dns_question question = {.name = name, .type = type};
        const struct dns_reply_message *message;
        const struct dns_answer *answer;

        while (memo_ask(memo, name, type, &answer) == FACT_PENDING) {
                if ((message = cli_dns_wait(&look->dns, ANSWER_WAIT_MS)) != NULL)
                        memo_settle(memo, &message->question, &message->answer);
                else
                        memo->is_late = true;
        }
        cli_dns_print("next hop", &question, answer);
        return answer->fact;
}

static void look_at(struct look *look, const char *name)
{
        struct arena memory;
        struct memo memo;

        if (name_table_find(&look->seen, span_from(name), NULL))
                return;
        name_table_add(&look->seen, span_from(name), 0);
        arena_init(&memory, &look->pool, MEMORY_MAX);
        memo_init(&memo, &memory, look->dns.source, 0, 2);
        enum fact a = ask(look, &memo, span_from(name), DNS_A);
        enum fact aaaa = ask(look, &memo, span_from(name), DNS_AAAA);
        if (a != FACT_FOUND && aaaa != FACT_FOUND) {
                bool has_failed = a == FACT_FAILED || aaaa == FACT_FAILED;
                conf_complain(look->complaints, has_failed ? COMPLAINT_WARNING : COMPLAINT_ERROR,
                              &look->place, "next hop %s: %s", name,
                              has_failed ? "DNS does not answer for its name" : "its name has no address");
        }
        arena_end(&memory);
}

static void look_at_target(struct look *look, const struct deliver_target *deliver)
{
        for (size_t i = 0; deliver->kind == DELIVER_HOPS && i < deliver->hops->count; i++)
                if (deliver->hops->hops[i].kind == NEXT_HOP_AT_NAME)
                        look_at(look, deliver->hops->hops[i].name);
}

/* Those of single recipients as well. */
static void look_at_all(struct look *look, const struct snapshot *snapshot)
{
        for (size_t i = 0; i < snapshot->domain_count; i++) {
                const struct recipient_sets *sets = snapshot->domains[i].sets;
                look_at_target(look, &snapshot->domains[i].deliver);
                for (size_t j = 0; sets != NULL && j < sets->count; j++)
                        look_at_target(look, &sets->sets[j].deliver);
        }
}

void hop_names_check(const struct snapshot *snapshot, const char *path, struct conf_complaints *complaints)
{
        struct look look = {.place = {path, 0}, .complaints = complaints};

        if (snapshot->options.resolvers.count == 0)
                return;
        block_pool_init(&look.pool, 4096, 4);
        if (cli_dns_open_configured(&look.dns, &snapshot->options)) {
                look_at_all(&look, snapshot);
                cli_dns_close(&look.dns);
        } else {
                conf_complain(complaints, COMPLAINT_ERROR, &look.place, "DNS: out of memory");
        }
        name_table_end(&look.seen);
        block_pool_end(&look.pool);
}
