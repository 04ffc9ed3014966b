/* Postfix's main.cf, or what `postconf -n` prints of it: settings by name, as postconf(5) reads them. It knows
 * nothing of what they mean. */
#pragma once

#include "workers/cli/import/keep.h"

#define CF_SIZE_MAX     ((size_t)1 << 20) /* octets of a file */
#define CF_SETTINGS_MAX 5000
#define CF_VALUE_MAX    ((size_t)64 << 10) /* octets of a value whose variables stand for what they are */

struct cf_fault {
        char message[256];
        uint32_t line; /* 0: the file as a whole */
};

/* A value has a newline for each end of a line in the file, so that the line of each of its words is known. */
struct cf_setting {
        struct cf_setting *next;
        struct span name, value;
        const char *file;
        uint32_t line;     /* of the name */
        bool is_overruled; /* another one of this name stands further down, or in master.cf */
};

struct cf {
        struct keep *keep;
        const char *file; /* as it is named to people */
        struct span host; /* the machine's name, for myhostname */
        struct cf_setting *first, **end;
        size_t count;
};

void cf_init(struct cf *cf, struct keep *keep, const char *file, struct span host);
/* Takes the settings of a text. False when it is no main.cf, with the reason; what was read until then is to be
 * left alone. */
bool cf_read(struct cf *cf, struct span text, struct cf_fault *ret_fault);
/* One setting more, which overrules those of its name. */
struct cf_setting *cf_set(struct cf *cf, struct span name, struct span value, const char *file,
                          uint32_t line);
/* The one that counts; NULL: there is none. */
struct cf_setting *cf_find_span(const struct cf *cf, struct span name);
const struct cf_setting *cf_find(const struct cf *cf, const char *name);
/* What Postfix takes where nothing is set; empty for what it has no default, or none that concerns mail that comes
 * in. */
struct span cf_default(const struct cf *cf, struct span name);
/* Where `word` of the setting stands: the line of its first occurrence, or of the setting. */
uint32_t cf_line_of(const struct cf_setting *setting, struct span word);
/* Cuts the next logical line off *rest: one that begins without a blank, with those behind it that begin with one;
 * of comments and empty lines nothing stays but their ends. *line is that of its first octet, *next_line counts.
 * Empty at the end. False: it begins with a blank, or has a control character. */
bool cf_take_line(struct keep *keep, struct span *rest, uint32_t *next_line, struct span *ret_text,
                  uint32_t *ret_line, struct cf_fault *ret_fault);
bool cf_say(struct cf_fault *fault, uint32_t line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
