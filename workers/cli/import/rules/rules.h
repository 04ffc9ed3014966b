/* The translation of Postfix's settings into ours: what all of its parts share. */
#pragma once

#include "workers/cli/import/cf/master_cf.h"
#include "workers/cli/import/cf/table.h"
#include "workers/cli/import/draft.h"
#include "workers/cli/import/report.h"

/* What the caller of the command wants otherwise than Postfix has it; NULL: nothing. */
struct import_wish {
        const char *listen, *resolver, *deliver, *behind, *accounts;
        bool observes;
};

/* What asks a list. */
struct import_asking {
        struct import_asking *next;
        struct report_row *row;
        int64_t weight; /* 0: it counts by itself, whatever the threshold is */
};

#define IMPORT_FILTERS_MAX 16 /* different ones of a list of DNS */

/* A list of DNS, once for all that ask it. */
struct import_zone {
        struct import_zone *next;
        struct span name, origin;
        struct draft_section *section; /* of zones that are files of ours; else NULL until all are known */
        struct span filters[IMPORT_FILTERS_MAX];
        size_t filter_count;
        int64_t weight; /* 0: it counts by itself */
        bool has_names, is_allowlist, is_any_answer;
        bool is_enforced; /* else observed */
        struct import_asking *askings;
};

struct import_line {
        struct import_line *next;
        struct span text;
};

/* The address of a recipient who is refused by an access table. */
struct import_refusal {
        struct import_refusal *next;
        struct span address;
        struct report_row *row;
};

/* A file beside the configuration. */
struct import_file {
        struct import_file *next;
        struct span name; /* "recipients/isp.example" */
        struct import_line *first, **end;
        size_t count;
};

#define TRUSTING_MAX 8 /* lists that let mynetworks in, and more than Postfix has */

struct import {
        struct keep *keep;
        struct cf cf;
        struct cf_master master;
        struct cf_place place;
        struct import_wish wish;
        struct report report;
        struct draft draft;
        struct import_zone *zones, **zones_end;
        int64_t threshold; /* of the zones; 0: nobody has named one */
        struct import_file *files, **files_end;
        struct import_refusal *refused;
        struct report_row *refusing_row;    /* of the restriction that is translated */
        struct report_row *warned_helo_row; /* of one that only warns of HELO names that do not resolve */
        struct report_row *callout_row;     /* of the restriction that asks next hops about recipients */
        /* Of permit_mynetworks, one a list, and a list that refuses these clients all the same; NULL: none does. */
        struct report_row *trusting_rows[TRUSTING_MAX];
        const char *untrusting_list;
        const struct cf_service *front; /* the smtpd that serves port 25; NULL: not known */
        bool has_screen;                /* postscreen stands in front */
        bool trusts_networks;           /* mynetworks are let through, and not for relaying alone */
        bool limits_clients;            /* client_rate has limits of Postfix's */
        bool asks_recipients;           /* by callouts */
        unsigned settings_told;
        bool has_fault;
        struct cf_fault fault; /* the first one: Postfix would not read it either */
        const char *fault_file;
};

/* The value of a setting or its default, with what its variables stand for; empty behind a fault, which is kept. */
struct span import_value(struct import *import, const char *name);
/* Whether the word is in the list that the setting has for its value. */
bool import_list_has(struct import *import, const char *setting, struct span word);
bool import_is_set(const struct import *import, const char *name);
/* "main.cf:12 NAME", or "Postfix's default of NAME", for a comment. */
struct span import_origin(struct import *import, const char *name);
/* "main.cf:12", or "default". The line is that of `word` in the setting, where that is not empty. */
struct span import_place(struct import *import, const char *name, struct span word);
/* Both together for something in a list. */
struct span import_word_origin(struct import *import, const char *name, struct span word);
/* The whole path of a socket as the service has it: in the queue's folder where it is relative, or where the service
 * sees nothing else (chroot). NULL: it is not known, and sees all. */
struct span import_socket(struct import *import, const struct cf_service *service, struct span path);
struct import_file *import_file(struct import *import, struct span name);
void import_line(struct import *import, struct import_file *file, struct span text);
void import_todo(struct import *import, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The table that `word` names, "type:path" or "/path", as it is found here. */
void import_table_read(struct import *import, struct span word, struct cf_table *ret_table);
