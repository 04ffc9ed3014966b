/* One SMTP session (RFC 5321) as a machine: octets, answers and the time go in, reply octets and a wish come
 * out. It opens no socket, starts no thread and reads no clock. All functions but session_end() return the
 * wish that holds until the next call.
 *
 *      session_begin ──> READ <──> PARK     nothing is read while parked: the client may not outrun its verdict
 *                         │  └───> STORE    the caller hands session->transaction's message over, then
 *                         │                 session_stored(); from PARK, too, where the text had to wait
 *                         ├──────> OPEN     the caller asks a next hop, then session_opened()
 *                         ├──────> FILTER   the caller asks mail filters, then session_filtered()
 *                         ├──────> SECURE   the caller makes TLS ready, then session_secure(); from there
 *                         │                 HANDSHAKE, and session_secured() or session_handshake_failed()
 *                         └──────> CLOSE    the caller writes what is in `out` and closes
 *      session_end: exactly once, from any state but STORE; logs and frees. STORE ends by session_stored(), or by
 *      session_forsake() where the whole process ends.
 *
 * What each state does with each event: core/smtp/states.def. `out` must have SESSION_OUT_ROOM octets of room at
 * each call. */
#pragma once

#include "core/base/arena.h"
#include "core/base/date.h"
#include "core/base/ids/ids.h"
#include "core/base/ladder/ladder.h"
#include "core/base/count/recent.h"
#include "core/check/pipeline.h"
#include "core/lookup/delivered.h"
#include "core/mail/message.h"
#include "core/senders/client_table.h"
#include "core/smtp/follow/follow.h"
#include "core/smtp/metrics.h"
#include "core/smtp/tape/recall.h"
#include "core/smtp/tape/tape.h"
#include "core/senders/rates.h"
#include "core/senders/tls_no_go.h"

#define SESSION_OUT_ROOM  4096  /* no single step writes more */
#define SESSION_INPUT_MAX 65536 /* octets that a session leaves unread while it wants more */
#define LOG_LINE_MAX      32768
#define SESSION_LOG_ROOM  49152 /* no single step writes more to the log: two lines, one of them short */

/* What sessions of one worker share. Owner: the worker; it sets the time and the flags before it calls a
 * session. */
struct session_host {
        struct block_pool session_pool;     /* small blocks */
        struct block_pool transaction_pool; /* envelopes */
        struct content_pool content_pool;
        struct counters *counters;
        struct recent refused; /* clients, each once a session */
        /* Whole lines, each a JSON object with its newline. The worker takes them away and keeps
         * SESSION_LOG_ROOM of room. */
        struct text log;
        uint64_t now_ms;                   /* monotonic */
        int64_t wall_ms;                   /* since 1970, UTC */
        struct dns_source *dns;            /* NULL: no check asks */
        const struct sketch *questions;    /* in flight there, by dns_account; NULL: of clients none count */
        struct sender_source *senders;     /* of senders; NULL: nothing is remembered */
        const struct ledger *ledger;       /* of clients; NULL: nobody is counted */
        const struct tls_no_go *tls_no_go; /* clients whose handshakes failed; NULL: none is remembered */
        struct client_table *clients;      /* their open sessions; NULL: those that are named do not count */
        int64_t log_second;                /* since 1970, which log_time is the text of */
        char log_time[DATE_TEXT_LENGTH];   /* "2026-11-25T01:02:03" */
        struct ids ids;                    /* of replies and messages */
        enum rung rung;                    /* of the ladder of load */
        uint64_t turn_us;                  /* monotonic: when the last unknown client in turn is greeted */
        uint64_t (*clock_ns)(void);        /* monotonic; NULL: no session is measured */
        uint64_t unmeasured;               /* sessions since the last one that was measured */
        bool memory_is_spent;              /* no mail begins, and none grows by a recipient: 452 */
        struct follow follow;              /* who follows sessions live */
        uint32_t facts_due;                /* parts of a million of a tape that the next sessions owe */
        struct tape_sink *sink;            /* where tapes go beside the log; NULL: nowhere */
        struct tape_recall *recall; /* sessions are played again, from their tapes; NULL: they are not */
        /* By their origin: where recipients are asked about that are not here; NULL: nobody can be asked. */
        struct recipient_source *recipient_sources[RECIPIENT_ORIGINS];
        /* Of recipients at next hops; NULL: nothing is. */
        const struct remembered *remembered;
};

