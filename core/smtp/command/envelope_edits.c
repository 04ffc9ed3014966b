/* What filters want changed of an envelope: a recipient comes in only where it is one of ours, by the same rules as for
 * RCPT. A next hop has been told the envelope by then, so that of its messages stays as it is. */
#include "core/smtp/command/envelope_edits.h"

#include "core/smtp/command/filter.h"
#include "core/smtp/command/next_hop.h"
#include "core/smtp/command/envelope.h"

#define PATH_ROOM 320 /* an address with its brackets; longer ones are none */

static const char *const told_already = "the next hop has the envelope already";

/* With the brackets that RCPT has around it. */
static bool read_path(struct span address, bool is_sender, char *octets, struct path *path)
{
        struct text text;

        text_over(&text, octets, PATH_ROOM);
        text_put_char(&text, '<');
        text_put(&text, address);
        text_put_char(&text, '>');
        struct span rest = text_span(&text);
        return !text.overflowed && path_parse(&rest, is_sender, false, false, path) && rest.length == 0;
}

/* Where it has no recipients any more, it goes to no next hop: these can be deleted nowhere else. */
static bool is_told(const struct message *message)
{
        return message->recipients != NULL && next_hop_is_asked(message);
}

/* A next hop would have had to be asked at DATA. */
static bool goes_elsewhere(const struct message *message, const struct recipient *recipient)
{
        return message->recipients == NULL
                   ? recipient_deliver(recipient)->kind == DELIVER_HOPS
                   : !next_hop_takes_too(message, recipient->settings, recipient->domain);
}

const char *session_edit_add_recipient(struct session *session, struct span address)
{
        struct message *message = &session->transaction->message;
        struct candidate candidate = {0};
        struct recipient *recipient;
        char octets[PATH_ROOM];

        if (is_told(message))
                return told_already;
        if (!read_path(address, false, octets, &candidate.path))
                return "it is no address";
        if (candidate_find(session, &candidate) != REPLY_NONE)
                return "it is no recipient of ours";
        if (message->recipient_count >= session->snapshot->options.recipients_max)
                return "there are too many recipients";
        if ((recipient = candidate_keep(session, &candidate)) == NULL)
                return "memory is out";
        if (goes_elsewhere(message, recipient))
                return "its mail goes to another destination";
        if (!recipient->is_postmaster && !filters_go_together(session, recipient->domain))
                return "its domain wants other filters";
        recipient_add(session->transaction, recipient);
        return NULL;
}

const char *session_edit_delete_recipient(struct session *session, struct span address)
{
        struct transaction *transaction = session->transaction;
        struct recipient **link = &transaction->message.recipients;

        if (is_told(&transaction->message))
                return told_already;
        while (*link != NULL && !span_equals_nocase((*link)->address, address))
                link = &(*link)->next;
        if (*link == NULL)
                return "it is no recipient of the message";
        *link = (*link)->next;
        if (*link == NULL)
                transaction->recipients_end = link;
        transaction->message.recipient_count--;
        return NULL;
}

const char *session_edit_sender(struct session *session, struct span address)
{
        struct transaction *transaction = session->transaction;
        char octets[PATH_ROOM];
        struct path path;

        if (is_told(&transaction->message))
                return told_already;
        if (!read_path(address, true, octets, &path))
                return "it is no address";
        struct span sender = arena_copy(&transaction->arena, path.address);
        if (sender.at == NULL)
                return "memory is out";
        transaction->message.sender = sender;
        return NULL;
}
