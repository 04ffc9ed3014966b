/* gatepost replay: what another configuration would have answered to sessions of the log. */
#pragma once

extern const char replay_help[];
int replay_main(int argc, char **argv);
