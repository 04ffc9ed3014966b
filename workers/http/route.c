/* Paths, and what a request carries. */
#include "workers/http/route.h"

#include <microhttpd.h>

const char *http_request_header(const struct http_request *request, const char *name)
{
        return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
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
