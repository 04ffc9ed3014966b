/* What stands in HTML for octets that would be taken for markup. */
#pragma once

#include <stddef.h>

/* In text between tags and in a quoted attribute. NULL where the octet stands for itself. */
static inline const char *html_escape(char octet)
{
        switch (octet) {
        case '&':
                return "&amp;";
        case '<':
                return "&lt;";
        case '>':
                return "&gt;";
        case '"':
                return "&quot;";
        case '\'':
                return "&#39;";
        default:
                return NULL;
        }
}
