/* P13: an unknown sender is asked to come back after a while. Who it is: identity.c. */
#include "core/base/domain_name.h"
#include "core/base/local_part.h"
#include "core/check/dns/dnsbl.h"
#include "core/check/dns/reverse.h"
#include "core/check/greylist/identity.h"
#include "core/check/memory.h"

/* Two paths, an identity that is a domain with a prefix, and blanks: a triplet is never cut, or two would be one. */
#define TRIPLET_MAX (256 + LOCAL_PART_MAX + 2 * DOMAIN_NAME_MAX + 16)

enum greylist_result {
        GREYLIST_EXEMPT,  /* no condition holds, or an exception does; nothing is remembered */
        GREYLIST_ALLOWED, /* the identity has delivered often enough */
        GREYLIST_PASSED,  /* came back in time, now or before */
        GREYLIST_EARLY,   /* has been here, but not long enough ago */
        GREYLIST_FIRST,   /* first contact */
        GREYLIST_FAILED,  /* the store does not answer: passes */
        GREYLIST_PENDING,
};

/* Of one recipient. */
struct finding {
        enum greylist_result result;
        uint32_t seconds_left; /* EARLY, FIRST */
        /* FIRST, EARLY, PASSED */
        bool has_triplet_record;
        struct sender_key triplet_key;
        struct sender_record triplet_record;
};

struct greylist_memory {
        struct span identity;   /* empty: not found yet */
        struct finding finding; /* of the recipient that was judged last */
        bool is_known_sender;   /* a recipient passed for what is remembered: delivery counts */
};

/* ---- whom it is for ------------------------------------------------------------------------------------ */

enum condition { HOLDS, HOLDS_NOT, UNDECIDED };

static enum condition score_condition(const struct facts *facts, uint64_t score)
{
        char octets[DNSBL_EVIDENCE_MAX];
        struct dnsbl_tally tally = {0};

        text_over(&tally.evidence, octets, sizeof octets);
        dnsbl_count_client(facts, &tally);
        if (tally.is_pending)
                return UNDECIDED;
        return tally.score >= (int64_t)score ? HOLDS : HOLDS_NOT;
}

static enum condition unverified_condition(const struct facts *facts)
{
        struct reverse_names names;

        switch (reverse_lookup(facts, &names)) {
        case REVERSE_NONE:
        case REVERSE_UNVERIFIED:
                return HOLDS;
        case REVERSE_PENDING:
                return UNDECIDED;
        case REVERSE_VERIFIED:
        case REVERSE_FAILED:
                break;
        }
        return HOLDS_NOT;
}

static enum condition dynamic_condition(const struct facts *facts)
{
        struct verdict verdict = {0};

        switch (check_dynamic_client(facts, &verdict)) {
        case VERDICT_REFUSE:
                return HOLDS;
        case VERDICT_WAIT:
                return UNDECIDED;
        case VERDICT_PASS:
        case VERDICT_DEFER:
                break;
        }
        return HOLDS_NOT;
}

/* One that holds is enough; without any all senders are meant. */
static enum condition conditions(const struct facts *facts)
{
        const struct options *options = &facts->snapshot->options;
        enum condition result = HOLDS_NOT, each[3] = {HOLDS_NOT, HOLDS_NOT, HOLDS_NOT};

        if (options->greylist_if_score == 0 && !options->greylist_if_unverified &&
            !options->greylist_if_dynamic)
                return HOLDS;
        if (options->greylist_if_score > 0)
                each[0] = score_condition(facts, options->greylist_if_score);
        if (options->greylist_if_unverified)
                each[1] = unverified_condition(facts);
        if (options->greylist_if_dynamic)
                each[2] = dynamic_condition(facts);
        for (size_t i = 0; i < 3; i++)
                if (each[i] == HOLDS || (each[i] == UNDECIDED && result == HOLDS_NOT))
                        result = each[i];
        return result;
}

/* The domain of an identity, empty for a network. */
static struct span identity_domain(struct span identity)
{
        if (span_starts_nocase(identity, SPAN("net:")))
                return SPAN("");
        return span_skip(identity, span_find(identity, ':') + 1);
}

static bool is_in_list(struct span domain, const struct text_list *domains)
{
        for (size_t i = 0; i < domains->count && domain.length > 0; i++)
                if (domain_name_is_within(domain, span_from(domains->texts[i])))
                        return true;
        return false;
}

/* By the identity, or by the verified reverse name where SPF made the identity. */
static enum condition exception(const struct facts *facts, struct span identity)
{
        const struct text_list *domains = &facts->snapshot->options.greylist_exception_domains;
        struct reverse_names names;

