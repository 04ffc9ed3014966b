/* Two threads, one channel each way: nothing is lost, doubled or out of order, be the ring full or the
 * consumer asleep; and a consumer that sleeps is always woken. */
#include "workers/thread/channel.h"

#include <pthread.h>
#include <sched.h>
#include <time.h>

#define PARCELS 300000

struct number {
        struct parcel parcel;
        uint64_t value, square; /* plain: ThreadSanitizer watches the handover */
};

struct end {
        struct waker waker;
        struct channel *in;
};

static struct end ping, pong;

static void sleep_us(long us)
{
        nanosleep(&(struct timespec){.tv_nsec = us * 1000}, NULL);
}

static struct number *receive(struct end *end)
{
        struct parcel *parcel;

        while ((parcel = channel_receive(end->in)) == NULL) {
                waker_prepare(&end->waker);
                if (channel_is_empty(end->in))
                        waker_sleep(&end->waker);
                else
                        waker_stay_awake(&end->waker);
        }
        return (struct number *)parcel;
}

/* Checks order and payload, changes the payload and sends it back; is now slower, now faster than the
 * producer. */
static void *reflect(void *argument)
{
        (void)argument;
        for (uint64_t i = 0; i < PARCELS; i++) {
                struct number *number = receive(&pong);
                expect(number->value == i && number->square == i * i);
                number->square++;
                channel_send(ping.in, &number->parcel);
                if (i % 3 == 0 || i + 1 == PARCELS)
                        channel_flush(ping.in);
                if (i % 50021 == 0)
                        sleep_us(20000);
        }
        while (!channel_flush(ping.in))
                sched_yield();
        return NULL;
}

static void take_back(struct number *number, uint64_t expected)
{
        expect(number->value == expected && number->square == expected * expected + 1);
        free(number);
}

static struct number *make(uint64_t value)
{
        struct number *number = malloc(sizeof *number);
        expect(number != NULL);
        number->value = value;
        number->square = value * value;
        return number;
}

int main(void)
{
        pthread_t thread;
        uint64_t returned = 0, overflows = 0;

        expect(waker_open(&ping.waker) && waker_open(&pong.waker));
        ping.in = channels_create(1, &ping.waker);
        pong.in = channels_create(1, &pong.waker);
        expect(ping.in != NULL && pong.in != NULL);
        expect(pthread_create(&thread, NULL, reflect, NULL) == 0);
        for (uint64_t i = 0; i < PARCELS; i++) {
                struct parcel *back;
                channel_send(pong.in, &make(i)->parcel);
                /* Bursts longer than the ring, and pauses after which the other side sleeps. */
                if (i % 1000 == 999) {
                        overflows += !channel_flush(pong.in);
                        while (!channel_flush(pong.in))
                                sched_yield();
                }
                if (i % 40009 == 0)
                        sleep_us(5000);
                while ((back = channel_receive(ping.in)) != NULL)
                        take_back((struct number *)back, returned++);
        }
        while (!channel_flush(pong.in))
                sched_yield();
        while (returned < PARCELS)
                take_back(receive(&ping), returned++);
        pthread_join(thread, NULL);
        expect(channel_is_empty(ping.in) && channel_is_empty(pong.in));
        expect(overflows > 0);
        waker_close(&ping.waker);
        waker_close(&pong.waker);
        free(ping.in);
        free(pong.in);
        printf("%llu parcels, %llu bursts overflowed\n", (unsigned long long)returned,
               (unsigned long long)overflows);
        return 0;
}
