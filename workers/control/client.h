/* A connection to the control socket, octet by octet; what its lines mean is not known here. Owner: the control
 * thread. */
#pragma once

#include "workers/control/job.h"

#include <stdbool.h>

#define CONTROL_LINE_WAIT_MS 60000                       /* for the next line: somebody may type */
#define CONTROL_OUT_SIZE     (CONTROL_ANSWER_MAX + 4096) /* with the answers to orders that are no orders */

/* Its lines are read an order at a time; while it waits for an outcome, or has not taken enough of its answers,
 * nothing is read. */
struct control_client {
        int fd;               /* -1: there is none */
        bool is_stranger;     /* it may not order anything */
        bool is_waiting;      /* for the outcome of its order */
        bool is_given;        /* the main thread has that order */
        bool is_at_end;       /* it will send no more */
        bool ends;            /* when it has taken what it is told */
        uint64_t deadline_ms; /* until then the next line has come, or some of the answers were taken */
        uint64_t asked;       /* whose order is older: a count */
        enum control_order order;
        uint64_t number;              /* behind its word; 0: none */
        char words[CONTROL_LINE_MAX]; /* the same; empty: none */
        uint32_t user, process;
        /* Where it follows sessions live; see follower.h. It orders nothing else then, and is not read. */
        uint32_t follower;                  /* its bit among those who follow; 0: it does not */
        uint64_t follow_rate, follow_count; /* lines that it gets in a second, and has got in this one ... */
        uint64_t follow_second_ms;          /* ... which began then */
        uint64_t follow_left_out;           /* lines that it is still to be told of */
        size_t line_length, told;           /* octets of `out` that it has taken */
        struct text out;
        char line[CONTROL_LINE_MAX];
};

/* Begins with a connected socket, which is taken over. False: nobody knows whose it is, and it is closed. */
bool control_client_begin(struct control_client *client, int fd);
void control_client_drop(struct control_client *client);
/* What comes is read now; while it is told much, it is not. */
bool control_client_is_read(const struct control_client *client);
/* Takes the next line out of what has come. False: there is none to be executed now. */
bool control_client_next_line(struct control_client *client, char ret_line[CONTROL_LINE_MAX],
                              struct span *ret_span);
/* The last line of an answer. */
void control_client_answer(struct control_client *client, const char *error);
/* The same, and nothing more is read. */
void control_client_answer_and_end(struct control_client *client, const char *error);
/* It has told all that it wants and has taken all that it was told, or its time is over. */
bool control_client_is_over(const struct control_client *client, uint64_t now_ms);
/* Reads what has come. False: it has gone. */
bool control_client_receive(struct control_client *client);
/* Sends what there is to be told, as far as it takes it. False: it has gone. */
bool control_client_tell(struct control_client *client);
