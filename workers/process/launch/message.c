/* Messages of the launcher. */
#include "workers/process/launch/message.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

size_t launch_descriptor_count(const struct launch_message *message)
{
        return message->order == LAUNCH_START ? (size_t)message->kept + message->own + 2 : 0;
}

bool launch_message_send(int fd, const struct launch_message *message, const int *descriptors, size_t count)
{
        union {
                struct cmsghdr header;
                char octets[CMSG_SPACE(LAUNCH_DESCRIPTORS_MAX * sizeof(int))];
        } control;
        struct iovec part = {.iov_base = (void *)(uintptr_t)message, .iov_len = sizeof *message};
        struct msghdr packet = {.msg_iov = &part, .msg_iovlen = 1};

        if (count > LAUNCH_DESCRIPTORS_MAX) {
                errno = EMSGSIZE;
                return false;
        }
        if (count > 0) {
                memset(&control, 0, sizeof control);
                control.header.cmsg_level = SOL_SOCKET;
                control.header.cmsg_type = SCM_RIGHTS;
                control.header.cmsg_len = CMSG_LEN(count * sizeof(int));
                memcpy(CMSG_DATA(&control.header), descriptors, count * sizeof(int));
                packet.msg_control = &control;
                packet.msg_controllen = CMSG_SPACE(count * sizeof(int));
        }
        return sendmsg(fd, &packet, MSG_NOSIGNAL) == (ssize_t)sizeof *message;
}

static bool is_well_formed(const struct launch_message *message, size_t count)
{
        if (message->order == LAUNCH_START)
                return message->kept <= LAUNCH_SOCKETS_MAX && message->own <= LAUNCH_SOCKETS_MAX &&
                       count == launch_descriptor_count(message);
        return (message->order == LAUNCH_END || message->order == LAUNCH_LEAVE) && message->kept == 0 &&
               message->own == 0 && count == 0;
}

/* Descriptors in as many pieces as there may be. */
static size_t take_descriptors(struct msghdr *packet, int ret_descriptors[static LAUNCH_DESCRIPTORS_MAX])
{
        size_t count = 0;

        for (struct cmsghdr *header = CMSG_FIRSTHDR(packet); header != NULL;
             header = CMSG_NXTHDR(packet, header)) {
                if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
                        continue;
                size_t octets = header->cmsg_len - CMSG_LEN(0);
                memcpy(ret_descriptors + count, CMSG_DATA(header), octets);
                count += octets / sizeof(int);
        }
        return count;
}

enum launch_receipt launch_message_receive(int fd, struct launch_message *ret_message,
                                           int ret_descriptors[static LAUNCH_DESCRIPTORS_MAX])
{
        union {
                struct cmsghdr header;
                char octets[CMSG_SPACE(LAUNCH_DESCRIPTORS_MAX * sizeof(int))];
        } control;
        struct iovec part = {.iov_base = ret_message, .iov_len = sizeof *ret_message};
        struct msghdr packet = {.msg_iov = &part,
                                .msg_iovlen = 1,
                                .msg_control = &control,
                                .msg_controllen = sizeof control.octets};
        ssize_t length;

        do
                length = recvmsg(fd, &packet, MSG_CMSG_CLOEXEC);
        while (length < 0 && errno == EINTR);
        if (length <= 0)
                return LAUNCH_GONE;
        size_t count = take_descriptors(&packet, ret_descriptors);
        if (length == (ssize_t)sizeof *ret_message && (packet.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0 &&
            is_well_formed(ret_message, count))
                return LAUNCH_TAKEN;
        for (size_t i = 0; i < count; i++)
                close(ret_descriptors[i]);
        return LAUNCH_MALFORMED;
}
