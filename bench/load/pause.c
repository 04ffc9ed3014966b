/* Clients that pause before they speak stand in a heap: the one that goes on first is its first. */
#include "bench/load/internal.h"

#include "bench/common.h"

static void swap(struct load_thread *thread, unsigned i, unsigned j)
{
        struct client *client = thread->paused[i];
        thread->paused[i] = thread->paused[j];
        thread->paused[j] = client;
}

static bool is_before(const struct load_thread *thread, unsigned i, unsigned j)
{
        return thread->paused[i]->step_ns < thread->paused[j]->step_ns;
}

static void move_up(struct load_thread *thread, unsigned i)
{
        for (; i > 0 && is_before(thread, i, (i - 1) / 2); i = (i - 1) / 2)
                swap(thread, i, (i - 1) / 2);
}

static void move_down(struct load_thread *thread, unsigned i)
{
        for (unsigned child; (child = 2 * i + 1) < thread->paused_count; i = child) {
                if (child + 1 < thread->paused_count && is_before(thread, child + 1, child))
                        child++;
                if (!is_before(thread, child, i))
                        return;
                swap(thread, i, child);
        }
}

void load_pause(struct load_thread *thread, struct client *client)
{
        expect(thread->paused_count < thread->client_count);
        thread->paused[thread->paused_count++] = client;
        move_up(thread, thread->paused_count - 1);
}

void load_unpause(struct load_thread *thread, const struct client *client)
{
        unsigned i = 0;

        while (thread->paused[i] != client)
                expect(++i < thread->paused_count);
        swap(thread, i, --thread->paused_count);
        if (i == thread->paused_count)
                return;
        move_up(thread, i);
        move_down(thread, i);
}

struct client *load_paused_first(const struct load_thread *thread)
{
        return thread->paused_count == 0 ? NULL : thread->paused[0];
}