/* Who connected where. */
struct session_peer {
        struct address client;
        uint16_t client_port;
        struct address server; /* the listener's; may be unspecified */
        uint16_t server_port;
        bool needs_proxy_header; /* a proxy_listen listener */
        bool is_greeted;         /* the banner has been sent by whoever accepted it */
        uint64_t accepted_ms;    /* monotonic: time limits count from then; 0, or later than now: now */
        /* by which answers to this session's questions come, of DNS and of the store of senders */
        uint64_t dns_handle;
        /* of connections, where that only is observed; NULL: none. Not kept */
        const struct rate_excess *excess;
};

/* The command that is parked; its function runs again with the same arguments. */
enum __attribute__((packed)) parked {
        PARKED_NOTHING,
        PARKED_HELO,
        PARKED_EHLO,
        PARKED_MAIL,
        PARKED_RCPT,
        PARKED_DATA
};

enum __attribute__((packed)) session_wish {
        SESSION_READ,
        SESSION_PARK,
        /* The caller asks a next hop for its go-ahead, with session->transaction's envelope but for those who are left
         * out; then session_opened(). The session may end before. */
        SESSION_OPEN,
        /* The caller asks the mail filters of the snapshot what session_filter_question() says, then calls
         * session_filtered(). The session may end before. */
        SESSION_FILTER,
        SESSION_STORE,
        /* The client has said STARTTLS, and is not answered yet. If octets wait behind the line, with the caller or in
         * the socket, it calls session_note_early_input(); then session_secure(), in the same turn. */
        SESSION_SECURE,
        /* What is in `out` is sent in plain text, then the caller speaks TLS. The session reads nothing; the time that
         * the handshake has is in deadline_ms as always. */
        SESSION_HANDSHAKE,
        SESSION_CLOSE,
};

enum __attribute__((packed)) session_ending {
        SESSION_ENDED_BY_QUIT,
        SESSION_ENDED_BY_US,     /* a refusal, limit or time-out of ours that closes */
        SESSION_ENDED_BY_CLIENT, /* end of file or reset */
        SESSION_ENDED_BY_STOP,   /* the server is closing */
};

/* Whether PROXY or XCLIENT may name another client than the one that is connected. */
enum __attribute__((packed)) session_naming {
        NAMING_NOT_ALLOWED, /* the socket's address is not in proxy_networks */
        NAMING_OPEN,
        NAMING_DONE, /* the client behind the proxy speaks now, and for itself alone */
        NAMING_NOBODY, /* the header names none that is of use: the balancer itself, or somebody it does not know */
};

enum __attribute__((packed)) session_state {
#define STATE(name, ...) SESSION_STATE_##name,
#include "core/smtp/states.def"
#undef STATE
};

/* What a handshake came to. */
struct tls_facts {
        /* Static texts as OpenSSL names them: "TLSv1.3", "TLS_AES_128_GCM_SHA256", "x25519"; "": not known. */
        const char *version, *cipher, *group;
        struct span server_name;        /* as the client sent it: any octets; empty: none */
        struct span client_certificate; /* its subject, any octets, or its fingerprint; empty: none */
        bool is_resumed;
};

/* Why there is no TLS. The texts are copied. */
struct tls_failure {
        /* Such as "no shared cipher", "unknown ca", "closed": its words decide how it counts. */
        const char *reason;
        /* The highest version that the client offered, as "TLSv1.2"; "": not known. */
        const char *offered;
        struct span server_name; /* as above */
};

struct transaction;
struct record_piece;
struct fault;
struct session_tls;

/* For the log: what few sessions have. */
struct session_oddities {
        struct span rate_evidence; /* the last limit that it exceeded outside of transactions */
        const char *foreign;       /* the protocol that it speaks instead of SMTP; NULL: none */
        struct span early_octets;  /* the first that came too early, where that is not refused */
        struct span bad_line;      /* the last line that was a fault of protocol */
        const char *limit;         /* the option whose limit the named client has reached; NULL: none */
        /* Commands that were refused outside of any mail, until they are told. */
        struct fault *faults_first, *faults_last;
        uint32_t faults_kept;
        uint32_t syntax_faults; /* commands that the rule syntax refused */
};

