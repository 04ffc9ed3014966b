/* Filters come and go without a lock. */
#include "workers/control/board.h"

#include <stdlib.h>

bool follow_board_init(struct follow_board *board, uint32_t worker_count)
{
        *board = (struct follow_board){.lane_count = worker_count};
        board->lanes = aligned_alloc(_Alignof(struct follow_lane), worker_count * sizeof board->lanes[0]);
        for (uint32_t i = 0; board->lanes != NULL && i < worker_count; i++) {
                follow_ring_init(&board->lanes[i].ring);
                atomic_init(&board->lanes[i].seen, 0);
                atomic_init(&board->lanes[i].lost, 0);
        }
        return board->lanes != NULL;
}

void follow_board_end(struct follow_board *board)
{
        free(board->lanes);
}

/* What workers go by, or may. */
static uint32_t used(const struct follow_board *board)
{
        uint32_t bits = atomic_load(&board->active);

        for (uint32_t i = 0; i < board->lane_count; i++)
                bits |= atomic_load(&board->lanes[i].seen);
        return bits;
}

uint32_t follow_board_add(struct follow_board *board, const struct follow_filter *filter)
{
        uint32_t bits = used(board);

        for (int i = 0; i < FOLLOWERS_MAX; i++) {
                uint32_t bit = UINT32_C(1) << i;
                if ((bits & bit) != 0)
                        continue;
                board->filters[i] = *filter;
                atomic_fetch_or(&board->active, bit);
                return bit;
        }
        return 0;
}

void follow_board_remove(struct follow_board *board, uint32_t bit)
{
        atomic_fetch_and(&board->active, ~bit);
}

bool follow_board_take(struct follow_board *board, struct follow_line *ret_line)
{
        for (uint32_t i = 0; i < board->lane_count; i++)
                if (follow_ring_take(&board->lanes[i].ring, ret_line))
                        return true;
        return false;
}

uint64_t follow_board_lost(struct follow_board *board)
{
        uint64_t lost = 0;

        for (uint32_t i = 0; i < board->lane_count; i++)
                lost += atomic_exchange_explicit(&board->lanes[i].lost, 0, memory_order_relaxed);
        return lost;
}
