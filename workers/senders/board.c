#include "workers/senders/board.h"

void sender_board_write(struct sender_board *board, size_t number, size_t count,
                        const struct sender_board_row *row)
{
        pthread_mutex_lock(&board->lock);
        board->rows[number] = *row;
        board->count = count;
        pthread_mutex_unlock(&board->lock);
}

size_t sender_board_read(struct sender_board *board,
                         struct sender_board_row ret_rows[static SENDER_SHARES_MAX])
{
        pthread_mutex_lock(&board->lock);
        size_t count = board->count;
        for (size_t i = 0; i < count; i++)
                ret_rows[i] = board->rows[i];
        pthread_mutex_unlock(&board->lock);
        return count;
}
