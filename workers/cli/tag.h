/* gatepost tag. */
#pragma once

int tag_main(int argc, char **argv);
