/* What a line of recipients may say behind the address: settings of this recipient, which hold in the place of those of
 * the domain. They are KEY=VALUE, with blanks between them: a check with its mode, or `deliver`, in quotes where it has
 * blanks. */
#pragma once

#include "conf/recipients/entry.h"
#include "conf/snapshot.h"

#define RECIPIENT_SETTINGS_MAX 1000 /* octets of one line's */
#define RECIPIENT_SETS_MAX     4096 /* that differ, in one source */

/* Cuts settings off *entry, if there are any, and returns them. */
struct span recipient_settings_split(struct span *entry);
/* Reads settings that are not empty, all but what `deliver` means: *ret_deliver is its text, or empty. NULL, or what is
 * wrong; `message` is room for that. *ret_settings points into `text`. */
const char *recipient_settings_read(struct span text, struct recipient_settings *ret_settings,
                                    struct span *ret_deliver, char message[static RECIPIENT_FAULT_MAX]);
/* The modes of a domain, and in their place those that the settings have. */
void recipient_settings_apply(const struct recipient_settings *settings, const struct check_setting *domain,
                              struct check_setting ret_checks[static CHECK_COUNT]);
/* Puts them behind the others. False when memory is out. */
bool recipient_sets_add(struct recipient_sets *sets, const struct recipient_settings *settings,
                        struct arena *memory);
