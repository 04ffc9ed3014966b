/* gatepost recipients build: makes the file that the option `recipients = "lmdb:FILE"` reads. */
#pragma once

extern const char recipients_help[];

int recipients_main(int argc, char **argv);
