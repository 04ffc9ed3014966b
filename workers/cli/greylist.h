/* gatepost greylist list|allow|forget: what the greylist remembers, looked at and changed beside a running
 * server. */
#pragma once

int greylist_main(int argc, char **argv);
