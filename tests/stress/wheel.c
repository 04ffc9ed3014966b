/* The timer wheel against a naive list, in virtual time: nothing fires early for its owner, nothing is late,
 * nothing is lost. */
#include "core/base/expect.h"
#include "workers/thread/wheel.h"

#define TIMERS 3000
#define STEPS  60000

struct item {
        struct timer timer; /* first, so that the timer is the item */
        uint64_t deadline_ms;
        uint64_t fired;
};

static struct wheel wheel;
static struct item items[TIMERS];
static uint64_t random_state = 88172645463325252;

static uint64_t next_random(void)
{
        random_state ^= random_state << 13;
        random_state ^= random_state >> 7;
        random_state ^= random_state << 17;
        return random_state;
}

/* Short, long, beyond the wheel's round, and never. */
static uint64_t random_deadline(uint64_t now_ms)
{
        switch (next_random() % 5) {
        case 0:
                return now_ms + next_random() % 20;
        case 1:
                return now_ms + next_random() % 5000;
        case 2:
                return now_ms + next_random() % 300000;
        case 3:
                return now_ms + next_random() % 4000000;
        default:
                return UINT64_MAX;
        }
}

static void set_deadline(struct item *item, uint64_t deadline_ms)
{
        item->deadline_ms = deadline_ms;
        wheel_schedule(&wheel, &item->timer, deadline_ms);
}

/* What an owner does: looks at its own deadline, and schedules again when the timer came early. */
static void expire(uint64_t now_ms)
{
        struct timer *timer;

        while ((timer = wheel_expire(&wheel, now_ms)) != NULL) {
                struct item *item = (struct item *)timer;
                expect(timer->link == NULL);
                if (item->deadline_ms > now_ms) {
                        wheel_schedule(&wheel, timer, item->deadline_ms);
                } else {
                        item->fired++;
                        set_deadline(item, random_deadline(now_ms));
                }
        }
        for (size_t i = 0; i < TIMERS; i++)
                expect(items[i].deadline_ms > now_ms || now_ms - items[i].deadline_ms < WHEEL_TICK_MS);
}

static void check_wait(uint64_t now_ms)
{
        int wait_ms = wheel_wait_ms(&wheel, now_ms);
        uint64_t first_ms = UINT64_MAX;

        for (size_t i = 0; i < TIMERS; i++)
                if (items[i].deadline_ms < first_ms)
                        first_ms = items[i].deadline_ms;
        /* Never sleeps past a deadline by more than a tick. */
        expect(first_ms == UINT64_MAX ||
               (wait_ms >= 0 && now_ms + (uint64_t)wait_ms <= first_ms + WHEEL_TICK_MS));
}

int main(void)
{
        uint64_t now_ms = 123456789, fired = 0;

        wheel_init(&wheel, now_ms);
        expect(wheel_wait_ms(&wheel, now_ms) == -1);
        for (size_t i = 0; i < TIMERS; i++)
                set_deadline(&items[i], random_deadline(now_ms));
        for (size_t step = 0; step < STEPS; step++) {
                /* Mostly little steps, sometimes a long stop of the machine. */
                now_ms += step % 5000 == 4999 ? 100000 + next_random() % 200000 : next_random() % 40;
                expire(now_ms);
                for (int change = 0; change < 4; change++) {
                        struct item *item = &items[next_random() % TIMERS];
                        if (next_random() % 8 == 0)
                                wheel_cancel(&wheel, &item->timer);
                        set_deadline(item, random_deadline(now_ms));
                }
                if (step % 16 == 0)
                        check_wait(now_ms);
        }
        for (size_t i = 0; i < TIMERS; i++) {
                wheel_cancel(&wheel, &items[i].timer);
                fired += items[i].fired;
        }
        expect(wheel_wait_ms(&wheel, now_ms) == -1);
        expect(fired > TIMERS);
        printf("%llu timers fired\n", (unsigned long long)fired);
        return 0;
}
