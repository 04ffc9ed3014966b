/* See shim.h. Each function stands before the one of the same name and calls it, unless the rule says otherwise. */
/* Both names of each call are needed here: open() as well as open64(). */
#undef _FILE_OFFSET_BITS

#include "tests/faults/shim.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* NULL: there is no file, or not yet. */
static struct fault_rule *_Atomic rules;

__attribute__((constructor)) static void rules_map(void)
{
        const char *path = getenv("GATEPOST_FAULTS");

        if (path == NULL)
                return;
        /* The calls themselves, as the functions are ours. */
        int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC, 0);
        if (fd < 0)
                return;
        void *mapped = mmap(NULL, FAULT_CALL_COUNT * sizeof(struct fault_rule), PROT_READ | PROT_WRITE,
                            MAP_SHARED, fd, 0);
        if (mapped != MAP_FAILED)
                atomic_store(&rules, mapped);
        syscall(SYS_close, fd);
}

/* ---- which calls fail ---------------------------------------------------------------------------------- */

static bool thread_agrees(const struct fault_rule *rule)
{
        char name[16];

        if (rule->thread[0] == '\0')
                return true;
        return prctl(PR_GET_NAME, name) == 0 &&
               strncmp(name, rule->thread, strnlen(rule->thread, sizeof rule->thread)) == 0;
}

/* splitmix64: the same calls fail each time. */
static uint64_t mix(uint64_t value)
{
        value += 0x9e3779b97f4a7c15u;
        value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9u;
        value = (value ^ (value >> 27)) * 0x94d049bb133111ebu;
        return value ^ (value >> 31);
}

/* The rule by which this call is to fail; NULL: it is not. */
static const struct fault_rule *fault_of(enum fault_call call)
{
        struct fault_rule *all = atomic_load_explicit(&rules, memory_order_relaxed);

        if (all == NULL || atomic_load_explicit(&all[call].is_on, memory_order_acquire) == 0)
                return NULL;
        struct fault_rule *rule = &all[call];
        if (!thread_agrees(rule))
                return NULL;
        uint64_t number = atomic_fetch_add(&rule->seen, 1) + 1;
        if (number < rule->first || number - rule->first >= rule->count ||
            mix(number ^ ((uint64_t)rule->seed << 32)) % 1000000 >= rule->per_million)
                return NULL;
        atomic_fetch_add(&rule->failed, 1);
        return rule;
}

/* False: the call is to be made; with *length cut where the rule wants it short. */
static bool fails(enum fault_call call, size_t *length)
{
        const struct fault_rule *rule = fault_of(call);

        if (rule == NULL)
                return false;
        if (rule->error == 0 && length != NULL) {
                if (*length > 1)
                        *length = 1;
                return false;
        }
        errno = rule->error;
        return true;
}

/* Declares `next`, the function that this one stands before. As POSIX has it: ISO C knows no way from one kind of
 * pointer to the other. */
