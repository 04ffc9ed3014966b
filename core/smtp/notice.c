/* Message text on its way past, for the checks of the stage DATA: only where one of them could say something
 * about it. */
#include "core/check/notification.h"
#include "core/smtp/internal.h"

/* Somebody's policy asks. Postmaster hears everybody (RFC 5321 4.5.1). */
static bool is_asked_for(const struct session *session)
{
        const struct recipient *recipient = session->transaction->message.recipients;

        if (session->is_trusted || !session->snapshot->check_is_wanted[CHECK_bounce_reference])
                return false;
        for (; recipient != NULL; recipient = recipient->next)
                if (!recipient->is_postmaster &&
                    recipient->domain->checks[CHECK_bounce_reference].mode != CHECK_MODE_OFF)
                        return true;
        return false;
}

void notice_begin(struct session *session)
{
        struct transaction *transaction = session->transaction;

        if (!is_asked_for(session))
                return;
        struct facts facts = stage_facts(session, &transaction->arena, &transaction->memo);
        transaction->notification = notification_begin(&facts, transaction->recipient_tag);
}

void notice_read(struct session *session, const struct content_block *block, size_t offset)
{
        struct transaction *transaction = session->transaction;
        struct notification *notification = transaction->notification;

        if (notification == NULL || notification->is_settled)
                return;
        struct facts facts = stage_facts(session, &transaction->arena, &transaction->memo);
        for (block = block == NULL ? transaction->message.content.first : block; block != NULL;
             block = block->next, offset = 0)
                notification_read(notification, &facts,
                                  span_of(block->octets + offset, block->length - offset));
}

void notice_end(struct session *session)
{
        struct transaction *transaction = session->transaction;

        if (transaction->notification == NULL)
                return;
        struct facts facts = stage_facts(session, &transaction->arena, &transaction->memo);
        notification_end(transaction->notification, &facts);
}
