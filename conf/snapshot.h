/* The configuration in the form in which sessions use it. It is complete and immutable, and all its memory
 * ends together. A session pins the snapshot that it began with; a reload builds another one beside it.
 * Whoever builds a snapshot owns it. */
#pragma once

#include "conf/checks.h"
#include "core/base/name_table.h"
#include "conf/recipients/daemon.h"
#include "conf/recipients/map.h"
#include "conf/recipients/settings.h"
#include "conf/replies.h"
#include "conf/words/words.h"
#include "core/base/address.h"
#include "core/base/arena.h"

#include <stdatomic.h>

struct text_list {
        const char **texts;
        size_t count;
};

struct endpoint_list {
        struct endpoint *endpoints;
        size_t count;
};

/* A filter of IPv4 addresses. For each of the four octets it has the values that match, as 256 bits. */
struct answer_filter {
        uint64_t octets[4][4];
};

struct filter_list {
        struct answer_filter *filters;
        size_t count;
};

/* What EHLO may tell, in the order in which it does (RFC 5321 4.1.1.1). */
enum ehlo_keyword {
        EHLO_8BITMIME,
        EHLO_SMTPUTF8,
        EHLO_ENHANCEDSTATUSCODES,
        EHLO_STARTTLS,
        EHLO_XCLIENT,
        EHLO_LIMITS,
        EHLO_SIZE,
        EHLO_KEYWORD_COUNT
};

/* A limit of so many events in so much time. With 0 events there is no limit. */
struct rate {
        uint64_t events, window_ms;
};

#define CONFIGURATION_DIGEST_SIZE 13 /* hexadecimal digits, with a NUL */

#define OPTION_AUTO UINT64_MAX /* what an AUTO_COUNT is then: the program finds a number itself */

#define OPTION_FIELD_RATE       struct rate
#define OPTION_FIELD_SHARE      uint64_t
#define OPTION_FIELD_MODE       enum check_mode
#define OPTION_FIELD_ACTION     enum failure_action
#define OPTION_FIELD_EXCHANGE   enum exchange_requirement
#define OPTION_FIELD_FORMAT     enum feed_format
#define OPTION_FIELD_FALLBACK   enum feed_fallback
#define OPTION_FIELD_REPAIR     enum repair_action
#define OPTION_FIELD_SANDBOX    enum sandbox_mode
#define OPTION_FIELD_VERSION    enum tls_version
#define OPTION_FIELD_WISH       enum certificate_wish
#define OPTION_FIELD_LANGUAGE   enum language
#define OPTION_FIELD_ADDRESSES  enum log_addresses
#define OPTION_FIELD_ASKED      enum service_asked
#define OPTION_FIELD_NAMING     enum hop_naming
#define OPTION_FIELD_SECURING   enum hop_starttls
#define OPTION_FIELD_JOURNAL    enum journal_use
#define OPTION_FIELD_FIELD      enum field_wish
#define OPTION_FIELD_DELIVERED  enum delivered_to
#define OPTION_FIELD_LEAVING    enum failure_left_to
#define OPTION_FIELD_QUARANTINE enum quarantine_form
#define OPTION_FIELD_WEIGHT     int64_t
#define OPTION_FIELD_FILTERS    struct filter_list
#define OPTION_FIELD_COUNT      uint64_t
#define OPTION_FIELD_AUTO_COUNT uint64_t
#define OPTION_FIELD_DURATION   uint64_t
#define OPTION_FIELD_SIZE       uint64_t
#define OPTION_FIELD_FLAG       bool
#define OPTION_FIELD_TEXT       const char *
#define OPTION_FIELD_PATH       const char *
#define OPTION_FIELD_PATHS      struct text_list
#define OPTION_FIELD_NAMES      struct text_list
#define OPTION_FIELD_NETWORKS   struct network_list
#define OPTION_FIELD_ENDPOINTS  struct endpoint_list
#define OPTION_FIELD_MOMENT     enum reject_moment
#define OPTION_FIELD_NEWLINE    enum newline_form
#define OPTION_FIELD_STARTTLS   enum starttls_policy
#define OPTION_FIELD_KEYWORDS   uint32_t
#define OPTION_FIELD_CASING     enum local_part_case
#define OPTION_FIELD_DOOR       enum listed_moment

