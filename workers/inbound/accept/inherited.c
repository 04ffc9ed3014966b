/* The protocol of sd_listen_fds(3), without its library. */
#include "workers/inbound/accept/inherited.h"

#include "conf/socket_address.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#define FIRST_FD 3

/* ---- what was given ------------------------------------------------------------------------------------ */

static int socket_option(int fd, int level, int option)
{
        int value = 0;
        socklen_t length = sizeof value;

        return getsockopt(fd, level, option, &value, &length) == 0 ? value : -1;
}

/* The configuration names IPv4 and IPv6 apart; a socket that takes both would be one of them in the log, and the other
 * would find its port taken. */
static const char *fault_of(int fd, const struct sockaddr *address)
{
        if (socket_option(fd, SOL_SOCKET, SO_TYPE) != SOCK_STREAM)
                return "it is no stream socket";
        if (address->sa_family != AF_INET && address->sa_family != AF_INET6 && address->sa_family != AF_UNIX)
                return "it is neither IPv4 nor IPv6 nor a unix socket";
        if (socket_option(fd, SOL_SOCKET, SO_ACCEPTCONN) != 1)
                return "it does not listen (Accept=yes is for other programs)";
        if (address->sa_family == AF_INET6 && socket_option(fd, IPPROTO_IPV6, IPV6_V6ONLY) == 0 &&
            IN6_IS_ADDR_UNSPECIFIED(&((const struct sockaddr_in6 *)address)->sin6_addr))
                return "it takes IPv4 too; BindIPv6Only=ipv6-only makes it one of IPv6";
        return NULL;
}

/* Of a socket without a path, or one that is abstract, nobody can be told. */
static void read_path(struct inherited_socket *inherited, const struct sockaddr_un *address)
{
        snprintf(inherited->path, sizeof inherited->path, "%.*s", (int)sizeof address->sun_path,
                 address->sun_path);
        if (inherited->path[0] == '\0')
                inherited->fault = "it is a unix socket without a path";
        else
                snprintf(inherited->name, sizeof inherited->name, "unix:%s", inherited->path);
}

static void read_socket(struct inherited_socket *inherited, int fd, struct span name, struct span own)
{
        struct sockaddr_storage storage = {0};
        socklen_t length = sizeof storage;

        *inherited = (struct inherited_socket){.fd = fd, .is_ours = span_equals(name, own)};
        span_copy_cut(name, inherited->name, sizeof inherited->name);
        fcntl(fd, F_SETFD, FD_CLOEXEC);
        if (getsockname(fd, (struct sockaddr *)&storage, &length) != 0) {
                inherited->fault = "it is no socket";
                return;
        }
        inherited->fault = fault_of(fd, (const struct sockaddr *)&storage);
        if (address_from_socket((const struct sockaddr *)&storage, &inherited->endpoint.address,
                                &inherited->endpoint.port))
                endpoint_write(&inherited->endpoint.address, inherited->endpoint.port, inherited->name);
        if (inherited->fault == NULL && storage.ss_family == AF_UNIX)
                read_path(inherited, (const struct sockaddr_un *)&storage);
}

/* The next of the names, which colons divide. */
static struct span next_name(const char **names)
{
        size_t length = strcspn(*names, ":");
        struct span name = {*names, length};

        *names += length + ((*names)[length] == ':');
        return name;
}

static unsigned long number_in(const char *variable)
{
        const char *text = getenv(variable);
        return text == NULL ? 0 : strtoul(text, NULL, 10);
}

void inherited_read(struct inherited_list *ret_list, const char *own)
{
        const char *names = getenv("LISTEN_FDNAMES");
        unsigned long count =
            number_in("LISTEN_PID") == (unsigned long)getpid() ? number_in("LISTEN_FDS") : 0;

        *ret_list = (struct inherited_list){.count = count < INHERITED_MAX ? count : INHERITED_MAX};
        ret_list->count_beyond = count - ret_list->count;
        if (names == NULL)
                names = "";
        for (size_t i = 0; i < ret_list->count; i++)
                read_socket(&ret_list->sockets[i], FIRST_FD + (int)i, next_name(&names), span_from(own));
}

