/* A board that one thread writes on and another one reads. */
#include "workers/server/web/news.h"

#include <stdio.h>

void web_board_init(struct web_board *board, int64_t now_s)
{
        pthread_mutex_init(&board->lock, NULL);
        board->news = (struct web_news){.generation = 1, .in_force_s = now_s};
}

void web_board_note(struct web_board *board, bool has_failed, const char *text, int64_t now_s)
{
        struct web_news *news = &board->news;

        pthread_mutex_lock(&board->lock);
        news->has_failed = has_failed;
        news->reload_s = now_s;
        news->generation += !has_failed;
        news->reloads += !has_failed;
        news->failed_reloads += has_failed;
        if (!has_failed)
                news->in_force_s = now_s;
        snprintf(news->text, sizeof news->text, "%s", text);
        pthread_mutex_unlock(&board->lock);
}

struct web_news web_board_read(struct web_board *board)
{
        pthread_mutex_lock(&board->lock);
        struct web_news news = board->news;
        pthread_mutex_unlock(&board->lock);
        return news;
}
