/* What a next hop has said of recipients is remembered, for the next mail for them: see core/lookup/rulings.h. */
#include "workers/hop/internal.h"

/* "x.1.1" and the like (RFC 3463): the mailbox is not there, whoever sends. What else a hop has against a recipient may
 * be due to the message, its sender or its client. */
static bool is_of_mailbox(const struct transfer_recipient *recipient)
{
        static const char *const details[] = {".1.1", ".1.2", ".1.3", ".1.6", ".1.10", ".2.1"};

        for (size_t i = 0; i < sizeof details / sizeof details[0]; i++)
                if (strcmp(recipient->enhanced + 1, details[i]) == 0)
                        return true;
        return false;
}

/* Where others are taken, or come to another end, they must not meet this answer again: it is kept for the next tries
 * of such mail. What is deferred behind the text is to be tried again as it is. */
static bool parts(const struct transfer *transfer, const struct transfer_recipient *recipient)
{
        uint32_t refused = transfer_count(transfer, FATE_REFUSED);
        uint32_t deferred = transfer_count(transfer, FATE_DEFERRED);

        if (recipient->fate == FATE_REFUSED)
                return refused < transfer->recipient_count + transfer->left_out;
        return !transfer->is_open && refused + deferred < transfer->recipient_count;
}

static void note(struct hop_thread *thread, const struct transfer *transfer,
                 const struct transfer_recipient *recipient)
{
        const struct hop_settings *settings = &thread->settings;
        struct ruling ruling = transfer_ruling(transfer, recipient);

        if (recipient->fate == FATE_REFUSED && recipient->is_of_rcpt &&
            (transfer->is_callout || is_of_mailbox(recipient)))
                rulings_put(thread->remembered->rulings, &recipient->keys.recipient, &ruling, thread->now_ms,
                            settings->refusals_ms);
        else if (!transfer->is_callout && parts(transfer, recipient))
                rulings_put(thread->remembered->rulings, &recipient->keys.mail, &ruling, thread->now_ms,
                            settings->partings_ms);
}

void remember_fates(struct hop_thread *thread, const struct transfer *transfer)
{
        /* No client will come again with what the journal hands out. */
        if (thread->remembered == NULL || transfer->delivery != NULL)
                return;
        for (uint32_t i = 0; i < transfer->recipient_count; i++) {
                const struct transfer_recipient *recipient = &transfer->recipients[i];
                bool is_said = recipient->fate == FATE_REFUSED || recipient->fate == FATE_DEFERRED;
                /* 421 is said of the connection. */
                if (is_said && recipient->code != 421)
                        note(thread, transfer, recipient);
                else if (transfer->is_callout && recipient->is_accepted)
                        rulings_put(thread->remembered->rulings, &recipient->keys.recipient,
                                    &(struct ruling){.kind = RULING_TAKES}, thread->now_ms,
                                    thread->settings.acceptances_ms);
        }
}
