/* The page about one refusal: what this server saw, why it refused, and what the sender can do. */
#pragma once

#include "conf/snapshot.h"
#include "core/policy/frame.h"

#include <stdio.h>

#define REFUSAL_DOMAINS_MAX 5

/* What the log has of it. All of it may be a stranger's choice. An empty span is not known, and not shown. */
struct refusal {
        struct span id, time, client, helo, evidence;
        struct span code; /* "550 5.7.1"; empty: that of the reply today */
        /* Domains alone, as all that may be told of an address. */
        struct span sender;
        struct span recipients[REFUSAL_DOMAINS_MAX];
        size_t recipient_count;
        bool has_null_sender;
        enum check_id check; /* CHECK_COUNT: none stood against it */
        enum reply_id reply; /* refuses something; REPLY_NONE: not known, and then there is a check */
};

/* Writes the page in both languages, the given one first, as HTML in UTF-8. `links` are the addresses of the policy
 * page. Of addresses in the evidence the local parts are left out, and of zones the keys. What the writer of the page
 * is told is all that is on it; whom it may be shown to, who knows the id, is the caller's to see to. */
void policy_refusal_write(FILE *out, const struct snapshot *snapshot, const struct refusal *refusal,
                          enum language first, const char *const links[static LANGUAGE_COUNT]);

/* Why there is no such page. */
enum absence {
        ABSENCE_UNKNOWN,  /* no refusal with this id is known, or not any more, or it is no id */
        ABSENCE_NO_LOG,   /* there is no file of the log to look into */
        ABSENCE_OFF,      /* the configuration says so */
        ABSENCE_TOO_MANY, /* the client has asked too often */
};

/* Writes a page that says so, and what to do, in both languages, the given one first. */
void policy_absence_write(FILE *out, const struct snapshot *snapshot, enum absence absence,
                          enum language first, const char *const links[static LANGUAGE_COUNT]);
