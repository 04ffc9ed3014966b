/* What the launcher takes for a message. */
#include "workers/process/launch/launcher.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int pair[2];

static void open_pair(void)
{
        cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
}

static void close_pair(void)
{
        close(pair[0]);
        close(pair[1]);
}

TestSuite(launch, .init = open_pair, .fini = close_pair);

/* The lowest number that is free: it tells whether descriptors were left open. */
static int next_descriptor(void)
{
        int fd = dup(STDERR_FILENO);

        close(fd);
        return fd;
}

static enum launch_receipt receive(struct launch_message *ret_message, int *ret_descriptors)
{
        return launch_message_receive(pair[1], ret_message, ret_descriptors);
}

Test(launch, all_descriptors_that_fit_arrive_in_their_order)
{
        const struct launch_message message = {
            .order = LAUNCH_START, .kept = 3, .own = LAUNCH_SOCKETS_MAX - 3};
        int descriptors[LAUNCH_DESCRIPTORS_MAX], received[LAUNCH_DESCRIPTORS_MAX], ends[2];
        struct launch_message found;
        char octet;

        cr_assert_eq(pipe(ends), 0);
        for (size_t i = 0; i < LAUNCH_DESCRIPTORS_MAX; i++)
                descriptors[i] = i == 7 ? ends[0] : STDERR_FILENO;
        cr_assert(launch_message_send(pair[0], &message, descriptors, LAUNCH_DESCRIPTORS_MAX));
        cr_assert_eq(receive(&found, received), LAUNCH_TAKEN);
        cr_assert_eq(memcmp(&found, &message, sizeof found), 0);
        cr_assert_eq(launch_descriptor_count(&found), LAUNCH_DESCRIPTORS_MAX);
        cr_assert_eq(write(ends[1], "x", 1), 1);
        cr_assert_eq(read(received[7], &octet, 1), 1);
        cr_assert_eq(fcntl(received[0], F_GETFD), FD_CLOEXEC);
        for (size_t i = 0; i < LAUNCH_DESCRIPTORS_MAX; i++)
                close(received[i]);
        close(ends[0]);
        close(ends[1]);
}

Test(launch, more_descriptors_than_fit_are_not_sent)
{
        int descriptors[LAUNCH_DESCRIPTORS_MAX + 1] = {0};
        const struct launch_message message = {.order = LAUNCH_START};

        cr_assert_not(launch_message_send(pair[0], &message, descriptors, LAUNCH_DESCRIPTORS_MAX + 1));
}

Test(launch, what_is_no_message_is_refused_and_leaves_nothing_open)
{
        static const struct {
                struct launch_message message;
                size_t descriptors;
        } rows[] = {
            {{.order = 0}, 0},
            {{.order = LAUNCH_LEAVE + 1}, 0},
            {{.order = LAUNCH_START}, 0},
            {{.order = LAUNCH_START}, 1},
            {{.order = LAUNCH_START}, 3},
            {{.order = LAUNCH_START, .kept = 2}, 3},
            {{.order = LAUNCH_START, .own = UINT32_MAX, .kept = 2}, 3},
            {{.order = LAUNCH_START, .own = UINT32_MAX - 1, .kept = 2}, 2},
            {{.order = LAUNCH_START, .own = UINT32_MAX}, 1},
            {{.order = LAUNCH_END}, 1},
            {{.order = LAUNCH_END, .own = 1}, 0},
            {{.order = LAUNCH_LEAVE}, 2},
            {{.order = LAUNCH_LEAVE, .kept = 1}, 0},
        };
        const int descriptors[] = {0, 1, 2};
        int received[LAUNCH_DESCRIPTORS_MAX], free_number = next_descriptor();
        struct launch_message found;

        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
                cr_assert(launch_message_send(pair[0], &rows[i].message, descriptors, rows[i].descriptors));
                cr_assert_eq(receive(&found, received), LAUNCH_MALFORMED, "row %zu", i);
                cr_assert_eq(next_descriptor(), free_number, "row %zu", i);
        }
}

Test(launch, a_length_that_is_none_is_refused_and_the_end_is_told)
{
        const struct launch_message messages[2] = {{.order = LAUNCH_END}};
        int received[LAUNCH_DESCRIPTORS_MAX];
        struct launch_message found;

        cr_assert_gt(send(pair[0], messages, sizeof messages[0] - 1, 0), 0);
        cr_assert_eq(receive(&found, received), LAUNCH_MALFORMED);
        cr_assert_gt(send(pair[0], messages, sizeof messages[0] + 1, 0), 0);
        cr_assert_eq(receive(&found, received), LAUNCH_MALFORMED);
        cr_assert(launch_message_send(pair[0], messages, NULL, 0));
        cr_assert_eq(receive(&found, received), LAUNCH_TAKEN);
        shutdown(pair[0], SHUT_RDWR);
        cr_assert_eq(receive(&found, received), LAUNCH_GONE);
}
