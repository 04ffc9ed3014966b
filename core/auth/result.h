/* What a method comes to, as RFC 8601 2.7 names it. */
#pragma once

enum auth_result {
        AUTH_NONE, /* there was nothing to judge */
        AUTH_PASS,
        AUTH_FAIL,
        AUTH_POLICY, /* it may be right, but is not acceptable here: what it covers, or what judging it would cost */
        AUTH_NEUTRAL,   /* it has an error of syntax, or says nothing */
        AUTH_TEMPERROR, /* tomorrow it may be otherwise */
        AUTH_PERMERROR,
        AUTH_WAIT, /* an answer is pending: judge again when the memo has it */
};

/* "none", "pass", ...; of AUTH_WAIT "temperror": who does not wait any longer has no answer. */
const char *auth_result_name(enum auth_result result);
