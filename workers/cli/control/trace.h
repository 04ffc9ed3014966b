/* gatepost trace: follows sessions of the running server live. */
#pragma once

extern const char trace_help[];
int trace_main(int argc, char **argv);
