/* What a service manager is told of the program's state (sd_notify(3)), and what it asks for. */
#pragma once

#include "core/base/text.h"

#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>

/* Fixed once it is open, but for the silence. Any thread may tell. */
struct notify {
        bool is_wanted; /* somebody waits for our word, be it that it reaches him or not */
        int fd;         /* -1: there is nobody, or no way to him */
        struct sockaddr_un address;
        socklen_t length;
        uint64_t watchdog_ms;   /* after so long without a beat the process is ended; 0: nobody watches */
        _Atomic bool is_silent; /* another process has the word */
};

/* Reads from the environment who is to be told, NOTIFY_SOCKET, and how often he wants to hear of us, WATCHDOG_USEC. */
void notify_open(struct notify *notify);
/* That it serves: READY=1, also at the end of a reload. `status` is a text for people, of which one line is told.
 * These return false when there is somebody and he does not take the word within five seconds. */
bool notify_ready(const struct notify *notify, struct span status);
/* A reload begins, at this moment of clock_monotonic_us(). */
bool notify_reloading(const struct notify *notify, uint64_t now_us);
/* The stop begins, and is over within this time. */
bool notify_stopping(const struct notify *notify, uint64_t within_ms);
/* That another process serves from now on, and is to be watched in the place of this one. */
bool notify_succeeded(const struct notify *notify, pid_t successor, struct span status);
/* From now on nothing is told, and that counts as told. */
void notify_be_silent(struct notify *notify);
/* The beat that a watchdog waits for. It waits for nobody, and is left out where it would. */
bool notify_beat(const struct notify *notify);
void notify_close(struct notify *notify);
