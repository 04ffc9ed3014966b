/* A snapshot while it is built; for conf/ only. */
#pragma once

#include "conf/text/parse.h"
#include "conf/complaints.h"
#include "conf/value/value.h"

/* Where the options of a domain were set; file NULL: nowhere. */
struct domain_places {
        struct place options[DOMAIN_OPTION_AT_END];
};

struct builder {
        struct snapshot *snapshot;
        struct conf_complaints *complaints;
        const char *directory; /* absolute */
        struct place whole;    /* the file, for what stands nowhere in it */
        struct place options[OPTION_AT_END];
        struct domain_places *domains; /* as in the snapshot; owner: scratch arena */
        bool out_of_memory;
};

/* Sets all fields from settings, in their order, else from defaults; reports what is wrong with single
 * values. `scratch` lives as long as the builder. */
void build_from_settings(struct builder *builder, const struct settings *settings, struct arena *scratch);
/* Completes what depends on several options, on files and on this machine; reports errors. */
void build_finish(struct builder *builder);
/* Part of it: names, recipients and delivery of each domain. */
void build_finish_domains(struct builder *builder);
/* Part of it: the keys of bounce_reference. */
void build_finish_keys(struct builder *builder);
/* Part of it: the zones of dnsbl. */
void build_finish_zones(struct builder *builder);
/* Part of it: the store of senders, and what checks that use it need. */
void build_finish_senders(struct builder *builder);
/* The last part: warnings of what can hardly be meant. */
void build_warn_of_unmeant(struct builder *builder);
/* The next zone of the snapshot, which has room for it, with default options. */
struct dnsbl_zone *build_zone(struct builder *builder, struct span name, struct place place);

/* Where the option was set, or the file as a whole. */
struct place build_option_place(const struct builder *builder, enum option_at option);
