/* gatepost shadow: another configuration judges beside that of a running server. */
#pragma once

extern const char shadow_help[];
int shadow_main(int argc, char **argv);
