/* A page while it is written. Only core/policy includes this. */
#pragma once

#include "core/policy/texts.h"

#include <stdio.h>

/* What a check is in all domains together. */
enum standing {
        STANDING_UNUSED,
        STANDING_OBSERVES,
        STANDING_PARTLY, /* it is in force for some domains */
        STANDING_ENFORCED,
};

struct page {
        FILE *out;
        const struct snapshot *snapshot;
        const char *const *links; /* where the page of each language is; NULL: it is one, and nobody else's */
        enum language language;
        /* Of the page of all rules: looked up once, for there may be very many domains. */
        enum standing standings[CHECK_COUNT];
};

/* ---- html.c: whatever is not named markup is escaped. */

/* Of this program's own. */
void page_markup(struct page *page, const char *markup);
/* Text of this program's own, and of the configuration where that is checked. */
void page_text(struct page *page, const char *text);
void page_wording(struct page *page, const struct wording *wording);
/* The same as a paragraph. */
void page_paragraph(struct page *page, const struct wording *wording);
/* The wording with a capital at its beginning and a full stop behind it. */
void page_sentence(struct page *page, const struct wording *wording);
/* Octets from elsewhere: of what is not printable, '?' is left, and what is very long is cut. */
void page_foreign(struct page *page, struct span octets);
void page_number(struct page *page, uint64_t number);
/* An opening tag, without the bracket that closes it, which links to `base` and, behind a '#', to `anchor`; NULL: to no
 * place there. */
void page_open_link(struct page *page, const char *base, const char *anchor);
/* A link to a place of this page: `prefix` and `name` are its id. */
void page_open_anchor(struct page *page, const char *prefix, const char *name);

/* ---- words.c */

enum word {
#define WORD(name, english, german) WORD_##name,
#include "core/policy/words.def"
        WORD_COUNT
};

extern const struct wording words[WORD_COUNT];
void page_word(struct page *page, enum word word);
/* A heading of this level, '1' to '6'. */
void page_heading(struct page *page, char level, enum word word);

/* ---- facts.c */

/* What the options say about a subject, as a list; nothing where they say nothing. */
void page_facts(struct page *page, enum check_id subject);
bool page_has_facts(const struct snapshot *snapshot, enum check_id subject);

/* ---- value.c */

/* The value of an option, by number of its row, in words. */
void page_value(struct page *page, size_t option);
/* What a value is more than; 0 for what is off, empty, or no. */
uint64_t option_number(const struct snapshot *snapshot, size_t option);

/* ---- replies.c */

/* True when this configuration can give the reply to who sends mail. */
bool reply_is_in_use(const struct page *page, enum reply_id reply);
/* The replies of a subject that are in use, with what each means. */
void page_replies(struct page *page, enum check_id subject);
/* The table of all codes. */
void page_codes(struct page *page);

/* ---- scope.c */

enum standing check_standing(const struct snapshot *snapshot, enum check_id check);
/* For whom a check is in which mode. */
void page_scope(struct page *page, enum check_id check);

/* ---- lists.c */

/* The DNS lists that this check asks, and how to get off them. */
void page_lists(struct page *page, enum check_id check);
bool check_has_lists(const struct snapshot *snapshot, enum check_id check);
/* A link to look `what`, an address or a domain, up on the zone's page. Without it, which is an empty span, a link to
 * the page. False, and nothing, where no page is known. */
bool page_zone_link(struct page *page, const struct dnsbl_zone *zone, struct span what);

/* ---- postmaster.c */

void page_postmaster(struct page *page);

/* ---- frame.c */

/* The same to the page in this language. */
void page_open_language(struct page *page, enum language language, const char *anchor);
/* From the document type to the opening tag of the content, with the heading, and to the end. */
void page_begin(struct page *page, enum word title);
void page_end(struct page *page);
