/* A feed as it is made and asked. Only core/feed includes this. */
#pragma once

#include "core/feed/builder.h"
#include "core/feed/keys.h"

#define FEED_TEXT_MAX      255 /* octets of a text, as DNS has it in one string */
#define FEED_VARIABLES     11  /* $0 to $9, and $= */
#define FEED_BASE_TEMPLATE 10
#define FEED_SETS_MAX      64
#define FEED_SUBZONES_MAX  128

/* A data set of rbldnsd. */
struct feed_set {
        enum feed_format format;
        struct feed_prefixes prefixes; /* until the set is finished */
        struct feed_ranges ranges;
        struct feed_keys networks; /* of IPv6: the length, then the octets */
        uint8_t lengths[129];      /* whether there are networks of it */
        struct feed_keys names, wildcards;
        struct feed_keys records; /* of FEED_GENERIC, by name */
        uint32_t own_value;       /* of FEED_OF_SET */
        bool has_own_value;
        char *variables[FEED_VARIABLES]; /* NULL: not set */
};

/* Which sets are asked for a name below the zone, or in it. */
struct feed_subzone {
        char *name; /* "": the zone itself */
        size_t sets[FEED_SETS_MAX];
        size_t set_count;
};

struct feed {
        struct feed_values values;
        struct feed_set sets[FEED_SETS_MAX];
        size_t set_count;
        struct feed_subzone *subzones;
        size_t subzone_count;
        uint64_t entries;
        int64_t expires_s;
};

/* What entries have that say nothing else, from here to the end of the file. */
struct feed_default {
        uint8_t address[4];
        char text[FEED_TEXT_MAX];
        size_t text_length;
        uint32_t number; /* of this value */
};

struct feed_builder {
        struct feed_wish wish;
        struct feed_report report;
        struct feed *feed;
        char file[128];
        uint32_t line;
        enum feed_format format;              /* of the file; FEED_AUTO: not known yet */
        struct feed_set *set;                 /* that lines go to; NULL: none has begun */
        struct feed_set common[FEED_FORMATS]; /* variables above the first set of files of each format */
        size_t plain[FEED_FORMATS]; /* 1 + the set of files that are not combined, by their format; 0: none */
        struct feed_default given;
        uint64_t range4_max; /* 0: any */
        char part[4096];     /* of a line that has not ended */
        size_t part_length;
        bool is_skipping; /* to the end of a line that is too long */
};

/* A line is in error, and is passed over. */
void feed_complain(struct feed_builder *builder, const char *reason);
/* "127.0.0.2" without a text: what counts until a line says something else. It has no number yet. */
extern const struct feed_default feed_default_first;
/* Back to it. False when memory is out. */
bool feed_default_reset(struct feed_builder *builder);
/* The file that is read turns out to be of this format, and so are the variables that stand above. */
void feed_know_format(struct feed_builder *builder, enum feed_format format);
/* The next set begins. NULL, with the builder broken, when it cannot. */
struct feed_set *feed_set_begin(struct feed_builder *builder, enum feed_format format);
/* From here on the set is asked in this subzone too; "": the zone itself. */
bool feed_connect(struct feed_builder *builder, const char *name, const struct feed_set *set);
/* An entry, or a default. Spaces around it are off. */
void feed_take_line(struct feed_builder *builder, struct span line);
/* What stands behind the `$` that a line begins with. */
void feed_take_special(struct feed_builder *builder, struct span line);

/* What is given as `$` in texts: the address asked for, or the name of the entry. Appends the text, FEED_TEXT_MAX
 * octets less one at most. */
void feed_expand(struct text *text, struct span model, struct span subject, const struct feed_set *set);
void feed_set_end(struct feed_set *set);
