/* Whoever checks TLSA records or policies does not deliver when they are wrong, and we would never hear of it. */
#include "workers/cli/tls/published.h"

#include "dns/name.h"
#include "workers/cli/dns.h"
#include "workers/tls/certificate.h"
#include "workers/tls/tlsa.h"

#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <stdio.h>

#define ANSWER_WAIT_MS 20000
#define FAILURES_MAX   3 /* so many in a row, and DNS counts as not working */
#define NAME_SIZE      (DNS_NAME_MAX + 16)
#define POLICY_SIZE    4096
#define POLICY_AGE_S   604800 /* a week */
#define MEMORY_MAX     ((size_t)1 << 20)

struct published_look {
        const struct snapshot *snapshot;
        const struct tls_contexts *contexts;
        struct place place;
        struct conf_complaints *complaints;
        struct cli_dns dns;
        struct block_pool pool;
        struct arena memory;    /* of one name's answers */
        unsigned failures;      /* in a row */
        struct name_table seen; /* names whose TLSA records were asked for */
};

static void complain(struct published_look *look, enum complaint_kind kind, const char *name,
                     const char *text)
{
        conf_complain(look->complaints, kind, &look->place, "%s: %s", name, text);
}

/* What was asked about the name before is forgotten. */
static void begin_name(struct published_look *look)
{
        arena_end(&look->memory);
        arena_init(&look->memory, &look->pool, MEMORY_MAX);
}

/* ---- questions ----------------------------------------------------------------------------------------- */

/* The answer stays valid until the next name's look begins. */
static const struct dns_answer *ask(struct published_look *look, const char *name, enum dns_type type)
{
        static const struct dns_answer failed = {.fact = FACT_FAILED};
        const struct dns_reply_message *message;
        const struct dns_answer *answer;
        struct memo memo;

        if (look->failures >= FAILURES_MAX)
                return &failed;
        memo_init(&memo, &look->memory, look->dns.source, 0, 1);
        while (memo_ask(&memo, span_from(name), type, &answer) == FACT_PENDING) {
                if ((message = cli_dns_wait(&look->dns, ANSWER_WAIT_MS)) != NULL)
                        memo_settle(&memo, &message->question, &message->answer);
                else
                        memo.is_late = true;
        }
        look->failures = answer->fact == FACT_FAILED ? look->failures + 1 : 0;
        if (answer->fact == FACT_FAILED)
                conf_complain(look->complaints, COMPLAINT_WARNING, &look->place,
                              "%s: DNS does not answer for %s", name, dns_type_name(type));
        return answer;
}

/* ---- TLSA ---------------------------------------------------------------------------------------------- */

static bool is_vouched_for(const struct dns_answer *answer, const struct tls_certificate *certificate)
{
        for (size_t i = 0; i < answer->record_count; i++)
                if (tlsa_matches(certificate, answer->records[i].data))
                        return true;
        return false;
}

/* For one name under which clients may come to us. */
static void look_at_tlsa(struct published_look *look, struct span name)
{
        struct tls_certificate *shown[TLS_KINDS_MAX];
        char owner[NAME_SIZE], octets[160];
        struct text record;

        if (look->contexts == NULL || name_table_find(&look->seen, name, NULL))
                return;
        name_table_add(&look->seen, name, 0);
        begin_name(look);
        snprintf(owner, sizeof owner, "_25._tcp.%.*s", (int)name.length, name.at);
        size_t count = tls_contexts_shown(look->contexts, name, shown);
        for (size_t i = 0; i < count; i++) {
                text_over(&record, octets, sizeof octets);
                tlsa_put(shown[i], &record);
                printf("%s. IN TLSA %.*s ; %s\n", owner, (int)record.length, record.at, shown[i]->kind);
        }
        const struct dns_answer *answer = ask(look, owner, DNS_TLSA);
        if (answer->fact == FACT_ABSENT)
                complain(look, COMPLAINT_NOTE, owner, "no TLSA record is published");
        for (size_t i = 0; answer->fact == FACT_FOUND && i < count; i++)
                conf_complain(
                    look->complaints, is_vouched_for(answer, shown[i]) ? COMPLAINT_NOTE : COMPLAINT_ERROR,
                    &look->place,
                    is_vouched_for(answer, shown[i])
                        ? "%s: a published TLSA record is right for %s"
                        : "%s: no published TLSA record is right for %s: clients that go by DANE will not "
                          "deliver",
                    owner, shown[i]->path);
}

