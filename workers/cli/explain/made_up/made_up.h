/* gatepost explain for a session that never was: judged by the machine that judges sessions, with DNS as it is and the
 * store of senders read alone. Nothing is delivered, counted or remembered. */
#pragma once

#include "workers/cli/explain/dialogue.h"

/* Returns the exit status. It waits for DNS for half a minute at most, then what is not answered has failed. */
int explain_made_up(struct question *question, bool as_json);
