/* A check of the stage DATA that waits for answers, for tests: linked in the place of bounce_reference, whose row
 * it uses. It waits for the store of senders, whatever that says, and for the address of text.SENDER-DOMAIN:
 * 127.0.0.2 refuses, 127.0.0.4 defers, as does a failure; no address passes. */
#include "core/check/check.h"

#include "core/base/domain_name.h"

static enum fact ask_store(const struct facts *facts)
{
        char octets[SENDER_TEXT_MAX];
        struct sender_record record;
        struct text text;

        text_over(&text, octets, sizeof octets);
        text_put_string(&text, "text ");
        text_put(&text, facts->sender);
        struct sender_key key = sender_memo_key(facts->senders, text_span(&text));
        return sender_ask(facts->senders, &key, facts->wall_s, &record);
}

static enum fact ask_dns(const struct facts *facts, const struct dns_answer **ret_answer)
{
        char octets[DOMAIN_NAME_MAX];
        struct text name;

        text_over(&name, octets, sizeof octets);
        text_put_string(&name, "text.");
        text_put(&name, facts->sender_domain_ascii);
        return memo_ask(facts->memo, text_span(&name), DNS_A, ret_answer);
}

/* The linker's name for what replaces check_bounce_reference(), see meson.build. */
enum verdict_result __wrap_check_bounce_reference(const struct facts *facts, struct verdict *verdict);

enum verdict_result __wrap_check_bounce_reference(const struct facts *facts, struct verdict *verdict)
{
        const struct dns_answer *answer;
        enum fact known = ask_store(facts), listed = ask_dns(facts, &answer);

        if (known == FACT_PENDING || listed == FACT_PENDING)
                return VERDICT_WAIT;
        verdict->evidence = facts_note(facts, facts->sender_domain, "refuses the text");
        verdict->subject = facts->sender_domain;
        if (listed == FACT_FOUND && answer->records[0].data.at[3] == 2) {
                verdict->reply = REPLY_bounce_reference;
                return VERDICT_REFUSE;
        }
        verdict->reply = REPLY_sender_mx_unsure;
        return listed == FACT_ABSENT ? VERDICT_PASS : VERDICT_DEFER;
}