/* Why the last EHLO in plain text was answered without STARTTLS. */
enum __attribute__((packed)) starttls_withheld {
        WITHHELD_NOT,
        WITHHELD_NO_CERTIFICATE, /* there is no TLS here */
        WITHHELD_OFF,            /* by the option `starttls` */
        WITHHELD_KEYWORD,        /* by the option `ehlo_without` */
        WITHHELD_NO_GO,          /* a handshake of this client has failed of late */
};

struct session {
        /* Fixed from the beginning. */
        struct session_host *host;
        const struct snapshot *snapshot; /* pinned by the caller until session_end() has returned */
        /* the address of the socket; session->peer may name another after PROXY or XCLIENT */
        struct address connected;
        const struct terms *listener; /* of the snapshot; NULL: nothing of its own holds there */
        enum session_naming naming;
        uint16_t header_left; /* octets of a PROXY header that are still to come, and of no use */

        /* Who the client is. */
        struct terms_options terms; /* that hold for it */
        bool is_trusted;
        bool is_rated; /* limits apply to it */
        bool client_has_good_history;
        bool is_known; /* by its history, or by the configuration: under load it goes first */
        bool is_esmtp;
        bool is_measured;        /* option measure_every: a refusal waits for the checks behind it */
        uint8_t followed;        /* by whom, as bits of host->follow.active */
        struct client_seat seat; /* of the client, where it was named; that of a socket is the caller's */
        struct session_peer peer;
        struct rates rates;           /* where it is rated */
        struct span helo;             /* in arena; empty: none yet */
        struct verdict_list verdicts; /* of the stages CONNECT and HELO, latched */
        struct memo memo;             /* of the same stages, in arena */
        struct dns_account account;   /* of all that the session asks */

        /* Changes per command. */
        /* call session_timeout() then; UINT64_MAX: never. After session_end() the caller's */
        uint64_t deadline_ms;
        uint64_t waiting_since_ms;
        uint64_t turn_ms; /* monotonic: the banner comes in turn, and not before; 0: it needs none */
        struct transaction *transaction; /* NULL outside of one */
        uint32_t commands, junk, errors; /* since the last accepted message */
        enum session_state state;
        char line_bare;  /* the first bare CR or LF of the unended line; NUL: none */
        bool came_early; /* octets arrived while nobody read, or before it can be told what they are */
        enum parked parked;
        bool was_refused;   /* by a check or a rule, be it once */
        bool sends_secrets; /* it has sent AUTH, and no command since */
        bool is_held;       /* the parked command has not begun: too many questions are in flight */
        uint16_t parked_length, parked_room; /* octets of the arguments, and of the buffer */
        char *parked_arguments;      /* in arena, one buffer for all parked commands; NULL: none yet */
        uint32_t errors_settled;     /* of the total: those that the ledger knows of */
        uint32_t merits;             /* messages stored since then for others than postmaster */
        uint32_t unknown_recipients; /* since then; it knows of them at once */
        uint32_t line_skipped;       /* octets of an overlong line that are gone already */
        uint32_t line_bare_at;       /* octets of the line before line_bare */
        struct {
                uint16_t transactions, messages, recipients, unknown_recipients, stored_recipients;
        } untold; /* what the client did since the fleet was told; they stay at their maximum */

        /* For the log. */
        struct arena arena;               /* lives as long as the session */
        struct arena record_arena;        /* transactions that ended, as JSON */
        struct record_piece *record_last; /* its next is the first; NULL: none */
        size_t record_length;
        uint32_t record_part, commands_total, errors_total, messages_total;
        struct session_oddities *oddities; /* in arena; NULL: none */
        struct session_tls *tls;           /* in arena; NULL: the client has begun no handshake */
        struct tape *tape;                 /* NULL: this session has none */
        uint16_t last_code;
        enum starttls_withheld starttls_withheld;
        enum session_ending ending;
        enum reply_id closed_with;    /* when we closed */
        char reject_id[ID_TEXT_SIZE]; /* of the last policy reply */
};

enum session_wish session_begin(struct session *session, struct session_host *host,
                                const struct snapshot *snapshot, const struct session_peer *peer,
                                struct text *out);
