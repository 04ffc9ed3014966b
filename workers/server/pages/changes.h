/* What is different between two configurations, each as `check-config --effective` prints it. */
#pragma once

#include "core/base/text.h"

/* Writes a line for each option, section and domain that has changed, come or gone: as many as have room, and how many
 * more there are. Changes both texts. */
void changes_write(char *before, char *after, struct text *out);
