/* What a tape has of the facts, and how its records are put together. */
#include "core/check/dns/dnsbl.h"
#include "core/base/domain_name.h"
#include "core/smtp/internal.h"
#include "core/smtp/tape/internal.h"

static const char letters[] = {
#define RECORD(name, letter, fields) [RECORD_##name] = letter,
#include "core/smtp/tape/tape.def"
};

/* ---- pieces -------------------------------------------------------------------------------------------- */

void tape_put_record(struct text *text, enum tape_record record)
{
        if (text->length > 0)
                text_put_char(text, ' ');
        text_put_char(text, letters[record]);
}

static bool is_plain(char c)
{
        return c > ' ' && c < 0x7f && strchr("%,\"\\~", c) == NULL;
}

static void put_octets(struct text *text, struct span octets)
{
        for (size_t i = 0; i < octets.length; i++) {
                uint8_t octet = (uint8_t)octets.at[i];
                if (is_plain(octets.at[i])) {
                        text_put_char(text, octets.at[i]);
                        continue;
                }
                text_put_char(text, '%');
                text_put_hex(text, &octet, 1);
        }
}

void tape_put_field(struct text *text, struct span octets)
{
        text_put_char(text, ',');
        put_octets(text, octets);
}

void tape_put_number(struct text *text, uint64_t number)
{
        text_put_char(text, ',');
        text_put_number(text, number);
}

void tape_put_address(struct text *text, const struct address *address)
{
        text_put_char(text, ',');
        address_write(text, address);
}

void tape_put_check(struct text *text, enum check_id check)
{
        tape_put_field(text, check == CHECK_COUNT ? SPAN("") : span_from(check_infos[check].name));
}

void tape_put_reply(struct text *text, enum reply_id reply)
{
        tape_put_field(text, reply == REPLY_NONE ? SPAN("") : span_from(reply_infos[reply].name));
}

/* ---- facts --------------------------------------------------------------------------------------------- */

static void put_dns_record(struct text *text, enum dns_type type, const struct dns_record *record)
{
        text_put_char(text, ',');
        if (type == DNS_MX) {
                text_put_number(text, record->preference);
                text_put_char(text, ':');
        }
        if (type == DNS_A || type == DNS_AAAA)
                text_put_hex(text, (const uint8_t *)record->data.at, record->data.length);
        else
                put_octets(text, record->data);
}

static char letter_of(const struct dns_answer *answer)
{
        if (answer->fact == FACT_ABSENT && answer->is_nxdomain)
                return TAPE_NXDOMAIN;
        return answer->fact == FACT_FAILED && answer->is_too_large ? TAPE_TOO_LARGE
                                                                   : tape_facts[answer->fact];
}

/* What such a list says decides nothing. */
static bool is_suspended(const struct snapshot *snapshot, struct span name)
{
        for (size_t i = 0; i < snapshot->zone_count; i++)
                if (zone_is_suspended(&snapshot->zones[i]) &&
                    domain_name_is_within(name, snapshot->zones[i].name))
                        return true;
        return false;
}

/* What came too late counts as failed; what is not known yet nobody went by. */
static void put_question(const struct session *session, const struct memo *memo,
                         const struct memo_entry *entry, uint32_t transaction)
{
        const struct dns_answer *answer = &entry->answer;
        bool is_late = memo->is_late && answer->fact == FACT_PENDING;
        char letter = is_late ? tape_facts[FACT_FAILED] : letter_of(answer);
        struct text *text = &session->tape->text;

        if (answer->fact == FACT_PENDING && !is_late)
                return;
        if (is_suspended(session->snapshot, entry->question.name))
                letter = TAPE_NXDOMAIN;
        tape_put_record(text, RECORD_question);
        tape_put_number(text, transaction);
        tape_put_field(text, span_from(dns_type_name(entry->question.type)));
        tape_put_field(text, entry->question.name);
        tape_put_field(text, span_of(&letter, 1));
        for (uint16_t i = 0; letter == tape_facts[FACT_FOUND] && i < answer->record_count; i++)
                put_dns_record(text, entry->question.type, &answer->records[i]);
}

void tape_put_memo(const struct session *session, const struct memo *memo, uint32_t transaction)
{
        for (const struct memo_entry *entry = memo->entries; entry != NULL && !session->tape->text.overflowed;
             entry = entry->next)
                put_question(session, memo, entry, transaction);
}

static void put_senders(struct text *text, const struct sender_memo *memo, uint32_t transaction)
{
        for (const struct sender_entry *entry = memo->entries; entry != NULL; entry = entry->next) {
                bool is_pending = entry->fact == FACT_PENDING;
                if (is_pending && !memo->is_late)
                        continue;
                tape_put_record(text, RECORD_sender);
                tape_put_number(text, transaction);
                text_put_char(text, ',');
                text_put_hex(text, entry->key.unkeyed, sizeof entry->key.unkeyed);
                tape_put_field(text, span_of(&tape_facts[is_pending ? FACT_FAILED : entry->fact], 1));
                tape_put_number(text, entry->record.first_s);
                tape_put_number(text, entry->record.last_s);
                tape_put_number(text, entry->record.expires_s);
                tape_put_number(text, entry->record.count);
        }
}

/* A session that is played again has them from the tape. */
void tape_put_facts(struct session *session)
{
        struct tape *tape = session->tape;
        const struct transaction *transaction = session->transaction;

        if (!tape->has_facts && session->host->recall == NULL) {
                tape_put_memo(session, &transaction->memo, tape->transactions + 1);
                put_senders(&tape->text, &transaction->senders, tape->transactions + 1);
        }
        tape->has_facts = true;
}

/* Who is waited for in vain has not judged it. */
void tape_put_text(struct session *session, enum reply_id fault)
{
        const struct transaction *transaction = session->transaction;
        const struct verdict_list *list = &transaction->text_verdicts;
        struct text *text = &session->tape->text;
        uint64_t judged = fault == REPLY_NONE ? transaction->text_checks & ~(list->waiting | list->lost) : 0;

        tape_put_record(text, RECORD_text);
        tape_put_number(text, transaction->scan.size);
        tape_put_reply(text, fault);
        text_put_char(text, ',');
        for (uint64_t left = judged; left != 0; left &= left - 1) {
                text_put_string(text, check_infos[__builtin_ctzll(left)].name);
                text_put_char(text, '/');
        }
        for (const struct verdict *verdict = list->first; verdict != NULL; verdict = verdict->next) {
                if ((judged & check_bit(verdict->check)) == 0)
                        continue;
                tape_put_record(text, RECORD_verdict);
                tape_put_check(text, verdict->check);
                tape_put_field(text, span_from(verdict_result_names[verdict->result]));
                tape_put_reply(text, verdict->reply);
                tape_put_number(text, (verdict->only_observes ? TAPE_ONLY_OBSERVES : 0) |
                                          (verdict->is_quarantine ? TAPE_IS_QUARANTINE : 0));
                tape_put_field(text, verdict->subject);
                tape_put_field(text, verdict->evidence);
        }
}