/* Names that stand for a single host, of the certificates of domains. */
static void look_at_names(struct published_look *look)
{
        look_at_tlsa(look, span_from(look->snapshot->options.hostname));
        for (size_t i = 0; look->contexts != NULL && i < tls_contexts_certificate_count(look->contexts);
             i++) {
                const struct tls_certificate *certificate = tls_contexts_certificate(look->contexts, i);
                for (size_t j = 0; j < certificate->name_count; j++)
                        if (certificate->names[j][0] != '*')
                                look_at_tlsa(look, span_from(certificate->names[j]));
        }
}

/* ---- MTA-STS ------------------------------------------------------------------------------------------- */

static bool has_exchange(const struct dns_answer *exchanges)
{
        for (size_t i = 0; exchanges->fact == FACT_FOUND && i < exchanges->record_count; i++)
                if (exchanges->records[i].data.length > 0) /* RFC 7505: there is none */
                        return true;
        return false;
}

static void write_policy(struct published_look *look, const struct dns_answer *exchanges, struct text *policy)
{
        text_put_string(policy, "version: STSv1\nmode: testing\n");
        for (size_t i = 0; exchanges->fact == FACT_FOUND && i < exchanges->record_count; i++)
                if (exchanges->records[i].data.length > 0)
                        text_printf(policy, "mx: %.*s\n", (int)exchanges->records[i].data.length,
                                    exchanges->records[i].data.at);
        if (exchanges->fact != FACT_FOUND)
                text_printf(policy, "mx: %s\n", look->snapshot->options.hostname);
        text_printf(policy, "max_age: %d\n", POLICY_AGE_S);
}

/* An id that changes with the policy, and only with it (RFC 8461 3.1). */
static void write_id(struct span policy, char ret_id[static 33])
{
        unsigned char digest[EVP_MAX_MD_SIZE] = {0};
        struct text id;

        EVP_Digest(policy.at, policy.length, digest, NULL, EVP_sha256(), NULL);
        text_over(&id, ret_id, 33);
        text_put_hex(&id, digest, 16);
        text_put_char(&id, '\0');
}

static bool is_covered(const struct tls_contexts *contexts, struct span name)
{
        struct tls_certificate *shown[TLS_KINDS_MAX];
        size_t count = contexts == NULL ? 0 : tls_contexts_shown(contexts, name, shown);

        for (size_t i = 0; i < count; i++)
                if (X509_check_host(shown[i]->leaf, name.at, name.length, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT,
                                    NULL) != 1)
                        return false;
        return count > 0;
}

static void look_at_exchanges(struct published_look *look, const char *domain,
                              const struct dns_answer *exchanges, bool has_policy)
{
        enum complaint_kind kind = has_policy ? COMPLAINT_WARNING : COMPLAINT_NOTE;

        for (size_t i = 0; exchanges->fact == FACT_FOUND && i < exchanges->record_count; i++) {
                struct span name = exchanges->records[i].data;
                if (name.length > 0 && !is_covered(look->contexts, name))
                        conf_complain(
                            look->complaints, kind, &look->place,
                            "%s: no certificate here is for its MX %.*s: if that is this server, clients "
                            "that go by MTA-STS will not deliver",
                            domain, (int)name.length, name.at);
        }
}

/* Returns how many records are a policy's (RFC 8461 3.1: all others do not count). */
static size_t find_policies(const struct dns_answer *texts, struct span *ret_text)
{
        size_t count = 0;

        for (size_t i = 0; texts->fact == FACT_FOUND && i < texts->record_count; i++)
                if (span_starts_nocase(texts->records[i].data, SPAN("v=STSv1"))) {
                        *ret_text = texts->records[i].data;
                        count++;
                }
        return count;
}

