/* Opens nothing for longer than a look, and makes nothing. */
#include "workers/server/openings.h"

#include "conf/text/access.h"
#include "conf/socket_address.h"
#include "conf/value/list.h"
#include "workers/deliver/file_system.h"
#include "workers/inbound/accept/listener.h"
#include "workers/local/socket.h"
#include "workers/log/writer.h"
#include "workers/senders/lmdb.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define TAKEN "somebody listens there, maybe this receiver itself"

struct openings {
        const struct snapshot *snapshot;
        struct place whole; /* the file */
        struct conf_complaints *complaints;
};

static void complain(struct openings *openings, enum complaint_kind kind, const char *option,
                     const char *what, const char *reason)
{
        conf_complain(openings->complaints, kind, &openings->whole, "%s: %.900s: %s", option, what, reason);
}

static bool is_allowed(const char *path, int mode)
{
        return faccessat(AT_FDCWD, path, mode, AT_EACCESS) == 0;
}

/* False, and errno, where the path is too long or names no folder. */
static bool folder_of(const char *path, char ret_folder[static PATH_MAX])
{
        int length = snprintf(ret_folder, PATH_MAX, "%s", path);
        char *slash = strrchr(ret_folder, '/');

        if (length >= PATH_MAX || slash == NULL) {
                errno = ENAMETOOLONG;
                return false;
        }
        slash[slash == ret_folder] = '\0';
        return true;
}

/* What serve would make itself lacks nothing but its folder. */
static bool lacks_folder(const char *path)
{
        char folder[PATH_MAX];

        return folder_of(path, folder) && !is_allowed(folder, F_OK) && errno == ENOENT;
}

/* By errno, of a file that was to be opened by `mode`, as for access(2). */
static void complain_of_path(struct openings *openings, const char *option, const char *path, int mode)
{
        int error = errno;
        const char *reason =
            error == ENOENT && lacks_folder(path) ? "its folder does not exist" : strerrordesc_np(error);
        char denied[ACCESS_TEXT_MAX];

        errno = error;
        conf_complain(openings->complaints, COMPLAINT_ERROR, &openings->whole, "%s: %.900s: %s%s", option,
                      path, reason, access_denied(path, mode, denied));
}

/* ---- files --------------------------------------------------------------------------------------------- */

/* A file may be made beside it. */
static bool folder_takes_files(const char *path)
{
        char folder[PATH_MAX];

        return folder_of(path, folder) && is_allowed(folder, W_OK | X_OK);
}

/* It can be written now; a reload opens it anew, when a rotation may have taken it away. */
static void check_rotation(struct openings *openings, const char *log, int fd)
{
        struct stat status;

        if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && !folder_takes_files(log))
                complain(
                    openings, COMPLAINT_NOTE, "log", log,
                    "the user may make no file in its folder, so whoever rotates it must make the next one");
}

static void check_log(struct openings *openings)
{
        const char *log = openings->snapshot->options.log;
        int fd;

        if (strcmp(log, "stderr") == 0)
                return;
        fd = open(log, O_WRONLY | O_APPEND | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
        if (fd < 0 && (errno != ENOENT || !folder_takes_files(log)))
                complain_of_path(openings, "log", log, W_OK);
        if (fd < 0)
                return;
        const char *fault = log_file_fault(fd);
        if (fault != NULL)
                complain(openings, COMPLAINT_ERROR, "log", log, fault);
        else
                check_rotation(openings, log, fd);
        close(fd);
}

/* In a folder that takes no files the user may have both already. */
static bool check_lmdb_file(struct openings *openings, const char *folder, const char *name)
{
        char path[PATH_MAX];

        if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path)
                errno = ENAMETOOLONG;
        else if (is_allowed(path, R_OK | W_OK) || (errno == ENOENT && is_allowed(folder, W_OK | X_OK)))
                return true;
        complain_of_path(openings, "sender_store", path, R_OK | W_OK);
        return false;
}

static void check_lmdb(struct openings *openings, const char *folder)
{
        struct stat status;
        int error;

        if (stat(folder, &status) != 0) {
                if (errno != ENOENT || !folder_takes_files(folder))
                        complain_of_path(openings, "sender_store", folder, R_OK | W_OK);
        } else if (!S_ISDIR(status.st_mode)) {
                complain(openings, COMPLAINT_ERROR, "sender_store", folder, strerror(ENOTDIR));
        } else if (check_lmdb_file(openings, folder, "data.mdb") &&
                   check_lmdb_file(openings, folder, "lock.mdb")) {
                error = sender_lmdb_look(folder, openings->snapshot->options.sender_size_octets);
                if (error != 0)
                        complain(openings, COMPLAINT_ERROR, "sender_store", folder, mdb_strerror(error));
        }
}

static void check_maildir(struct openings *openings, const struct deliver_target *deliver,
                          const struct place *place)
{
        struct file_system system;
        char path[PATH_MAX], denied[ACCESS_TEXT_MAX];

        if (deliver->kind != DELIVER_MAILDIR)
                return;
        bool is_found = file_system_read_template(deliver->path, &system, path, sizeof path);
        if (is_found && is_allowed(path, R_OK | W_OK | X_OK))
                return;
        const char *reason = strerrordesc_np(errno);
        access_denied(path, is_found ? R_OK | W_OK | X_OK : R_OK | X_OK, denied);
        if (is_found)
                conf_complain(
                    openings->complaints, COMPLAINT_WARNING, place,
                    "deliver: no Maildir can be made in %.900s (%s%s): mail for those that exist alone", path,
                    reason, denied);
        else
                conf_complain(openings->complaints, COMPLAINT_WARNING, place,
                              "deliver: %.900s: %s%s: mail is deferred", deliver->path, reason, denied);
}

