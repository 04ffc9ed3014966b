/* Datagrams to the service manager, which need not be systemd. No library is needed for it. */
#include "workers/process/notify.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <unistd.h>

#define WAIT_S     5   /* until it takes a word */
#define STATUS_MAX 900 /* octets */
#define WORD_MAX   1024

/* ---- from the environment ------------------------------------------------------------------------------ */

static bool set_address(struct notify *notify, struct span path)
{
        if (path.length < 2 || path.length >= sizeof notify->address.sun_path)
                return false;
        notify->address.sun_family = AF_UNIX;
        memcpy(notify->address.sun_path, path.at, path.length);
        if (path.at[0] == '@') /* an abstract name */
                notify->address.sun_path[0] = '\0';
        notify->length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + path.length);
        return true;
}

/* WATCHDOG_PID names the process that is watched, where it is not the one that was started. */
static uint64_t watchdog_ms(void)
{
        const char *interval = getenv("WATCHDOG_USEC"), *who = getenv("WATCHDOG_PID");
        uint64_t us, pid;

        if (interval == NULL || !span_number(span_from(interval), &us))
                return 0;
        if (who != NULL && (!span_number(span_from(who), &pid) || pid != (uint64_t)getpid()))
                return 0;
        return us / 1000;
}

void notify_open(struct notify *notify)
{
        const char *path = getenv("NOTIFY_SOCKET");

        *notify = (struct notify){.is_wanted = path != NULL, .fd = -1, .watchdog_ms = watchdog_ms()};
        if (path != NULL && set_address(notify, span_from(path)))
                notify->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        /* While a machine starts many tell it something at once, and without our word it would end us again. */
        if (notify->fd >= 0)
                setsockopt(notify->fd, SOL_SOCKET, SO_SNDTIMEO, &(struct timeval){.tv_sec = WAIT_S},
                           sizeof(struct timeval));
}

/* ---- words --------------------------------------------------------------------------------------------- */

static bool tell(const struct notify *notify, const char *word, int flags)
{
        size_t length = strlen(word);

        if (atomic_load_explicit(&notify->is_silent, memory_order_relaxed))
                return true;
        if (notify->fd < 0)
                return !notify->is_wanted;
        return sendto(notify->fd, word, length, MSG_NOSIGNAL | flags,
                      (const struct sockaddr *)&notify->address, notify->length) == (ssize_t)length;
}

/* A line is an assignment, and what is no UTF-8 would be left out. */
static struct span first_line(struct span text)
{
        size_t end = span_find(text, '\n');

        if (end != SIZE_MAX)
                text.length = end;
        if (text.length > STATUS_MAX)
                text.length = STATUS_MAX;
        while (!span_is_utf8(text))
                text.length--;
        return text;
}

bool notify_ready(const struct notify *notify, struct span status)
{
        struct span line = first_line(status);
        char word[WORD_MAX];

        snprintf(word, sizeof word, "READY=1\nSTATUS=%.*s\n", (int)line.length, line.at);
        return tell(notify, word, 0);
}

bool notify_reloading(const struct notify *notify, uint64_t now_us)
{
        char word[WORD_MAX];

        snprintf(word, sizeof word, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64 "\n", now_us);
        return tell(notify, word, 0);
}

bool notify_stopping(const struct notify *notify, uint64_t within_ms)
{
        char word[WORD_MAX];

        snprintf(word, sizeof word,
                 "STOPPING=1\nSTATUS=finishing open messages\nEXTEND_TIMEOUT_USEC=%" PRIu64 "\n",
                 within_ms * 1000);
        return tell(notify, word, 0);
}

bool notify_succeeded(const struct notify *notify, pid_t successor, struct span status)
{
        struct span line = first_line(status);
        char word[WORD_MAX];

        snprintf(word, sizeof word, "MAINPID=%ld\nREADY=1\nSTATUS=%.*s\n", (long)successor, (int)line.length,
                 line.at);
        return tell(notify, word, 0);
}

void notify_be_silent(struct notify *notify)
{
        atomic_store_explicit(&notify->is_silent, true, memory_order_relaxed);
}

bool notify_beat(const struct notify *notify)
{
        return tell(notify, "WATCHDOG=1\n", MSG_DONTWAIT);
}

void notify_close(struct notify *notify)
{
        if (notify->fd >= 0)
                close(notify->fd);
        notify->fd = -1;
}