        if (domains->count == 0)
                return HOLDS_NOT;
        if (is_in_list(identity_domain(identity), domains))
                return HOLDS;
        switch (reverse_lookup(facts, &names)) {
        case REVERSE_VERIFIED:
                for (size_t i = 0; i < names.count; i++)
                        if (is_in_list(names.names[i], domains))
                                return HOLDS;
                break;
        case REVERSE_PENDING:
                return UNDECIDED;
        case REVERSE_NONE:
        case REVERSE_UNVERIFIED:
        case REVERSE_FAILED:
                break;
        }
        return HOLDS_NOT;
}

/* ---- what the store says ------------------------------------------------------------------------------- */

/* "IDENTITY SENDER RECIPIENT" */
static void put_triplet(const struct facts *facts, struct span identity, struct text *text)
{
        text_put(text, identity);
        text_put_char(text, ' ');
        greylist_put_sender(text, facts->sender);
        text_put_char(text, ' ');
        text_put(text, facts->mailbox);
        text_put_char(text, '@');
        text_put(text, facts->recipient_domain);
}

static uint32_t seconds(uint64_t milliseconds)
{
        return (uint32_t)((milliseconds + 999) / 1000);
}

static enum greylist_result by_triplet(const struct facts *facts, struct finding *finding)
{
        uint32_t delay_s = seconds(facts->snapshot->options.greylist_delay_ms);
        const struct sender_record *record = &finding->triplet_record;

        finding->seconds_left = delay_s;
        /* A first contact of the future is one under a clock that has been set back: it begins anew. */
        if (!finding->has_triplet_record || sender_is_to_come(record, facts->wall_s))
                return GREYLIST_FIRST;
        if (record->count > 0 || facts->wall_s >= (int64_t)record->first_s + delay_s)
                return GREYLIST_PASSED;
        finding->seconds_left = (uint32_t)((int64_t)record->first_s + delay_s - facts->wall_s);
        return GREYLIST_EARLY;
}

static bool is_allowed(const struct facts *facts, const struct sender_record *record)
{
        uint64_t allow_after = facts->snapshot->options.greylist_auto_allow_after;
        /* Allowed by hand counts where nobody is allowed by itself, too. */
        return record->count == UINT32_MAX || (allow_after > 0 && record->count >= allow_after);
}

/* Most mail is from senders that are allowed: they cost one question. */
static enum greylist_result ask(const struct facts *facts, struct span identity, struct finding *finding)
{
        struct sender_key identity_key = sender_memo_key(facts->senders, identity);
        struct sender_record identity_record;
        char octets[TRIPLET_MAX];
        struct text triplet;
        enum fact by_identity = sender_ask(facts->senders, &identity_key, facts->wall_s, &identity_record);

        if (by_identity == FACT_FOUND && is_allowed(facts, &identity_record))
                return GREYLIST_ALLOWED;
        text_over(&triplet, octets, sizeof octets);
        put_triplet(facts, identity, &triplet);
        finding->triplet_key = sender_memo_key(facts->senders, text_span(&triplet));
        enum fact known =
            sender_ask(facts->senders, &finding->triplet_key, facts->wall_s, &finding->triplet_record);
        if (by_identity == FACT_PENDING || known == FACT_PENDING)
                return GREYLIST_PENDING;
        if (by_identity == FACT_FAILED || known == FACT_FAILED)
                return GREYLIST_FAILED;
        finding->has_triplet_record = known == FACT_FOUND;
        return by_triplet(facts, finding);
}

static enum greylist_result find(const struct facts *facts, struct greylist_memory *memory)
{
        bool is_pending = false;

        if (facts->client_has_good_history ||
            network_list_contains(&facts->snapshot->options.greylist_exceptions, &facts->client))
                return GREYLIST_EXEMPT;
        enum condition condition = conditions(facts);
        if (condition == HOLDS_NOT)
                return GREYLIST_EXEMPT;
        if (memory->identity.length == 0)
                memory->identity = greylist_identity(facts, &is_pending);
        if (is_pending || condition == UNDECIDED)
                return GREYLIST_PENDING;
        if (memory->identity.length == 0)
                return GREYLIST_FAILED;
        condition = exception(facts, memory->identity);
        if (condition == UNDECIDED)
                return GREYLIST_PENDING;
        return condition == HOLDS ? GREYLIST_EXEMPT : ask(facts, memory->identity, &memory->finding);
}

/* ---- verdict ------------------------------------------------------------------------------------------- */

static enum verdict_result defer(const struct facts *facts, const struct greylist_memory *memory,
                                 struct verdict *verdict)
{
        char octets[24];
        struct text left;

        text_over(&left, octets, sizeof octets);
        text_put_number(&left, memory->finding.seconds_left);
        verdict->reply = REPLY_greylist;
        if (facts->snapshot->options.greylist_whole_message)
                verdict->reach = REACH_MESSAGE;
        verdict->retry_after_s = memory->finding.seconds_left;
        verdict->subject = arena_copy(facts->arena, text_span(&left));
        verdict->evidence = facts_note(facts, memory->identity,
                                       memory->finding.result == GREYLIST_FIRST ? "makes first contact"
                                                                                : "came back too early");
        return VERDICT_DEFER;
}