/* Uses octets from the front of *input and advances it past them. Stops early when `out` has less than
 * SESSION_OUT_ROOM left, or the log less than SESSION_LOG_ROOM (the wish is READ and *input is not empty: flush
 * and call again), or when the wish is another. What is incomplete stays in *input, at most SESSION_INPUT_MAX
 * octets: the caller keeps it and brings it again, longer. */
enum session_wish session_input(struct session *session, struct span *input, struct text *out);
/* Octets arrived while nobody reads: the client did not wait for our reply. To be called before the call that
 * goes on. */
void session_note_early_input(struct session *session);
/* host->rung has changed: deadline_ms is set anew. */
void session_set_deadline(struct session *session);
/* The deadline has passed. */
enum session_wish session_timeout(struct session *session, struct text *out);
/* An answer to a question that was filed for this session. A parked session goes on when it was the last that
 * it needed. */
enum session_wish session_answer(struct session *session, const struct dns_question *question,
                                 const struct dns_answer *answer, struct text *out);
/* The same from the store of senders. */
enum session_wish session_sender_answer(struct session *session, const struct sender_key *key, enum fact fact,
                                        const struct sender_record *record, struct text *out);
/* The same from a source of recipients. `ruling`: where the fact is FOUND. */
enum session_wish session_ruled(struct session *session, const struct key128 *key, enum fact fact,
                                const struct ruling *ruling, struct text *out);
/* The wish was OPEN. DONE: a next hop has given its go-ahead, and the client is told 354; or STORE, where the text has
 * been taken already. */
enum session_wish session_opened(struct session *session, const struct store_report *report,
                                 struct text *out);
/* The envelope at the wish OPEN. */
struct message *session_envelope(struct session *session);
/* A next hop is asked behind the text, which is to stay here until then. */
bool session_takes_text_whole(const struct session *session);
/* The key of the text as the client has sent it, for who has it. False where nobody is to ask for that. */
bool session_text_key(const struct session *session, struct key128 *ret_key);
/* The message has been stored, or not. */
enum session_wish session_stored(struct session *session, const struct store_report *report,
                                 struct text *out);
/* The wish was SECURE. `is_ready`: the caller is to speak TLS at the end of `out`. 220 and HANDSHAKE; else 454 and
 * READ; but 554 and CLOSE when octets came behind the line, whatever the mode of early_talker: they are never
 * taken for what is said under TLS (RFC 3207 6, CVE-2011-0411). */
enum session_wish session_secure(struct session *session, bool is_ready, struct text *out);
/* The wish was HANDSHAKE, and TLS stands. The client is who it was; what it has said counts no more (RFC 3207 4.2). */
enum session_wish session_secured(struct session *session, const struct tls_facts *facts, struct text *out);
/* The wish was HANDSHAKE, and TLS does not come about: nobody there would understand a word. */
enum session_wish session_handshake_failed(struct session *session, const struct tls_failure *failure,
                                           struct text *out);
/* TLS stood and is broken, for this short reason, which is copied: for the log. The connection is to be given up. */
void session_tls_broken(struct session *session, const char *reason);
/* True from session_secured() on. */
bool session_is_secured(const struct session *session);
/* The server ends, and the store has not reported yet: 421 and CLOSE, so that the client keeps the message. The
 * store may go on to read all of the message, so its memory is never given back. */
enum session_wish session_forsake(struct session *session, struct text *out);
/* The server is closing: 421 and CLOSE when the session is between commands, or also within a command or a text
 * when `at_once` is set, else it goes on (and is to be told again). A message whose text is whole always goes on. */
enum session_wish session_stop(struct session *session, bool at_once, struct text *out);
/* Its snapshot is one of too many: 421 and CLOSE when it is between messages, or also within one when `at_once`
 * is set, else it goes on (and is to be told again). */
enum session_wish session_leave_snapshot(struct session *session, bool at_once, struct text *out);
/* The server can wait for answers no longer: those that are missing count as failed. A parked session goes on;
 * others have no need to. */
enum session_wish session_hurry(struct session *session, struct text *out);
/* The connection is gone, or the wish was CLOSE. */
void session_end(struct session *session, enum session_ending ending);
/* The message from DATA to its answer, for callers that store long ones piece by piece: what they have been given
 * is not to be delivered before the wish STORE. NULL outside of one. */
struct message *session_message(struct session *session);
