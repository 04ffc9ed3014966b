/* Attributes: what a policy service is told, by the names and in the order that Postfix has them. Those that nobody
 * here knows are left out, as by a Postfix that is too old for them. */
#include "workers/inbound/filter/internal.h"

struct list {
        struct delegation_attribute *attributes;
        size_t count;
        struct text *text; /* of numbers and addresses */
};

static void add(struct list *list, const char *name, struct span value)
{
        list->attributes[list->count++] = (struct delegation_attribute){name, value};
}

static void add_number(struct list *list, const char *name, uint64_t number)
{
        size_t begin = list->text->length;

        text_put_number(list->text, number);
        add(list, name, span_skip(text_span(list->text), begin));
}

static void add_address(struct list *list, const char *name, const struct address *address)
{
        size_t begin = list->text->length;

        address_write(list->text, address);
        add(list, name, span_skip(text_span(list->text), begin));
}

static struct span name_or_unknown(struct span name)
{
        return name.length > 0 ? name : SPAN("unknown");
}

/* Of several recipients a text has none; their number is told about a text alone. */
static void add_message(struct list *list, const struct filter_question *question)
{
        const struct message *message = question->message;
        bool is_text = question->about == FILTER_ABOUT_TEXT;

        add(list, "queue_id", span_from(message->id));
        add(list, "sender", message->sender);
        if (!is_text)
                add(list, "recipient", question->recipient);
        else
                add(list, "recipient",
                    message->recipient_count == 1 ? message->recipients->address : SPAN(""));
        add_number(list, "recipient_count", is_text ? message->recipient_count : 0);
}

static void add_client(struct list *list, const struct session *session,
                       const struct filter_question *question)
{
        add_address(list, "client_address", &session->peer.client);
        add(list, "client_name", name_or_unknown(question->client_name));
        add(list, "reverse_client_name", name_or_unknown(question->reverse_name));
}

static void add_rest(struct list *list, const struct session *session, const struct filter_question *question)
{
        uint64_t size = question->about == FILTER_ABOUT_TEXT
                            ? question->message->content.length - question->own
                            : question->message->declared_size;

        add(list, "instance", span_from(question->message->id));
        add(list, "sasl_method", SPAN(""));
        add(list, "sasl_username", SPAN(""));
        add(list, "sasl_sender", SPAN(""));
        add_number(list, "size", size);
        add(list, "encryption_protocol", span_from(question->tls_version));
        add(list, "encryption_cipher", span_from(question->tls_cipher));
        add(list, "etrn_domain", SPAN(""));
        add_number(list, "client_port", session->peer.client_port);
}

size_t attributes_of(const struct filtering *filtering, const struct mail_filter *filter,
                     struct delegation_attribute *ret_attributes)
{
        struct filter_work *work = filtering->worker->filters;
        const struct session *session = filtering_session(filtering);
        const struct filter_question *question = &filtering->question;
        struct list list = {ret_attributes, 0, &work->macro_text};

        text_over(&work->macro_text, work->macro_octets, sizeof work->macro_octets);
        add(&list, "request", SPAN("smtpd_access_policy"));
        add(&list, "protocol_state",
            question->about == FILTER_ABOUT_TEXT ? SPAN("END-OF-MESSAGE") : SPAN("RCPT"));
        add(&list, "protocol_name", session->is_esmtp ? SPAN("ESMTP") : SPAN("SMTP"));
        add(&list, "helo_name", session->helo);
        add_message(&list, question);
        add_client(&list, session, question);
        add_rest(&list, session, question);
        add(&list, "policy_context", span_from(filter->options.policy_context));
        add_address(&list, "server_address", &session->peer.server);
        add_number(&list, "server_port", session->peer.server_port);
        return list.count;
}