/* Gives the descriptor. */
static int take_out(struct inherited_list *list, size_t i)
{
        int fd = list->sockets[i].fd;

        list->count--;
        memmove(&list->sockets[i], &list->sockets[i + 1], (list->count - i) * sizeof list->sockets[0]);
        return fd;
}

void inherited_set_path(struct inherited_list *list, const char *path)
{
        for (size_t i = 0; i < list->count; i++)
                if (list->sockets[i].is_ours && list->sockets[i].path[0] != '\0')
                        list->sockets[i].own_path = path;
}

int inherited_take(struct inherited_list *list, const char *name)
{
        for (size_t i = 0; i < list->count; i++)
                if (strcmp(list->sockets[i].name, name) == 0)
                        return take_out(list, i);
        return -1;
}

/* ---- use ----------------------------------------------------------------------------------------------- */

bool inherited_is_at(const struct inherited_socket *inherited, const struct endpoint *endpoint,
                     const char *path)
{
        if (inherited->fault != NULL)
                return false;
        if (path != NULL)
                return strcmp(inherited->own_path != NULL ? inherited->own_path : inherited->path, path) == 0;
        return inherited->path[0] == '\0' && endpoint_equals(&inherited->endpoint, endpoint);
}

/* Accepted sockets inherit TCP_NODELAY, as of listeners of our own. */
static bool set_up(int fd)
{
        int on = 1;
        return setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0;
}

/* The descriptor of one that is ours leaves the list; of others there is another one. */
static int descriptor_of(struct inherited_list *list, size_t i)
{
        return list->sockets[i].is_ours ? take_out(list, i) : fcntl(list->sockets[i].fd, F_DUPFD_CLOEXEC, 0);
}

struct listener *inherited_listeners(struct inherited_list *list, const struct endpoint *endpoint,
                                     bool needs_proxy_header, uint32_t count)
{
        struct listener *first = NULL, **end = &first;
        uint32_t number = 0;

        for (size_t i = 0; i < list->count;) {
                const struct inherited_socket inherited = list->sockets[i];
                if (!inherited_is_at(&inherited, endpoint, NULL)) {
                        i++;
                        continue;
                }
                int fd = set_up(inherited.fd) ? descriptor_of(list, i) : -1;
                *end = fd < 0 ? NULL
                              : listener_adopt(endpoint, needs_proxy_header, number, fd, !inherited.is_ours);
                if (*end == NULL) {
                        listeners_free(first);
                        return NULL;
                }
                number = (number + 1) % count;
                end = &(*end)->next;
                i += !inherited.is_ours;
        }
        return first;
}

struct listener *inherited_next_left(struct inherited_list *list)
{
        for (size_t i = 0; i < list->count; i++)
                if (list->sockets[i].is_ours && list->sockets[i].path[0] == '\0') {
                        struct endpoint endpoint = list->sockets[i].endpoint;
                        return listener_adopt(&endpoint, false, 0, take_out(list, i), false);
                }
        return NULL;
}

int inherited_descriptor(struct inherited_list *list, const struct endpoint *endpoint, const char *path,
                         bool *ret_is_ours)
{
        for (size_t i = 0; i < list->count; i++)
                if (inherited_is_at(&list->sockets[i], endpoint, path)) {
                        *ret_is_ours = list->sockets[i].is_ours;
                        return descriptor_of(list, i);
                }
        return -1;
}

bool inherited_offer(struct inherited_list *list, const struct endpoint *endpoint, const char *path, int fd)
{
        struct inherited_socket *offered = &list->sockets[list->count];
        int own = list->count < INHERITED_MAX ? fcntl(fd, F_DUPFD_CLOEXEC, 0) : -1;

        if (own < 0)
                return false;
        *offered = (struct inherited_socket){.fd = own, .is_ours = true};
        if (path == NULL)
                offered->endpoint = *endpoint;
        else
                snprintf(offered->path, sizeof offered->path, "%s", path);
        offered->own_path = path;
        list->count++;
        return true;
}

void inherited_close(struct inherited_list *list, bool only_ours)
{
        for (size_t i = list->count; i-- > 0;)
                if (list->sockets[i].is_ours || !only_ours)
                        close(take_out(list, i));
}

void inherited_hand_back(const struct inherited_list *list)
{
        for (size_t i = 0; i < list->count; i++)
                if (list->sockets[i].fault == NULL)
                        listening_socket_heed_new(list->sockets[i].fd);
}
