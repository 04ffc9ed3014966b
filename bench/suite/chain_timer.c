/* Its questions are for names that nobody else asks for. */
#include "bench/suite/chain_timer.h"

#include "bench/common.h"

#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define GAP_NS     2000000
#define PATIENCE_S 2
#define LINKS      2

struct chain_timer {
        pthread_t thread;
        int fd;
        atomic_bool is_stopping;
        uint32_t number;
        struct histogram chains;
};

/* Writes the question for TXT of p-NUMBER.example.net in wire form, and returns its length. */
static size_t question_write(char *packet, uint32_t number)
{
        static const char header[] = "\0\0\1\0\0\1\0\0\0\0\0", rest[] = "\7example\3net\0\0\20\0\1";
        char label[24];

        memcpy(packet, header, 12);
        memcpy(packet, &number, 2);
        int length = snprintf(label, sizeof label, "p-%08x", number);
        packet[12] = (char)length;
        memcpy(packet + 13, label, (size_t)length);
        memcpy(packet + 13 + length, rest, sizeof rest - 1);
        return 13 + (size_t)length + sizeof rest - 1;
}

static bool ask(struct chain_timer *timer)
{
        char question[64], answer[512];
        size_t length = question_write(question, ++timer->number);

        return send(timer->fd, question, length, 0) == (ssize_t)length &&
               recv(timer->fd, answer, sizeof answer, 0) > 12 && memcmp(answer, question, 2) == 0;
}

static void *timer_main(void *argument)
{
        struct chain_timer *timer = argument;

        while (!atomic_load(&timer->is_stopping)) {
                uint64_t begin_ns = bench_now_ns();
                unsigned links = 0;
                while (links < LINKS && ask(timer))
                        links++;
                if (links == LINKS)
                        histogram_add(&timer->chains, bench_now_ns() - begin_ns);
                nanosleep(&(struct timespec){.tv_nsec = GAP_NS}, NULL);
        }
        return NULL;
}

struct chain_timer *chain_timer_start(uint16_t dns_port)
{
        struct chain_timer *timer = calloc(1, sizeof *timer);
        struct sockaddr_in server = {
            .sin_family = AF_INET, .sin_port = htons(dns_port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        struct timeval patience = {.tv_sec = PATIENCE_S};

        expect(timer != NULL);
        timer->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        expect(timer->fd >= 0 && connect(timer->fd, (struct sockaddr *)&server, sizeof server) == 0);
        setsockopt(timer->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        expect(pthread_create(&timer->thread, NULL, timer_main, timer) == 0);
        return timer;
}

void chain_timer_stop(struct chain_timer *timer, struct histogram *ret_chains)
{
        atomic_store(&timer->is_stopping, true);
        pthread_join(timer->thread, NULL);
        close(timer->fd);
        *ret_chains = timer->chains;
        free(timer);
}
