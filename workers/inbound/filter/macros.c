/* Macros: what filters are told beside the steps, by the names that sendmail has given them. */
#include "workers/inbound/filter/internal.h"

static void add(struct filter_work *work, size_t *count, const char *name, struct span value)
{
        work->macros[(*count)++] = (struct milter_macro){name, value};
}

static void add_string(struct filter_work *work, size_t *count, const char *name, const char *value)
{
        add(work, count, name, span_from(value));
}

/* The end of what was written to macro_text from `begin` on. */
static struct span written(const struct filter_work *work, size_t begin)
{
        return span_of(work->macro_text.at + begin, work->macro_text.length - begin);
}

static void add_address(struct filter_work *work, size_t *count, const char *name,
                        const struct address *address)
{
        size_t begin = work->macro_text.length;

        address_write(&work->macro_text, address);
        add(work, count, name, written(work, begin));
}

static void add_number(struct filter_work *work, size_t *count, const char *name, uint64_t number)
{
        size_t begin = work->macro_text.length;

        text_put_number(&work->macro_text, number);
        add(work, count, name, written(work, begin));
}

/* "mail.example.com [192.0.2.7]" */
static void add_name_and_address(struct filter_work *work, size_t *count, const char *macro, struct span name,
                                 const struct address *address)
{
        size_t begin = work->macro_text.length;

        text_put(&work->macro_text, name);
        text_put_string(&work->macro_text, name.length > 0 ? " [" : "[");
        address_write(&work->macro_text, address);
        text_put_char(&work->macro_text, ']');
        add(work, count, macro, written(work, begin));
}

/* "mail.example.com", or "[192.0.2.7]" of a client without a name. */
static void add_name(struct filter_work *work, size_t *count, const char *macro, struct span name,
                     const struct address *address)
{
        if (name.length > 0)
                add(work, count, macro, name);
        else
                add_name_and_address(work, count, macro, name, address);
}

static void add_of_connection(struct filter_work *work, size_t *count, const struct session *session,
                              const struct filter_question *question)
{
        const struct address *client = &session->peer.client;

        add_string(work, count, "j", session->snapshot->options.hostname);
        add_string(work, count, "{daemon_name}", session->snapshot->options.hostname);
        add_address(work, count, "{daemon_addr}", &session->peer.server);
        add_number(work, count, "{daemon_port}", session->peer.server_port);
        add_string(work, count, "v", "gatepost");
        add_name_and_address(work, count, "_", question->client_name, client);
        add_name(work, count, "{client_name}", question->client_name, client);
        add_name(work, count, "{client_ptr}", question->reverse_name, client);
        add_address(work, count, "{client_addr}", client);
        add_number(work, count, "{client_port}", session->peer.client_port);
}

struct milter_macros macros_of(const struct filter_link *link, enum link_step step)
{
        struct filtering *filtering = link->filtering;
        struct filter_work *work = filtering->worker->filters;
        const struct filter_question *question = &filtering->question;
        size_t count = 0;

        text_over(&work->macro_text, work->macro_octets, sizeof work->macro_octets);
        if (step == LINK_CONNECT)
                add_of_connection(work, &count, filtering_session(filtering), question);
        if (step == LINK_HELO) {
                add_string(work, &count, "{tls_version}", question->tls_version);
                add_string(work, &count, "{cipher}", question->tls_cipher);
        }
        if (step >= LINK_MAIL)
                add_string(work, &count, "i", question->message->id);
        if (step == LINK_MAIL)
                add(work, &count, "{mail_addr}", question->message->sender);
        if (step == LINK_RCPT)
                add(work, &count, "{rcpt_addr}",
                    link->untold != NULL ? link->untold->address : question->recipient);
        return (struct milter_macros){work->macros, count};
}

struct span macro_value(struct milter_macros macros, const char *name)
{
        for (size_t i = 0; i < macros.count; i++)
                if (strcmp(macros.at[i].name, name) == 0)
                        return macros.at[i].value;
        return SPAN("");
}
