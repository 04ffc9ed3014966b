/* A worker's side of those who follow sessions live. */
#pragma once

#include "workers/control/board.h"

struct worker;

/* Before the start, where there is a control thread. */
void worker_follow_connect(struct worker *worker, struct follow_board *board);
/* Once a turn: who follows now. Sessions are unmarked of those who have left. */
void worker_follow_look(struct worker *worker);
