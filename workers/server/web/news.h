/* What the main thread tells of reloads, and the thread of HTTP shows: rare, and on no session's way, so that a lock is
 * good enough. */
#pragma once

#include "core/base/text.h"

#include <pthread.h>

#define NEWS_TEXT_MAX 4096

struct web_news {
        uint64_t generation; /* of the configuration in force; the first is 1 */
        int64_t in_force_s;  /* since 1970: since when */
        uint64_t reloads, failed_reloads;
        int64_t reload_s;         /* the last one, be it well or not; 0: there was none */
        bool has_failed;          /* the last one */
        char text[NEWS_TEXT_MAX]; /* lines of what it has changed, or of why it has failed */
};

struct web_board {
        pthread_mutex_t lock;
        struct web_news news;
};

void web_board_init(struct web_board *board, int64_t now_s);
/* A reload has succeeded, and has changed this; or it has failed, for this reason. Too long a text is cut. */
void web_board_note(struct web_board *board, bool has_failed, const char *text, int64_t now_s);
struct web_news web_board_read(struct web_board *board);
