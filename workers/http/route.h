/* What is answered where: the table of routes, and how a page is written. */
#pragma once

#include "core/base/address.h"

/* The codes of RFC 9110 that there is a use for. */
enum http_status {
        HTTP_OK = 200,
        HTTP_NOT_FOUND = 404,
        HTTP_METHOD_NOT_ALLOWED = 405,
        HTTP_TOO_MANY_REQUESTS = 429,
        HTTP_INTERNAL_ERROR = 500,
        HTTP_UNAVAILABLE = 503,
};

struct MHD_Connection;

struct http_request {
        struct MHD_Connection *connection;
        struct span path; /* any octets, without a question behind it */
        struct span rest; /* of the path, behind that of the route */
};

/* NULL when the client sent none. Any octets, valid for the time of the call. */
const char *http_request_header(const struct http_request *request, const char *name);

/* Who asks. Behind a proxy on this machine, which comes from loopback or by a unix socket, it is the last address in
 * X-Forwarded-For: the one that the proxy has seen itself. The unspecified address where nothing tells. */
struct address http_request_client(const struct http_request *request);

/* Writes the body to `out`, which has room for HTTP_PAGE_MAX octets, and says how the request went. A body that has no
 * room becomes a 500, and one of a 404 that has nothing in it becomes that of any 404. It is
 * called by the thread of HTTP, and waits for nothing but a disk. */
typedef enum http_status http_handler(void *context, const struct http_request *request, struct text *out);

#define HTTP_PAGE_MAX ((size_t)1 << 20)

struct http_route {
        const char *path; /* begins with '/'; the first that fits counts */
        bool is_prefix;   /* it fits all paths that begin so */
        bool is_unlisted; /* no search engine is to know the page */
        const char *type; /* Content-Type */
        /* Content-Security-Policy, beside what holds for all; such as "style-src 'sha256-...'". NULL: nothing more. */
        const char *security;
        http_handler *write;
};

/* The first route that fits the path, or NULL. The table ends with a path that is NULL. */
const struct http_route *http_route_find(const struct http_route *routes, const char *path);
