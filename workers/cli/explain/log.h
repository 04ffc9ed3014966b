/* gatepost explain for what has happened: the sessions of the log that an id or an envelope names. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* What is looked for in the log. NULL: anything. */
struct log_question {
        const char *configuration;
        const char *log;   /* the file; NULL: the configuration's */
        const char *words; /* a reject id or the id of a message, maybe with the reply around it */
        const char *sender, *recipient; /* an address, or "@domain" */
        const char *client;             /* an address, or a network */
        bool as_json;
        const char *since; /* "2026-11-28", with a time behind it or not, or a duration such as "2h" */
};

/* Returns the exit status. */
int explain_log(const struct log_question *question);
