/* Paths, and what a request carries. */
#include "workers/http/route.h"

#include "conf/socket_address.h"

#include <microhttpd.h>
#include <sys/socket.h>

const char *http_request_header(const struct http_request *request, const char *name)
{
        return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

/* Of several headers of this name the last one counts. */
static enum MHD_Result keep_forwarded(void *context, enum MHD_ValueKind kind, const char *name,
                                      const char *value)
{
        const char **last = context;

        (void)kind;
        if (value != NULL && span_equals_nocase(span_from(name), SPAN("X-Forwarded-For")))
                *last = value;
        return MHD_YES;
}

static bool find_forwarded(struct MHD_Connection *connection, struct address *ret_client)
{
        const char *value = NULL;

        MHD_get_connection_values(connection, MHD_HEADER_KIND, keep_forwarded, &value);
        if (value == NULL)
                return false;
        struct span list = span_from(value);
        size_t comma = span_find_last(list, ',');
        return address_parse(span_trim(comma == SIZE_MAX ? list : span_skip(list, comma + 1)), ret_client);
}

struct address http_request_client(const struct http_request *request)
{
        const union MHD_ConnectionInfo *info =
            MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
        struct address peer = {0}, client;
        uint16_t port;

        if (info == NULL || info->client_addr == NULL ||
            !address_from_socket(info->client_addr, &peer, &port))
                peer = (struct address){0};
        bool is_proxy = address_is_loopback(&peer) || address_equals(&peer, &(struct address){0});
        return is_proxy && find_forwarded(request->connection, &client) ? client : peer;
}

const struct http_route *http_route_find(const struct http_route *routes, const char *path)
{
        while (routes->path != NULL) {
                size_t length = strlen(routes->path);
                if (routes->is_prefix ? strncmp(path, routes->path, length) == 0
                                      : strcmp(path, routes->path) == 0)
                        return routes;
                routes++;
        }
        return NULL;
}