static bool has_id(struct span text, const char *id)
{
        char wanted[40];
        int length = snprintf(wanted, sizeof wanted, "id=%s", id);

        return memmem(text.at, text.length, wanted, (size_t)length) != NULL;
}

/* Prints the record and the policy that fit the MX of the domain, or complains why there is none. False then. */
static bool print_policy(struct published_look *look, const char *name, const char *owner,
                         const struct dns_answer *exchanges, char ret_id[static 33])
{
        char octets[POLICY_SIZE];
        struct text policy;

        if (exchanges->fact == FACT_FAILED) {
                complain(look, COMPLAINT_WARNING, name,
                         "MX of it could not be asked, so no policy is printed");
                return false;
        }
        if (exchanges->fact == FACT_FOUND && !has_exchange(exchanges)) {
                complain(look, COMPLAINT_NOTE, name,
                         "its MX says that it takes no mail (RFC 7505), so no policy is printed");
                return false;
        }
        if (exchanges->fact == FACT_ABSENT)
                conf_complain(look->complaints, COMPLAINT_NOTE, &look->place,
                              "%s: there is no MX: in the policy stands %s instead, our hostname", name,
                              look->snapshot->options.hostname);
        text_over(&policy, octets, sizeof octets);
        write_policy(look, exchanges, &policy);
        write_id(text_span(&policy), ret_id);
        printf("\n%s. IN TXT \"v=STSv1; id=%s;\"\n# https://mta-sts.%s/.well-known/mta-sts.txt\n%.*s", owner,
               ret_id, name, (int)policy.length, policy.at);
        return true;
}

/* `id`: of the policy that is right; NULL: none was printed. */
static void compare_policy(struct published_look *look, const char *owner, struct span text, const char *id)
{
        complain(look, COMPLAINT_NOTE, owner,
                 id == NULL         ? "a policy is published, and cannot be compared"
                 : has_id(text, id) ? "the policy of this id is published"
                                    : "a policy is published by another id; compare it with this one");
}

static void look_at_policy(struct published_look *look, const struct domain *domain)
{
        char name[DNS_NAME_MAX + 1], owner[NAME_SIZE], id[33];
        struct span text;

        begin_name(look);
        span_copy_cut(domain->name, name, sizeof name);
        snprintf(owner, sizeof owner, "_mta-sts.%s", name);
        const struct dns_answer *exchanges = ask(look, name, DNS_MX);
        bool is_printed = print_policy(look, name, owner, exchanges, id);
        const struct dns_answer *texts = ask(look, owner, DNS_TXT);
        size_t policies = find_policies(texts, &text);
        look_at_exchanges(look, name, exchanges, policies > 0);
        if (policies > 1)
                complain(look, COMPLAINT_WARNING, owner,
                         "more than one policy is published, so that none counts");
        else if (policies == 1)
                compare_policy(look, owner, text, is_printed ? id : NULL);
        else if (texts->fact != FACT_FAILED)
                complain(look, COMPLAINT_NOTE, owner, "no policy is published");
}

/* ---- all ----------------------------------------------------------------------------------------------- */

void published_check(const struct snapshot *snapshot, const struct tls_contexts *contexts, const char *path,
                     struct conf_complaints *complaints)
{
        const struct endpoint_list *resolvers = &snapshot->options.resolvers;
        struct published_look look = {
            .snapshot = snapshot, .contexts = contexts, .place = {path, 0}, .complaints = complaints};

        if (resolvers->count == 0) {
                complain(&look, COMPLAINT_ERROR, "resolvers", "--dns needs some");
                return;
        }
        if (!cli_dns_open(&look.dns, resolvers->endpoints, resolvers->count)) {
                complain(&look, COMPLAINT_ERROR, "--dns", "cannot start the resolver");
                return;
        }
        block_pool_init(&look.pool, 65536, 0);
        arena_init(&look.memory, &look.pool, MEMORY_MAX);
        look_at_names(&look);
        for (size_t i = 0; i < snapshot->domain_count; i++)
                look_at_policy(&look, &snapshot->domains[i]);
        name_table_end(&look.seen);
        arena_end(&look.memory);
        block_pool_end(&look.pool);
        cli_dns_close(&look.dns);
}