enum verdict_result check_greylist(const struct facts *facts, struct verdict *verdict)
{
        static const struct span reasons[] = {
            [GREYLIST_EXEMPT] = {"an exception, or no condition holds", 35},
            [GREYLIST_ALLOWED] = {"the client is allowed", 21},
            [GREYLIST_PASSED] = {"came back in time", 17},
            [GREYLIST_FAILED] = {"the store does not answer", 25},
        };
        struct greylist_memory *memory = check_memory_take(facts, CHECK_greylist, sizeof *memory);

        if (memory == NULL)
                return facts_out_of_memory(verdict);
        memory->finding = (struct finding){0};
        memory->finding.result = find(facts, memory);
        switch (memory->finding.result) {
        case GREYLIST_FIRST:
        case GREYLIST_EARLY:
                return defer(facts, memory, verdict);
        case GREYLIST_PENDING:
                return VERDICT_WAIT;
        case GREYLIST_EXEMPT:
        case GREYLIST_ALLOWED:
        case GREYLIST_PASSED:
        case GREYLIST_FAILED:
                break;
        }
        verdict->evidence = reasons[memory->finding.result]; /* for explain */
        return VERDICT_PASS;
}

/* The names that make its identity. */
void greylist_prepare(const struct facts *facts)
{
        struct reverse_names names;
        if (facts->memo->source != NULL)
                reverse_lookup(facts, &names);
}

/* ---- effects ------------------------------------------------------------------------------------------- */

static void remember(const struct facts *facts, const struct sender_key *key, struct span text,
                     uint32_t first_s, uint64_t lifetime_ms, uint32_t count)
{
        uint32_t now_s = (uint32_t)facts->wall_s;
        struct sender_effect effect = {
            .key = *key,
            .record = {.first_s = first_s,
                       .last_s = now_s,
                       .expires_s = now_s + seconds(lifetime_ms),
                       .count = count},
        };

        if (facts->snapshot->options.sender_readable)
                effect.text = span_of(text.at, text.length < SENDER_TEXT_MAX ? text.length : SENDER_TEXT_MAX);
        sender_apply(facts->senders, &effect);
}

/* Mail that follows soon after other changes nothing that matters: busy senders cost no write. */
static bool is_recent(const struct facts *facts, const struct sender_record *record)
{
        uint32_t interval_s = seconds(facts->snapshot->options.greylist_auto_allow_interval_ms);
        return record->count > 0 && facts->wall_s < (int64_t)record->last_s + interval_s &&
               record->last_s <= facts->wall_s + interval_s + SENDER_CLOCKS_DIFFER_S;
}

static void remember_triplet(const struct facts *facts, const struct greylist_memory *memory,
                             uint32_t first_s, uint64_t lifetime_ms, uint32_t count)
{
        char octets[TRIPLET_MAX];
        struct text triplet;

        text_over(&triplet, octets, sizeof octets);
        put_triplet(facts, memory->identity, &triplet);
        remember(facts, &memory->finding.triplet_key, text_span(&triplet), first_s, lifetime_ms, count);
}

void greylist_commit(const struct facts *facts)
{
        const struct options *options = &facts->snapshot->options;
        struct greylist_memory *memory = check_memory_find(facts, CHECK_greylist);

        if (memory == NULL)
                return;
        const struct finding *finding = &memory->finding;
        memory->is_known_sender |= finding->result == GREYLIST_PASSED || finding->result == GREYLIST_ALLOWED;
        if (finding->result == GREYLIST_FIRST)
                remember_triplet(facts, memory, (uint32_t)facts->wall_s, options->greylist_retry_window_ms,
                                 0);
        else if (finding->result == GREYLIST_PASSED && !is_recent(facts, &finding->triplet_record))
                remember_triplet(facts, memory, finding->triplet_record.first_s,
                                 options->greylist_lifetime_ms, 1);
}

void greylist_stored(const struct facts *facts)
{
        const struct greylist_memory *memory = check_memory_find(facts, CHECK_greylist);
        struct sender_record record;

        if (memory == NULL || !memory->is_known_sender)
                return;
        struct sender_key key = sender_memo_key(facts->senders, memory->identity);
        enum fact fact = sender_ask(facts->senders, &key, facts->wall_s, &record);
        if (fact == FACT_ABSENT || (fact == FACT_FOUND && !is_recent(facts, &record)))
                remember(facts, &key, memory->identity,
                         fact == FACT_FOUND ? record.first_s : (uint32_t)facts->wall_s,
                         facts->snapshot->options.greylist_lifetime_ms, 1);
}
