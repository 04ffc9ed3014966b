/* A client of the control socket that follows sessions live (`gatepost trace`): what it gets, and how much of it a
 * second. Owner: the control thread. */
#pragma once

#include "workers/control/board.h"
#include "workers/control/client.h"

/* "trace ip=NET", "from=PATTERN" or "to=PATTERN", and maybe " rate=LINES", without the word itself. It follows from now
 * on, and that is told; or the reason is. */
void follower_begin(struct control_client *client, struct follow_board *board, struct span words);
/* Once a turn: gives those who follow what has come from workers. */
void followers_feed(struct control_client *clients, size_t count, struct follow_board *board);
/* It has gone. */
void follower_end(struct control_client *client, struct follow_board *board);