/* Those of single recipients as well. */
static void check_maildirs(struct openings *openings, const struct domain *domain)
{
        check_maildir(openings, &domain->deliver, &domain->place);
        for (size_t i = 0; domain->sets != NULL && i < domain->sets->count; i++)
                if (domain->sets->sets[i].has_deliver)
                        check_maildir(openings, &domain->sets->sets[i].deliver, &domain->sets->sets[i].place);
}

/* ---- sockets ------------------------------------------------------------------------------------------- */

static int try_bind(const struct endpoint *endpoint)
{
        struct sockaddr_storage storage;
        socklen_t length = address_to_socket(&endpoint->address, endpoint->port, &storage);
        int on = 1, error = 0, fd = socket(storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

        if (fd < 0)
                return errno;
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        if (storage.ss_family == AF_INET6)
                setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
        if (bind(fd, (const struct sockaddr *)&storage, length) != 0)
                error = errno;
        close(fd);
        return error;
}

static void check_listeners(struct openings *openings, const char *option, const struct endpoint_list *list)
{
        char name[ENDPOINT_TEXT_MAX];

        for (size_t i = 0; i < list->count; i++) {
                int error = try_bind(&list->endpoints[i]);
                endpoint_write(&list->endpoints[i].address, list->endpoints[i].port, name);
                if (error == EADDRINUSE)
                        complain(openings, COMPLAINT_NOTE, option, name, TAKEN);
                else if (error == EACCES)
                        complain(openings, COMPLAINT_ERROR, option, name,
                                 "ports below 1024 take root, CAP_NET_BIND_SERVICE (AmbientCapabilities= of "
                                 "systemd), or a socket that systemd opens (gatepost.socket)");
                else if (error == EADDRNOTAVAIL)
                        complain(openings, COMPLAINT_ERROR, option, name,
                                 "no interface of this machine has this address");
                else if (error != 0)
                        complain(openings, COMPLAINT_ERROR, option, name, strerror(error));
        }
}

static void check_path(struct openings *openings, const char *option, const char *path)
{
        bool is_taken;
        const char *fault = local_socket_fault(path, &is_taken);

        if (!folder_takes_files(path))
                complain_of_path(openings, option, path, W_OK);
        else if (is_taken)
                complain(openings, COMPLAINT_NOTE, option, path, TAKEN);
        else if (fault != NULL)
                complain(openings, COMPLAINT_ERROR, option, path, fault);
}

static void check_http(struct openings *openings)
{
        struct http_target http = openings->snapshot->http;

        if (http.kind == HTTP_AT_ADDRESS)
                check_listeners(openings, "http.listen", &(struct endpoint_list){&http.endpoint, 1});
        if (http.kind == HTTP_AT_PATH)
                check_path(openings, "http.listen", http.path);
}

static bool answers(const struct endpoint *server, int timeout_ms)
{
        struct sockaddr_storage storage;
        socklen_t length = address_to_socket(&server->address, server->port, &storage);
        int error = 0, fd = socket(storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        socklen_t size = sizeof error;
        struct pollfd event = {.fd = fd, .events = POLLOUT};

        if (fd < 0)
                return false;
        bool is_open = connect(fd, (const struct sockaddr *)&storage, length) == 0 ||
                       (errno == EINPROGRESS && poll(&event, 1, timeout_ms) == 1 &&
                        getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0);
        close(fd);
        return is_open;
}

static bool any_answers(const struct endpoint_list *servers, int timeout_ms)
{
        for (size_t i = 0; i < servers->count; i++)
                if (answers(&servers->endpoints[i], timeout_ms))
                        return true;
        return false;
}

/* One of several servers is enough, and mail passes without any: no error. */
static void check_redis(struct openings *openings)
{
        const struct sender_target *target = &openings->snapshot->sender_store;
        int timeout_ms = (int)openings->snapshot->options.sender_timeout_ms;

        if (target->sentinels.count > 0 && !any_answers(&target->sentinels, timeout_ms))
                complain(openings, COMPLAINT_WARNING, "sender_store",
                         openings->snapshot->options.sender_store, "no sentinel can be reached");
        for (size_t i = 0; target->sentinels.count == 0 && i < target->instance_count; i++)
                if (!any_answers(&target->instances[i].servers, timeout_ms))
                        complain(openings, COMPLAINT_WARNING, "sender_store",
                                 target->instance_count > 1 ? target->instances[i].name
                                                            : openings->snapshot->options.sender_store,
                                 "no server can be reached");
}

void openings_check(const struct snapshot *snapshot, const char *path, struct conf_complaints *complaints)
{
        struct openings openings = {.snapshot = snapshot, .whole = {path, 0}, .complaints = complaints};

        check_log(&openings);
        if (snapshot->sender_store.kind == SENDER_STORE_LMDB)
                check_lmdb(&openings, snapshot->sender_store.path);
        if (snapshot->sender_store.kind == SENDER_STORE_REDIS)
                check_redis(&openings);
        for (size_t i = 0; i < snapshot->domain_count; i++)
                check_maildirs(&openings, &snapshot->domains[i]);
        check_listeners(&openings, "listen", &snapshot->options.listen);
        check_listeners(&openings, "proxy_listen", &snapshot->options.proxy_listen);
        check_http(&openings);
        if (snapshot->options.control[0] != '\0')
                check_path(&openings, "control", snapshot->options.control);
}
