/* Lists of restrictions: an element each, judged by the table restrictions.def. */
#pragma once

#include "workers/cli/import/rules/rules.h"

enum restriction_argument { ARGUMENT_NONE, ARGUMENT_WORD, ARGUMENT_TABLE, ARGUMENT_ZONE, ARGUMENT_SERVICE };

/* An element of a list, and what is to be told of it. */
struct element {
        const char *list; /* "smtpd_client_restrictions" */
        struct span name, argument;
        struct span origin;   /* for the configuration */
        enum check_mode mode; /* observe behind warn_if_reject */
        size_t rejecting;     /* elements in front of it in its list, but for those named permit... */
        enum judgement judgement;
        const char *ours, *why;
        struct report_row *row; /* when `told` is called */
        bool is_of_recipients;  /* it holds for clients that are trusted as well */
        bool ends;              /* nothing behind it is reached */
};

/* It has no counterpart, for this reason. */
void element_not_translated(struct element *element, const char *why);
/* All lists, as Postfix goes through them. */
void restrictions_translate(struct import *import);