/* The field of an option is named like its row, and its unit is added: idle_timeout_ms. */
#define OPTION_NAME_RATE(name)       name
#define OPTION_NAME_SHARE(name)      name##_ppm
#define OPTION_NAME_MODE(name)       name
#define OPTION_NAME_ACTION(name)     name
#define OPTION_NAME_EXCHANGE(name)   name
#define OPTION_NAME_FORMAT(name)     name
#define OPTION_NAME_FALLBACK(name)   name
#define OPTION_NAME_REPAIR(name)     name
#define OPTION_NAME_SANDBOX(name)    name
#define OPTION_NAME_VERSION(name)    name
#define OPTION_NAME_WISH(name)       name
#define OPTION_NAME_LANGUAGE(name)   name
#define OPTION_NAME_ADDRESSES(name)  name
#define OPTION_NAME_ASKED(name)      name
#define OPTION_NAME_NAMING(name)     name
#define OPTION_NAME_SECURING(name)   name
#define OPTION_NAME_JOURNAL(name)    name
#define OPTION_NAME_FIELD(name)      name
#define OPTION_NAME_DELIVERED(name)  name
#define OPTION_NAME_LEAVING(name)    name
#define OPTION_NAME_QUARANTINE(name) name
#define OPTION_NAME_WEIGHT(name)     name
#define OPTION_NAME_FILTERS(name)    name
#define OPTION_NAME_COUNT(name)      name
#define OPTION_NAME_AUTO_COUNT(name) name
#define OPTION_NAME_DURATION(name)   name##_ms
#define OPTION_NAME_SIZE(name)       name##_octets
#define OPTION_NAME_FLAG(name)       name
#define OPTION_NAME_TEXT(name)       name
#define OPTION_NAME_PATH(name)       name
#define OPTION_NAME_PATHS(name)      name
#define OPTION_NAME_NAMES(name)      name
#define OPTION_NAME_NETWORKS(name)   name
#define OPTION_NAME_ENDPOINTS(name)  name
#define OPTION_NAME_MOMENT(name)     name
#define OPTION_NAME_NEWLINE(name)    name
#define OPTION_NAME_STARTTLS(name)   name
#define OPTION_NAME_KEYWORDS(name)   name
#define OPTION_NAME_CASING(name)     name
#define OPTION_NAME_DOOR(name)       name

/* Octets of the path of a unix socket, and of its last part: that one has room in sun_path (unix(7)) behind the name
 * that an open folder has in /proc, and with a suffix behind itself. */
#define SOCKET_PATH_MAX 1023
#define SOCKET_NAME_MAX 64

struct options {
#define OPTION(name, type, ...)              OPTION_FIELD_##type OPTION_NAME_##type(name);
#define CHECK_OPTION(check, name, type, ...) OPTION_FIELD_##type OPTION_NAME_##type(check##_##name);
#define TLS_OPTION(name, type, ...)          OPTION_FIELD_##type OPTION_NAME_##type(tls_##name);
#define HTTP_OPTION(name, type, ...)         OPTION_FIELD_##type OPTION_NAME_##type(http_##name);
#define PAGE_OPTION(name, type, ...)         OPTION_FIELD_##type OPTION_NAME_##type(policy_page_##name);
#define HOPS_OPTION(name, type, ...)         OPTION_FIELD_##type OPTION_NAME_##type(next_hops_##name);
#include "conf/options.def"
};

struct domain_options {
#define DOMAIN_OPTION(name, type, ...) OPTION_FIELD_##type OPTION_NAME_##type(name);
#include "conf/options.def"
};

struct zone_options {
#define ZONE_OPTION(name, type, ...) OPTION_FIELD_##type OPTION_NAME_##type(name);
#include "conf/options.def"
};

struct filter_options {
#define FILTER_OPTION(name, type, ...)  OPTION_FIELD_##type OPTION_NAME_##type(name);
#define MILTER_OPTION(name, type, ...)  OPTION_FIELD_##type OPTION_NAME_##type(name);
#define SERVICE_OPTION(name, type, ...) OPTION_FIELD_##type OPTION_NAME_##type(name);
#include "conf/options.def"
};

struct terms_options {
#define TERMS_OPTION(name, type, ...) OPTION_FIELD_##type OPTION_NAME_##type(name);
#include "conf/options.def"
};

struct dns_source;

/* A DNS blocklist or allowlist (RFC 5782). */
struct dnsbl_zone {
        struct span name;  /* A-labels, lower case */
        struct span shown; /* what clients are told of it: without a key */
        struct zone_options options;
        struct place place;
        uint8_t count_index; /* of its counters; its name keeps them over reloads */
        /* Answers in place of DNS, from files; NULL: nobody does. Set before the snapshot is published, by its
         * owner, which outlives the snapshot. */
        struct dns_source *feed;
        /* The one thing that changes in a snapshot, written by the main thread: the zone fails its self-test
         * (RFC 5782 5) or lists nearly everybody of a sudden; until that is over it only observes. */
        _Atomic bool is_suspended;
};

/* A mail filter of somebody else: a section `milter`, or `policy_service`. */
struct mail_filter {
        struct span name; /* terminated */
        enum filter_kind { FILTER_MILTER, FILTER_SERVICE } kind;
        struct filter_options options; /* those of its kind */
        struct daemon_address address;
        struct place place;
        uint8_t count_index; /* of its counters; its name keeps them over reloads */
};

