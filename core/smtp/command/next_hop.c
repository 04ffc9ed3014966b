/* Which recipients go together, and what a next hop's words come to. */
#include "core/smtp/command/next_hop.h"

#include "conf/value/next_hop.h"

bool next_hop_is_asked(const struct message *message)
{
        const struct deliver_target *target = &message->recipients->domain->deliver;
        return target->kind == DELIVER_HOPS && target->journal != JOURNAL_ALWAYS;
}

bool next_hop_takes_too(const struct message *message, const struct domain *domain)
{
        bool goes_to_hops = domain->deliver.kind == DELIVER_HOPS;

        if (message->recipients == NULL)
                return true;
        const struct domain *first = message->recipients->domain;
        bool goes_elsewhere = first->deliver.kind != DELIVER_HOPS;
        if (first == domain || (!goes_to_hops && goes_elsewhere))
                return !goes_to_hops || message->recipient_count < NEXT_HOP_RECIPIENTS_MAX;
        return goes_to_hops && !goes_elsewhere && first->deliver.journal == domain->deliver.journal &&
               next_hops_are_same(first->deliver.hops, domain->deliver.hops) &&
               message->recipient_count < NEXT_HOP_RECIPIENTS_MAX;
}

enum reply_id next_hop_reply(const struct store_report *report)
{
        if (report->outcome == STORE_REFUSED_BY_HOP)
                return REPLY_hop_refused;
        return report->outcome == STORE_DEFERRED_BY_HOP ? REPLY_hop_deferred : REPLY_hop_not_ready;
}

void next_hop_record(struct session *session, const struct reply_about *about)
{
        struct transaction *transaction = session->transaction;

        if (about->code == 0)
                return;
        transaction->final_code = about->code;
        transaction->final_enhanced = arena_copy(&transaction->arena, about->enhanced);
}
