/* A snapshot while it is built. Only conf/ includes this. */
#pragma once

#include "conf/text/parse.h"
#include "conf/complaints.h"
#include "conf/value/value.h"

/* Where the options of a domain were set. The file is NULL where one was not. */
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

/* Sets all fields from the settings, in their order, or else from defaults, and complains of what is wrong
 * with single values. `scratch` lives as long as the builder. */
void build_from_settings(struct builder *builder, const struct settings *settings, struct arena *scratch);
/* Completes what depends on several options, on files and on this machine, and complains of errors. The next
 * nine are parts of it, and so are build_finish_terms() and build_finish_filters(). */
void build_finish(struct builder *builder);
/* Completes names, recipients and delivery of each domain. */
void build_finish_domains(struct builder *builder);
/* Reads where mail goes. `name_length`: octets of the domain's name, 0 where it is not known. */
void build_deliver(struct builder *builder, const char *text, size_t name_length, struct place place,
                   struct deliver_target *ret_target);
/* Says of a target that is complete what the journal is to know of it, where that is for such use. */
void build_journal(struct builder *builder, enum journal_use use, struct place place,
                   struct deliver_target *deliver);
/* Reads the keys of bounce_reference. */
void build_finish_keys(struct builder *builder);
/* Reads the keys of the log's pseudonyms, where it has some from its first line on. */
void build_finish_log_keys(struct builder *builder);
/* Looks whether each certificate has a key. */
void build_finish_tls(struct builder *builder);
/* Reads where HTTP is spoken. */
void build_finish_http(struct builder *builder);
/* Looks whether the policy page can link to what it names. */
void build_finish_page(struct builder *builder);
/* Completes the zones of dnsbl. */
void build_finish_zones(struct builder *builder);
/* Completes the store of senders, and looks whether the checks that need it have it. */
void build_finish_senders(struct builder *builder);
/* Reads the password of the store of senders from its file. It complains of one that others may read. */
void build_finish_password(struct builder *builder);
/* True when the mode of the file lets every user of the machine read or write it. */
bool build_file_is_public(const char *path);
/* What is wrong with the path of a unix socket, a constant; NULL: nothing. */
const char *build_socket_path_fault(const char *path);
/* Comes last: it warns of what can hardly be meant. */
void build_warn_of_unmeant(struct builder *builder);
/* Completes the sections `listener` and `network`, once the listeners are known, and looks whether TLS can be what they
 * demand. */
void build_finish_terms(struct builder *builder);
/* Return the next section of the snapshot, which must have room for it, with default options. */
struct terms *build_listener_terms(struct builder *builder, const char *title, struct place place);
struct terms *build_network_terms(struct builder *builder, const char *title, struct place place);
/* Reads where the daemon listens that knows the domain's recipients: the option behind "socketmap:". */
void build_socketmap(struct builder *builder, struct domain *domain, struct span text, struct place place);
/* True, with a complaint, where the option `recipients` begins nearly as a word that means something else than a
 * file. */
bool build_recipients_are_misspelt(struct builder *builder, struct span text, struct place place);
/* Completes the mail filters, and reads which of them each domain wants. */
void build_finish_filters(struct builder *builder);
/* Returns the next mail filter of the snapshot, with default options. The snapshot must have room for it. */
struct mail_filter *build_filter(struct builder *builder, enum filter_kind kind, struct span name,
                                 struct place place);
/* Returns the next zone of the snapshot, with default options. The snapshot must have room for it. */
struct dnsbl_zone *build_zone(struct builder *builder, struct span name, struct place place);

/* Returns the directory of `path`, absolute. NULL when the working directory is not known or memory ran out. */
const char *build_directory_of(const char *path, struct arena *memory);
/* Returns where the option was set, or the file as a whole. */
struct place build_option_place(const struct builder *builder, enum option_at option);
