/* bind() and what comes before and after it. */
#include "workers/http/socket.h"

#include "conf/socket_address.h"
#include "conf/value/list.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG 64
#define FILE_MODE                                                                                            \
        0660 /* whoever may write the socket may read the pages: our user, and the group of the file */

void http_target_write(const struct http_target *target, char ret_name[static HTTP_PLACE_MAX])
{
        struct text text;

        text_over(&text, ret_name, HTTP_PLACE_MAX - 1);
        if (target->kind == HTTP_AT_PATH)
                text_printf(&text, "unix:%s", target->path);
        else
                endpoint_put(&text, &target->endpoint);
        ret_name[text.length] = '\0';
}

static bool set_on(int fd, int level, int option)
{
        int on = 1;
        return setsockopt(fd, level, option, &on, sizeof on) == 0;
}

/* ---- an address ---------------------------------------------------------------------------------------- */

static bool bind_address(const struct endpoint *endpoint, struct http_socket *http)
{
        struct sockaddr_storage storage;
        socklen_t length = address_to_socket(&endpoint->address, endpoint->port, &storage);

        http->fd = socket(storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        return http->fd >= 0 && set_on(http->fd, SOL_SOCKET, SO_REUSEADDR) &&
               (storage.ss_family != AF_INET6 || set_on(http->fd, IPPROTO_IPV6, IPV6_V6ONLY)) &&
               bind(http->fd, (const struct sockaddr *)&storage, length) == 0;
}

/* ---- a path -------------------------------------------------------------------------------------------- */

static bool bind_path(const char *path, struct http_socket *http)
{
        const char *fault;

        http->fd = local_socket_open(path, FILE_MODE, 0, 0, &http->file, &fault);
        http->has_file = http->fd >= 0;
        return http->has_file;
}

/* ---- both ---------------------------------------------------------------------------------------------- */

bool http_socket_bind(const struct http_target *target, struct http_socket *ret_socket)
{
        *ret_socket = (struct http_socket){.fd = -1};
        http_target_write(target, ret_socket->name);
        bool is_bound = target->kind == HTTP_AT_PATH ? bind_path(target->path, ret_socket)
                                                     : bind_address(&target->endpoint, ret_socket);
        if (is_bound)
                return true;
        int error = errno;
        http_socket_close(ret_socket);
        errno = error;
        return false;
}

void http_socket_adopt(const struct http_target *target, int fd, bool is_inherited,
                       struct http_socket *ret_socket)
{
        *ret_socket = (struct http_socket){.fd = fd, .is_adopted = true, .is_inherited = is_inherited};
        http_target_write(target, ret_socket->name);
        ret_socket->has_file =
            target->kind == HTTP_AT_PATH && !is_inherited && local_file_find(target->path, &ret_socket->file);
}

bool http_socket_listen(const struct http_socket *socket)
{
        return socket->is_adopted || listen(socket->fd, BACKLOG) == 0;
}

void http_socket_close(struct http_socket *socket)
{
        if (socket->fd < 0)
                return;
        close(socket->fd);
        socket->fd = -1;
        if (socket->has_file)
                local_socket_remove(socket->name + strlen("unix:"), &socket->file);
}
