/* gatepost journal. */
#pragma once

int journal_main(int argc, char **argv);
extern const char journal_help[];
