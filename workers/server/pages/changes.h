/* What is different between two configurations, each as `check-config --effective` prints it. */
#pragma once

#include "conf/snapshot.h"
#include "core/base/text.h"

/* Writes a line for each option, section and domain that has changed, come or gone: as many as have room, and how many
 * more there are. Changes both texts. */
void changes_write(char *before, char *after, struct text *out);
/* True when both say the same. It takes long where there are many domains. */
bool changes_are_none(const struct snapshot *left, const struct snapshot *right);
/* All of it as a text, which is the caller's to free. NULL: memory is out. */
char *changes_effective(const struct snapshot *snapshot);
