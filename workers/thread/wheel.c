/* The timer wheel. */
#include "workers/thread/wheel.h"

#include <assert.h>

static_assert((WHEEL_SLOTS & (WHEEL_SLOTS - 1)) == 0 && WHEEL_SLOTS % 64 == 0,
              "slots are masked and kept in a bitmap");

static size_t slot_of(uint64_t tick)
{
        return tick & (WHEEL_SLOTS - 1);
}

void wheel_init(struct wheel *wheel, uint64_t now_ms)
{
        *wheel = (struct wheel){.tick = now_ms / WHEEL_TICK_MS};
}

void wheel_cancel(struct wheel *wheel, struct timer *timer)
{
        size_t slot = slot_of(timer->tick);

        if (timer->link == NULL)
                return;
        *timer->link = timer->next;
        if (timer->next != NULL)
                timer->next->link = timer->link;
        timer->link = NULL;
        if (wheel->slots[slot] == NULL)
                wheel->used[slot / 64] &= ~(UINT64_C(1) << slot % 64);
}

static void link_timer(struct wheel *wheel, struct timer *timer, uint64_t tick)
{
        size_t slot = slot_of(tick);

        timer->tick = tick;
        timer->link = &wheel->slots[slot];
        timer->next = wheel->slots[slot];
        if (timer->next != NULL)
                timer->next->link = &timer->next;
        wheel->slots[slot] = timer;
        wheel->used[slot / 64] |= UINT64_C(1) << slot % 64;
}

void wheel_schedule(struct wheel *wheel, struct timer *timer, uint64_t due_ms)
{
        uint64_t tick = due_ms / WHEEL_TICK_MS + (due_ms % WHEEL_TICK_MS != 0);

        if (due_ms == UINT64_MAX || (timer->link != NULL && timer->tick <= tick))
                return;
        wheel_cancel(wheel, timer);
        if (tick <= wheel->tick)
                tick = wheel->tick + 1;
        if (tick >= wheel->tick + WHEEL_SLOTS)
                tick = wheel->tick + WHEEL_SLOTS - 1;
        link_timer(wheel, timer, tick);
}

struct timer *wheel_expire(struct wheel *wheel, uint64_t now_ms)
{
        uint64_t target = now_ms / WHEEL_TICK_MS;

        /* After a long sleep one round finds everything. */
        if (target > wheel->tick + WHEEL_SLOTS)
                wheel->tick = target - WHEEL_SLOTS;
        while (wheel->tick < target) {
                struct timer *timer = wheel->slots[slot_of(wheel->tick + 1)];
                if (timer != NULL) {
                        wheel_cancel(wheel, timer);
                        return timer;
                }
                wheel->tick++;
        }
        return NULL;
}

/* Ticks from wheel->tick to the first slot in use; 0 when none is. */
static uint64_t ticks_to_next(const struct wheel *wheel)
{
        size_t first = slot_of(wheel->tick + 1);
        size_t word = first / 64;
        uint64_t bits = wheel->used[word] & (UINT64_MAX << first % 64);

        for (size_t i = 0; i <= WHEEL_SLOTS / 64; i++) {
                if (bits != 0) {
                        size_t slot = word * 64 + (size_t)__builtin_ctzll(bits);
                        return ((slot - first) & (WHEEL_SLOTS - 1)) + 1;
                }
                word = (word + 1) % (WHEEL_SLOTS / 64);
                bits = wheel->used[word];
        }
        return 0;
}

int wheel_wait_ms(const struct wheel *wheel, uint64_t now_ms)
{
        uint64_t ticks = ticks_to_next(wheel);
        uint64_t due_ms = (wheel->tick + ticks) * WHEEL_TICK_MS;

        if (ticks == 0)
                return -1;
        return due_ms > now_ms ? (int)(due_ms - now_ms) : 0;
}
