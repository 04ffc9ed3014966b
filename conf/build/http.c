/* Where HTTP is spoken, and who could listen there. */
#include "conf/build/internal.h"
#include "conf/value/list.h"

static void complain(struct builder *builder, enum complaint_kind kind, const char *reason)
{
        struct place place = build_option_place(builder, OPTION_AT_http_listen);
        conf_complain(builder->complaints, kind, &place, "http.listen: %s", reason);
}

static void read_path(struct builder *builder, struct span path)
{
        struct http_target *target = &builder->snapshot->http;

        target->path = path_resolve(path, builder->directory, &builder->snapshot->memory);
        if (target->path == NULL) {
                builder->out_of_memory = true;
                return;
        }
        target->kind = HTTP_AT_PATH;
        const char *fault = build_socket_path_fault(target->path);
        if (fault != NULL)
                complain(builder, COMPLAINT_ERROR, fault);
}

/* Networks, hosts of senders and what they did stand on these pages. */
static void read_address(struct builder *builder, struct span text)
{
        struct http_target *target = &builder->snapshot->http;

        if (!endpoint_parse(text, &target->endpoint)) {
                complain(builder, COMPLAINT_ERROR, "must be ADDRESS:PORT or unix:PATH");
                return;
        }
        target->kind = HTTP_AT_ADDRESS;
        if (!address_is_loopback(&target->endpoint.address))
                complain(
                    builder, COMPLAINT_WARNING,
                    "is not loopback: whoever reaches it sees whom this server refuses, without a password "
                    "and in plain text; a proxy in front of a loopback address can ask for one");
}

void build_finish_http(struct builder *builder)
{
        static const struct span unix_prefix = {"unix:", 5};
        struct span text = span_from(builder->snapshot->options.http_listen);

        if (!builder->snapshot->has_http)
                return;
        if (span_starts_nocase(text, unix_prefix) && text.length > unix_prefix.length)
                read_path(builder, span_skip(text, unix_prefix.length));
        else
                read_address(builder, text);
}
