/* Reads keys once, and lines by them. */
#include "workers/cli/shared/revealer.h"

#include "conf/build/log_keys.h"
#include "workers/log/target.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void revealer_begin(struct revealer *revealer, const char *key_file)
{
        struct conf_complaints complaints = {0};

        /* A log without pseudonyms may have been given the name of keys that are still to be made. */
        if (key_file[0] == '\0' || (access(key_file, F_OK) != 0 && errno == ENOENT))
                return;
        revealer->keys = calloc(1, sizeof *revealer->keys);
        revealer->octets = malloc(LOG_RENDERED_MAX + 1);
        if (revealer->keys == NULL || revealer->octets == NULL ||
            !log_keys_read(revealer->keys, key_file, &(struct place){key_file, 0}, &complaints)) {
                fprintf(stderr, "%sgatepost: pseudonyms are shown as they are\n",
                        complaints.text == NULL ? "" : complaints.text);
                revealer_end(revealer);
        }
        conf_complaints_end(&complaints);
}

const char *revealer_line(struct revealer *revealer, const char *line)
{
        struct text out;

        if (revealer->keys == NULL || !log_line_has_pseudonyms(span_from(line)))
                return line;
        text_over(&out, revealer->octets, LOG_RENDERED_MAX);
        log_line_reveal(revealer->keys, span_from(line), &out);
        revealer->octets[out.length] = '\0';
        return out.overflowed ? line : revealer->octets;
}

void revealer_end(struct revealer *revealer)
{
        free(revealer->keys);
        free(revealer->octets);
        *revealer = (struct revealer){0};
}