#define TLS_KINDS_MAX       4 /* of keys (RSA, ECDSA, Ed25519, Ed448): certificates shown by the same name */
#define MAIL_FILTERS_MAX    8
#define FILTER_COUNTERS_MAX 16 /* more than filters, so that those that were there find theirs again */
#define DNSBL_ZONES_MAX     32
#define ZONE_COUNTERS_MAX   64 /* more than zones, so that those that were there find theirs again */
/* Domains with counters of their own; in the place before them all others are counted. */
#define DOMAIN_COUNTERS_MAX    64
#define DOMAIN_COUNTERS_OTHERS 0
#define TAG_KEYS_MAX           10 /* a key's number is one digit */

/* A key of bounce_reference. */
struct tag_key {
        char id; /* '0' to '9' */
        struct span secret;
};

/* What holds for the clients of one listener, or of one network. */
struct terms {
        struct terms_options options;
        uint32_t sets; /* of these, a bit mask by number of the row; the others are not set here */
        struct place place;
        const char *title;
        struct endpoint listener; /* of a section `listener` */
        struct network network;   /* of a section `network` */
};

struct terms_list {
        struct terms *sections;
        size_t count;
};

struct check_setting {
        enum check_mode mode;
        struct place place; /* of the mode that is in force */
};

enum sender_store_kind { SENDER_STORE_NONE, SENDER_STORE_LMDB, SENDER_STORE_REDIS };

#define REDIS_INSTANCES_MAX 8 /* among which keys are spread */
#define REDIS_SERVERS_MAX   8 /* of an instance; and sentinels */

/* One of several Redis that know nothing of each other. */
struct redis_instance {
        const char *name;             /* its first server, or what sentinels call its master */
        struct endpoint_list servers; /* in the order in which they are tried; none: sentinels are asked */
};

struct sender_target {
        enum sender_store_kind kind;
        const char *path;                 /* lmdb: absolute */
        struct redis_instance *instances; /* redis: at least one */
        size_t instance_count;
        struct endpoint_list sentinels; /* none: the instances have servers */
        bool uses_tls;                  /* with servers and sentinels */
};

enum http_kind { HTTP_NOWHERE, HTTP_AT_ADDRESS, HTTP_AT_PATH };

/* Where HTTP is spoken. */
struct http_target {
        enum http_kind kind;
        struct endpoint endpoint;
        const char *path; /* of a unix socket: absolute */
};

/* A mapped file, however many domains name it. */
struct snapshot_map {
        struct snapshot_map *next;
        const char *path;
        struct recipient_map *map;
        struct recipient_sets sets;
};

struct domain {
        struct span name; /* A-labels, lower case */
        struct domain_options options;
        enum recipient_origin origin;
        const struct socketmap_daemon *socketmap; /* of that origin: who is asked; else NULL */
        struct span map_name;                     /* which of its maps */
        struct place recipients_place;            /* where that is said */
        /* Local parts, unquoted, by local_part_normalise(), each with the number of its settings, from 1 on, or 0;
         * nobody where `map` is not NULL, or the origin elsewhere. */
        struct name_table recipients;
        const struct recipient_sets *sets; /* their settings; NULL: none has some */
        bool recipients_are_cut;           /* their file's last line has no end */
        const struct recipient_map *map;   /* who the recipients are then; owner: the snapshot's `maps` */
        uint64_t recipient_count;
        bool has_catch_all;            /* among them: RECIPIENT_CATCH_ALL */
        const struct domain *alias_of; /* whose recipients and mailboxes it has; NULL: its own */
        struct deliver_target deliver;
        enum journal_use
            journal;      /* for mail to next hops, its own or its recipients'; NEVER: there is none */
        uint32_t filters; /* of the snapshot's, those that are asked about its mail; a bit mask */
        struct check_setting checks[CHECK_COUNT]; /* its own, else the global ones */
        struct place place;
        uint8_t count_index; /* of its counters, DOMAIN_COUNTERS_OTHERS: of those of the others */
};

/* The domain that has the recipients, the mailboxes, and what says how local parts are read: itself, unless it is
 * another one's alias. */
static inline const struct domain *domain_of_mailboxes(const struct domain *domain)
{
        return domain->alias_of != NULL ? domain->alias_of : domain;
}

