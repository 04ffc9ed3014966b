/* Return-Path and Delivered-To. What a client said stands in them as the grammar of paths let it pass. */
#include "core/mail/front.h"

#include "core/base/local_part.h"

static const struct domain_options *options_of(const struct recipient *recipient)
{
        return &domain_of_mailboxes(recipient->domain)->options;
}

static void put_end(struct text *front, const char *before, enum newline_form newline)
{
        text_put_string(front, before);
        text_put(front, newline == NEWLINE_LF ? SPAN("\n") : SPAN("\r\n"));
}

void front_put_return_path(struct text *front, struct span sender, enum newline_form newline)
{
        text_put_string(front, "Return-Path: <");
        text_put(front, sender);
        put_end(front, ">", newline);
}

/* A bare <postmaster> has no address but that of his mailbox. */
static void put_delivered_to(struct text *front, const struct recipient *recipient, enum newline_form newline)
{
        enum delivered_to form = options_of(recipient)->delivered_to;

        if (form == DELIVERED_TO_NOT)
                return;
        text_put_string(front, "Delivered-To: ");
        if (form == DELIVERED_TO_ADDRESS && span_find_last(recipient->address, '@') != SIZE_MAX) {
                text_put(front, recipient->address);
        } else {
                local_part_write(recipient->mailbox, front);
                text_put_char(front, '@');
                text_put(front, domain_of_mailboxes(recipient->domain)->name);
        }
        put_end(front, "", newline);
}

void front_write(struct text *front, const struct message *message, const struct recipient *recipient)
{
        if (options_of(recipient)->return_path != FIELD_NO)
                front_put_return_path(front, message->sender, message->newline);
        put_delivered_to(front, recipient, message->newline);
}

static bool all_want_return_path(const struct recipient *recipient)
{
        for (; recipient != NULL; recipient = recipient->next)
                if (options_of(recipient)->return_path != FIELD_YES)
                        return false;
        return true;
}

void front_write_for_hop(struct text *front, const struct message *message)
{
        if (all_want_return_path(message->recipients))
                front_put_return_path(front, message->sender, NEWLINE_CRLF);
        if (message->recipient_count == 1)
                put_delivered_to(front, message->recipients, NEWLINE_CRLF);
}