#define NEXT(name)                                                                                           \
        static __typeof__(name) *_Atomic found;                                                              \
        __typeof__(name) *next = atomic_load_explicit(&found, memory_order_relaxed);                         \
        if (next == NULL) {                                                                                  \
                *(void **)&next = dlsym(RTLD_NEXT, #name);                                                   \
                atomic_store_explicit(&found, next, memory_order_relaxed);                                   \
        }

/* ---- memory -------------------------------------------------------------------------------------------- */

void *malloc(size_t size)
{
        NEXT(malloc)
        return fails(FAULT_malloc, NULL) ? NULL : next(size);
}

void *calloc(size_t count, size_t size)
{
        NEXT(calloc)
        return fails(FAULT_calloc, NULL) ? NULL : next(count, size);
}

void *realloc(void *memory, size_t size)
{
        NEXT(realloc)
        return size > 0 && fails(FAULT_realloc, NULL) ? NULL : next(memory, size);
}

void *reallocarray(void *memory, size_t count, size_t size)
{
        NEXT(reallocarray)
        return count > 0 && size > 0 && fails(FAULT_realloc, NULL) ? NULL : next(memory, count, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
        NEXT(aligned_alloc)
        return fails(FAULT_aligned_alloc, NULL) ? NULL : next(alignment, size);
}

/* ---- files --------------------------------------------------------------------------------------------- */

/* Counters of the kernel, by which threads wake each other, have no type. They take what is written whole, whatever
 * happens. */
static bool is_counter(int fd)
{
        struct stat status;

        return fstat(fd, &status) == 0 && (status.st_mode & S_IFMT) == 0;
}

ssize_t write(int fd, const void *octets, size_t length)
{
        NEXT(write)
        return !is_counter(fd) && fails(FAULT_write, &length) ? -1 : next(fd, octets, length);
}

ssize_t pwrite(int fd, const void *octets, size_t length, off_t offset)
{
        NEXT(pwrite)
        return fails(FAULT_pwrite, &length) ? -1 : next(fd, octets, length, offset);
}

ssize_t pwrite64(int fd, const void *octets, size_t length, off64_t offset)
{
        NEXT(pwrite64)
        return fails(FAULT_pwrite, &length) ? -1 : next(fd, octets, length, offset);
}

ssize_t pwritev(int fd, const struct iovec *pieces, int count, off_t offset)
{
        NEXT(pwritev)
        return fails(FAULT_pwritev, NULL) ? -1 : next(fd, pieces, count, offset);
}

ssize_t pwritev64(int fd, const struct iovec *pieces, int count, off64_t offset)
{
        NEXT(pwritev64)
        return fails(FAULT_pwritev, NULL) ? -1 : next(fd, pieces, count, offset);
}

ssize_t writev(int fd, const struct iovec *pieces, int count)
{
        NEXT(writev)
        size_t length = pieces[0].iov_len;
        if (fails(FAULT_writev, &length))
                return -1;
        struct iovec first = {.iov_base = pieces[0].iov_base, .iov_len = length};
        return length < pieces[0].iov_len ? next(fd, &first, 1) : next(fd, pieces, count);
}

int fsync(int fd)
{
        NEXT(fsync)
        return fails(FAULT_fsync, NULL) ? -1 : next(fd);
}

int fdatasync(int fd)
{
        NEXT(fdatasync)
        return fails(FAULT_fdatasync, NULL) ? -1 : next(fd);
}

int syncfs(int fd)
{
        NEXT(syncfs)
        return fails(FAULT_syncfs, NULL) ? -1 : next(fd);
}

int rename(const char *from, const char *to)
{
        NEXT(rename)
        return fails(FAULT_rename, NULL) ? -1 : next(from, to);
}

int renameat(int from_folder, const char *from, int to_folder, const char *to)
{
        NEXT(renameat)
        return fails(FAULT_rename, NULL) ? -1 : next(from_folder, from, to_folder, to);
}

int link(const char *from, const char *to)
{
        NEXT(link)
        return fails(FAULT_link, NULL) ? -1 : next(from, to);
}

/* The mode is there where a file may be made. */
#define OPEN_MODE(mode)                                                                                      \
        mode_t mode = 0;                                                                                     \
        if ((flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE) {                                    \
                va_list arguments;                                                                           \
                va_start(arguments, flags);                                                                  \
                mode = va_arg(arguments, mode_t);                                                            \
                va_end(arguments);                                                                           \
        }

int open(const char *path, int flags, ...)
{
        NEXT(open)
        OPEN_MODE(mode)
        return fails(FAULT_open, NULL) ? -1 : next(path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
        NEXT(open64)
        OPEN_MODE(mode)
        return fails(FAULT_open, NULL) ? -1 : next(path, flags, mode);
}

int openat(int folder, const char *path, int flags, ...)
{
        NEXT(openat)
        OPEN_MODE(mode)
        return fails(FAULT_open, NULL) ? -1 : next(folder, path, flags, mode);
}

int openat64(int folder, const char *path, int flags, ...)
{
        NEXT(openat64)
        OPEN_MODE(mode)
        return fails(FAULT_open, NULL) ? -1 : next(folder, path, flags, mode);
}

/* ---- sockets and events -------------------------------------------------------------------------------- */

int socket(int domain, int type, int protocol)
{
        NEXT(socket)
        return fails(FAULT_socket, NULL) ? -1 : next(domain, type, protocol);
}

/* One that is interrupted goes on by itself (POSIX), but at a unix socket, which is no wait. */
int connect(int fd, __CONST_SOCKADDR_ARG address, socklen_t length)
{
        NEXT(connect)
        if (!fails(FAULT_connect, NULL))
                return next(fd, address, length);
        int error = errno;
        if (error == EINTR && address.__sockaddr__->sa_family != AF_UNIX)
                next(fd, address, length);
        errno = error;
        return -1;
}

int accept4(int listener, __SOCKADDR_ARG address, socklen_t *length, int flags)
{
        NEXT(accept4)
        return fails(FAULT_accept4, NULL) ? -1 : next(listener, address, length, flags);
}

ssize_t send(int fd, const void *octets, size_t length, int flags)
{
        NEXT(send)
        return fails(FAULT_send, &length) ? -1 : next(fd, octets, length, flags);
}

/* Never short: a stream gives all that it has, and whoever waits for an edge of epoll may rely on that. */
ssize_t recv(int fd, void *octets, size_t size, int flags)
{
        NEXT(recv)
        return fails(FAULT_recv, NULL) ? -1 : next(fd, octets, size, flags);
}

/* Only to watch one more takes memory; a change of what is watched does not fail. */
int epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event)
{
        NEXT(epoll_ctl)
        return operation == EPOLL_CTL_ADD && fails(FAULT_epoll_ctl, NULL) ? -1
                                                                          : next(epoll, operation, fd, event);
}

int epoll_wait(int epoll, struct epoll_event *events, int size, int timeout_ms)
{
        NEXT(epoll_wait)
        return fails(FAULT_epoll_wait, NULL) ? -1 : next(epoll, events, size, timeout_ms);
}

/* ---- OpenSSL ------------------------------------------------------------------------------------------- */

/* An error in OpenSSL's queue, so that SSL_get_error() calls it fatal. */
static bool ssl_fails(enum fault_call call)
{
        if (!fails(call, NULL))
                return false;
        ERR_raise(ERR_LIB_SSL, ERR_R_MALLOC_FAILURE);
        return true;
}

SSL *SSL_new(SSL_CTX *context)
{
        NEXT(SSL_new)
        return ssl_fails(FAULT_SSL_new) ? NULL : next(context);
}

int SSL_do_handshake(SSL *ssl)
{
        NEXT(SSL_do_handshake)
        return ssl_fails(FAULT_SSL_do_handshake) ? -1 : next(ssl);
}

int SSL_read_ex(SSL *ssl, void *octets, size_t size, size_t *ret_length)
{
        NEXT(SSL_read_ex)
        return ssl_fails(FAULT_SSL_read_ex) ? 0 : next(ssl, octets, size, ret_length);
}

int SSL_write_ex(SSL *ssl, const void *octets, size_t length, size_t *ret_length)
{
        NEXT(SSL_write_ex)
        return ssl_fails(FAULT_SSL_write_ex) ? 0 : next(ssl, octets, length, ret_length);
}