struct snapshot {
        struct options options;                 /* hostname is never empty here */
        char digest[CONFIGURATION_DIGEST_SIZE]; /* of what the configuration says; see conf/text/digest.h */
        struct check_setting checks[CHECK_COUNT];
        bool check_is_wanted[CHECK_COUNT];     /* its mode is not off globally or for some domain */
        bool check_is_everywhere[CHECK_COUNT]; /* every domain enforces it, and there is one */
        struct reply_template replies[REPLY_COUNT];
        struct domain *domains;
        size_t domain_count;
        struct name_table domain_names; /* value: index into domains */
        struct snapshot_map *maps;
        /* At most DNSBL_ZONES_MAX. Without a `zone` section: zen.spamhaus.org, 127.0.0.[2..11], of which
         * [10..11] dynamic. */
        struct dnsbl_zone *zones;
        size_t zone_count;
        struct mail_filter *filters; /* at most MAIL_FILTERS_MAX, in the order in which they are asked */
        size_t filter_count;
        struct socketmap_daemon *socketmaps; /* at most SOCKETMAPS_MAX */
        size_t socketmap_count;
        struct terms_list listener_terms;
        struct terms_list network_terms; /* the most specific networks first */
        struct name_table tlds;          /* A-labels, lower case */
        /* hostname, domains and helo_impersonation.names: A-labels, lower case */
        struct name_table own_names;
        /* The same and bounce_reference.names, both with A-labels and with U-labels. */
        struct name_table reference_names;
        bool has_unicode_names;            /* among them */
        size_t name_labels_max;            /* of a name among them */
        struct network_list own_addresses; /* of listeners and of this machine's interfaces */
        struct sender_target sender_store;
        bool has_http; /* section http is there */
        struct http_target http;
        const struct psl_ctx_st *suffixes;     /* Public Suffix List; NULL: no check needs it */
        struct tag_key tag_keys[TAG_KEYS_MAX]; /* the first one makes tags, all of them check */
        size_t tag_key_count;
        /* Of log_pseudonym_key_file; NULL where the log has no pseudonyms. */
        const struct pseudonym_keys *log_keys;
        /* Where bare <postmaster> goes; NULL without domains. */
        const struct domain *postmaster_domain;
        struct span postmaster_local_part;
        struct arena memory; /* everything above but the name tables, the maps and the suffixes */
        struct block_pool memory_pool;
};

/* Returns the domain of ours with this name, or NULL. `name` is in A-labels, in any letter case. */
const struct domain *snapshot_find_domain(const struct snapshot *snapshot, struct span name);
/* Returns the name of ours that `name` equals or lies below, or an empty span. `name` is in A-labels, in any
 * letter case. */
struct span snapshot_own_name(const struct snapshot *snapshot, struct span name);
/* True when a message id of ours may stand on `name`: it equals one of reference_names or lies below. `name` is
 * in A-labels, in any letter case, or in U-labels as they are spelt usually. */
bool snapshot_is_reference_name(const struct snapshot *snapshot, struct span name);
/* Looks a recipient up. `local_part` is unquoted. It is known in NFC, folded and, if need be, without its extension;
 * then the local part of its mailbox, in that form, is appended to *ret_mailbox. Where the domain's origin is elsewhere
 * everybody is known here, without extension, and has to be asked about there. "postmaster" is always known. A
 * mailbox that has no room in *ret_mailbox is unknown. Catch-alls are not looked at: see tag_find_recipient(). */
enum recipient_answer domain_find_recipient(const struct domain *domain, struct span local_part,
                                            struct text *ret_mailbox);
/* The same with the recipient's own settings; NULL: none. */
enum recipient_answer domain_find_settings(const struct domain *domain, struct span local_part,
                                           struct text *ret_mailbox,
                                           const struct recipient_settings **ret_settings);
/* The settings of the domain's catch-all, which it has; NULL: none. */
enum recipient_answer domain_find_catch_all(const struct domain *domain,
                                            const struct recipient_settings **ret_settings);

bool endpoint_list_contains(const struct endpoint_list *list, const struct endpoint *endpoint);

/* True when there are certificates: STARTTLS can be offered. */
bool snapshot_has_tls(const struct snapshot *snapshot);

/* Returns the section of this listener, or NULL. */
const struct terms *snapshot_listener_terms(const struct snapshot *snapshot, const struct address *address,
                                            uint16_t port);
/* Returns what holds for a client: of each option what the most specific network that sets it says, else the listener,
 * which may be NULL, else the top level. */
struct terms_options snapshot_terms(const struct snapshot *snapshot, const struct terms *listener,
                                    const struct address *client);
/* Indexed by enum ehlo_keyword. */
extern const char *const ehlo_keyword_names[EHLO_KEYWORD_COUNT];

/* Without resolvers the check has nobody to ask: it is off. Zones that are read from files need none. */
bool snapshot_lacks_dns(const struct snapshot *snapshot, enum check_id check);
/* Returns an empty snapshot to be filled in, or NULL when memory is out. */
struct snapshot *snapshot_new(void);
void snapshot_free(struct snapshot *snapshot);
