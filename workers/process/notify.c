/* A datagram to the service manager, which need not be systemd. No library is needed for it. */
#include "workers/process/notify.h"

#include "core/base/text.h"

#include <stddef.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define WAIT_S 5 /* until it takes the word */

static bool send_to(struct span path, struct span word)
{
        struct sockaddr_un address = {.sun_family = AF_UNIX};

        if (path.length < 2 || path.length >= sizeof address.sun_path)
                return false;
        memcpy(address.sun_path, path.at, path.length);
        if (path.at[0] == '@') /* an abstract name */
                address.sun_path[0] = '\0';
        int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return false;
        /* While a machine starts many tell it something at once, and without our word it would end us again. */
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &(struct timeval){.tv_sec = WAIT_S}, sizeof(struct timeval));
        socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + path.length);
        bool is_sent = sendto(fd, word.at, word.length, MSG_NOSIGNAL, (struct sockaddr *)&address, length) ==
                       (ssize_t)word.length;
        close(fd);
        return is_sent;
}

bool notify_ready(void)
{
        const char *path = getenv("NOTIFY_SOCKET");
        bool is_sent = path == NULL || send_to(span_from(path), SPAN("READY=1\n"));

        unsetenv("NOTIFY_SOCKET");
        return is_sent;
}
