/* What the files of core/smtp share. Nobody else includes this. */
#pragma once

#include "core/base/expect.h"
#include "core/check/memory.h"
#include "core/check/pipeline.h"
#include "core/smtp/admit.h"
#include "core/smtp/command/filter.h"
#include "core/smtp/command/path.h"
#include "core/smtp/session.h"
#include "core/smtp/text_scan.h"

#define LOG_INPUT_MAX 100 /* octets of a line of the client's kept for the log */

/* Octets kept of what has not ended. A command line has at most so many with its CR. The 512 octets of RFC 5321
 * 4.5.3.1.4 are what everybody must take at least, and each extension adds to them. */
#define LINE_KEEP_MAX    2048
#define PROXY_HEADER_MAX 128                          /* the addresses; what follows them is not kept */
enum { TLS_REASON_SIZE = 80, TLS_VERSION_SIZE = 16 }; /* with the terminator; a longer one is cut */

/* A verdict that counted, under the setting of one recipient domain. */
struct finding {
        struct finding *next;
        const struct verdict *verdict;
        const struct check_setting *setting;
        uint32_t recipients;
};

struct attempt;

/* From MAIL to its end (RFC 5321 3.3), in its own arena. */
struct transaction {
        struct arena arena;
        struct message message;
        struct recipient **recipients_end;
        uint64_t begun_ms;
        /* MAIL */
        struct span sender_domain, sender_domain_ascii;
        bool sender_is_null;
        struct verdict_list verdicts;       /* of the MAIL stage */
        struct memo memo;                   /* of the same and of RCPT, in arena */
        struct own_checks *own_checks;      /* of recipients with settings of their own */
        struct sender_memo senders;         /* of RCPT */
        struct check_memory memory;         /* in arena */
        uint64_t waits_for, waits_since_ms; /* what is parked: for these checks, a bit mask */
        bool is_judged; /* for a recipient that policy applies to: all its answers are in */
        /* RCPT */
        uint32_t recipients_refused, recipients_deferred;
        struct asking *asking; /* in arena; NULL: no source of recipients has been asked */
        struct transaction_filters filters;
        bool is_rated;                      /* it counts as a message */
        const struct verdict *data_verdict; /* of a recipient, DATA is answered with; NULL: none */
        /* DATA */
        struct text_scan scan;
        size_t front_length, own_length; /* octets of our own fields: of those in front of all, and of all */
        uint64_t text_checks;  /* of the stage DATA, that a recipient's policy asks for; a bit mask */
        uint64_t text_readers; /* of these, those that want more of the text */
        struct verdict_list text_verdicts; /* of the DATA stage */
        struct keyed *text_hash; /* of what the client sends; in arena; NULL: nobody will ask for it */
        bool is_taken_whole;     /* before a next hop is asked */
        uint64_t text_begun_ms, text_last_ms;
        uint64_t rate_check_ms; /* when the data rate is looked at next */
        bool is_text_seen, is_stored, is_author_asked, is_author_told, is_dmarc_marked;
        bool is_syntax_noted; /* the log will tell what is wrong with the text */
        /* For the log. */
        struct attempt *attempts, **attempts_end;
        struct arena attempt_arena; /* of the attempts since the first piece, while there are any */
        uint32_t attempt_count, attempts_before; /* RCPT commands: all, and those in pieces that are told */
        uint32_t attempts_room;                  /* octets that the attempts may take in the log */
        struct finding *findings;
        uint32_t finding_count, findings_omitted;
        uint16_t final_code; /* of DATA or its text; 0: none */
        enum reply_id final_reply;
        struct span final_enhanced;
        char final_reject_id[ID_TEXT_SIZE];
        struct span stored_file, store_reason, store_hop, store_words; /* as in store_report */
};

/* The client has said STARTTLS, and was not refused it. */
struct session_tls {
        enum { TLS_NOT_READY, TLS_UNDER_WAY, TLS_STANDS, TLS_FAILED } stand;
        bool is_resumed;
        uint32_t commands_before;                    /* it stood: commands in plain text */
        const char *version, *cipher, *group;        /* static; "": not known, or it does not stand */
        struct span server_name, client_certificate; /* in the session's arena, as they came, and cut */
        char offered[TLS_VERSION_SIZE];              /* of a handshake that failed */
        char reason[TLS_REASON_SIZE];                /* of it, or why TLS broke later; empty: it did not */
};

/* ---- reply.c */

struct reply_about {
        struct span recipient; /* %r */
        struct span subject;   /* %v */
        /* In the place of what the template says, for what a next hop has said; 0: none. */
        uint16_t code;
        struct span enhanced;
};

/* Writes the reply line and counts it. A policy reply leaves its reject id in session->reject_id. */
void session_reply(struct session *session, struct text *out, enum reply_id id);
void session_reply_about(struct session *session, struct text *out, enum reply_id id,
                         const struct reply_about *about);
/* The same, and the session is over. */
enum session_wish session_close(struct session *session, struct text *out, enum reply_id id);
enum session_wish session_close_about(struct session *session, struct text *out, enum reply_id id,
                                      const struct reply_about *about);

/* ---- command/: one function per command; `arguments` without surrounding blanks */

/* `line_fault`: what is wrong with the line as such, or REPLY_NONE; the line then may be a part only.
 * `evidence`: of that. */
enum session_wish command_run(struct session *session, struct span line, enum reply_id line_fault,
                              struct span evidence, struct text *out);
enum session_wish command_mail(struct session *session, struct span arguments, struct text *out);
enum session_wish command_rcpt(struct session *session, struct span arguments, struct text *out);
enum session_wish command_data(struct session *session, struct span arguments, struct text *out);
enum session_wish command_xclient(struct session *session, struct span arguments, struct text *out);
enum session_wish command_starttls(struct session *session, struct span arguments, struct text *out);
/* command/ehlo.c */
void ehlo_put_capabilities(struct session *session, struct text *out);
/* command/starttls.c: EHLO tells of STARTTLS, and it is not refused. Why it does not is kept for the log, and counted
 * where a handshake has failed. */
bool starttls_is_offered(struct session *session);
extern const char *const starttls_withheld_names[];
/* REPLY_NONE, or why MAIL may not begin without TLS. */
enum reply_id starttls_demand(struct session *session);
bool helo_set(struct session *session, struct span name);
struct transaction *transaction_begin(struct session *session);
void transaction_end(struct session *session);
/* Notes what holds for the message of a recipient's verdict. True: RCPT is answered as if nothing stood against it. */
bool transaction_waits_for_data(struct transaction *transaction, const struct verdict *verdict);

/* The message is answered; the session goes on with commands, unless the client did not wait for that. */
enum session_wish text_answer(struct session *session, enum reply_id reply, const struct reply_about *about,
                              struct text *out);
enum session_wish text_deliver(struct session *session, struct text *out); /* nothing stands against it */
/* 354: the text may come. */
enum session_wish text_begin(struct session *session, struct text *out);

/* ---- command/syntax.c: the rule syntax (P10) */

#define SYNTAX_EVIDENCE_MAX 64 /* octets */

/* It has given this reply: counts it and, unless it was about a text, keeps it for the log. `evidence`: what was
 * seen and where; may be empty. */
void syntax_note(struct session *session, enum reply_id reply, struct span evidence);
/* "octet 4": how many stand before it is given. */
void syntax_put_octet(struct text *evidence, uint64_t before);
/* "600 octets" */
void syntax_put_length(struct text *evidence, uint64_t octets);
enum reply_id syntax_text_reply(enum text_flaw flaw);
/* What was found in the text, for the log: it is to be refused with this reply; or REPLY_NONE, it was not
 * refused for that, if there is anything and it has not been noted. Returns where the fault is, to be named in the
 * reply. */
struct span syntax_note_text(struct session *session, enum reply_id reply);
/* The arguments of `verb` are refused at `rest`, which is what follows there. */
void syntax_refuse(struct session *session, struct text *out, enum reply_id reply, const char *verb,
                   struct span arguments, struct span rest);

/* ---- proxy.c (PROXY protocol, versions 1 and 2) */

enum proxy_result { PROXY_NONE, PROXY_PART, PROXY_BAD, PROXY_DONE };

/* Looks for a header at the front of *input, or for what is left of one. DONE: *input is past it, the session's
 * peer is the one it names, and session->naming tells whether it names any. PART: more is needed. NONE: it begins
 * like no header. */
enum proxy_result proxy_read(struct session *session, struct span *input);

/* ---- session.c */

/* Those of the session, with all that is empty made at first use; NULL when memory is out. */
struct session_oddities *session_oddities(struct session *session);

/* NULL while no resolvers are configured. */
static inline struct dns_source *session_dns(const struct session *session)
{
        return session->snapshot->options.resolvers.count > 0 ? session->host->dns : NULL;
}
/* The budget for what clients make us hold is spent: then, and this is counted, the answer is
 * REPLY_memory_spent. */
bool session_lacks_memory(struct session *session);
/* The client's time to act begins now. */
void session_wait(struct session *session);
/* A time limit, shorter while the server is under stress. */
uint64_t session_patience_ms(const struct session *session, uint64_t timeout_ms);
/* A session that waits for answers goes on, for one has come or its time is up; others have no need to. */
enum session_wish session_resume(struct session *session, struct text *out);
/* The client became another (PROXY, XCLIENT): whatever was said before counts no more, and nobody else is named. */
void session_name_client(struct session *session, const struct address *client, uint16_t port);

/* ---- the functions that states.def names */

/* greeting.c */
enum session_wish header_read(struct session *session, struct span *input, struct text *out);
uint64_t header_deadline_ms(const struct session *session);
enum session_wish header_timeout(struct session *session, struct text *out);
enum session_wish pause_read(struct session *session, struct span *input, struct text *out);
uint64_t pause_deadline_ms(const struct session *session);
enum session_wish pause_timeout(struct session *session, struct text *out);
/* command/line.c */
enum session_wish line_read(struct session *session, struct span *input, struct text *out);
uint64_t line_deadline_ms(const struct session *session);
enum session_wish line_timeout(struct session *session, struct text *out);
/* command/foreign.c: true when a session begins with another protocol, and so is over; *ret_wish tells */
bool foreign_is_closed(struct session *session, struct span input, struct text *out,
                       enum session_wish *ret_wish);
/* More octets may tell that `input`, which is a beginning, is another protocol. */
bool foreign_may_follow(struct span input);
/* park.c: the deadline of DNS or of the store of senders, whichever comes first */
uint64_t parked_deadline_ms(const struct session *session);
enum session_wish parked_timeout(struct session *session, struct text *out);
enum session_wish parked_resume(struct session *session, struct text *out);
/* handshake.c */
/* Why there is no TLS, or no longer. */
void handshake_keep_reason(struct session_tls *tls, const char *reason);
/* The session ends. */
void handshake_note_end(struct session *session);
uint64_t handshake_deadline_ms(const struct session *session);
enum session_wish handshake_timeout(struct session *session, struct text *out);
/* command/data.c */
enum session_wish text_read(struct session *session, struct span *input, struct text *out);
uint64_t text_deadline_ms(const struct session *session);
enum session_wish text_timeout(struct session *session, struct text *out);
enum session_wish text_resume(struct session *session, struct text *out);

/* ---- admit.c */

/* A client that PROXY or XCLIENT has named connects, under the limits of those that come themselves. True: the
 * session is over, *ret_wish tells. */
bool named_client_is_refused(struct session *session, struct text *out, enum session_wish *ret_wish);

/* ---- greeting.c */

/* Who the client is, is settled: questions about it go out while it waits for the banner. */
enum session_wish greeting_begin(struct session *session, struct text *out);
/* A balancer may name the client on any listener, before anything else was said. True: *input began like a
 * header, *ret_wish tells what came of it. */
bool optional_header_read(struct session *session, struct span *input, struct text *out,
                          enum session_wish *ret_wish);

/* ---- early_talker.c */

/* Octets came before their time. True: the session is over, *ret_wish tells. Else it is only noted. */
bool session_is_too_early(struct session *session, struct span octets, struct text *out,
                          enum session_wish *ret_wish);
/* What comes early is noted at least. */
bool session_minds_early(const struct session *session);
/* The same behind STARTTLS, whatever the mode: they would be taken for what comes under TLS. */
enum session_wish session_close_behind_starttls(struct session *session, struct span octets,
                                                struct text *out);
/* They came with the end of a text: text_answer() sees to them when the message is answered. */
void session_note_behind_text(struct session *session, struct span octets);

/* ---- park.c */

/* Who the client is has changed: from here on its questions are counted on that one. */
void questions_set_client(struct session *session);
/* A command that is about to ask DNS, for a client that has too many questions in flight already: it is to run
 * again when some of them have ended. True: *ret_wish tells; when the time is up the session is over. */
bool session_holds(struct session *session, enum parked parked, struct span arguments, struct text *out,
                   enum session_wish *ret_wish);
/* Under load DNS is not asked about clients that nobody knows. Who is played again gets what was asked then. */
static inline bool session_looks_only(const struct session *session)
{
        return session->host->recall == NULL && session->host->rung >= RUNG_cached && !session->is_known;
}
/* An answer that a command waits for will not come, because nobody has been asked, or is to be: it counts neither as
 * passed nor as refused, and the command is answered REPLY_overloaded_mail, which the caller counts by
 * session_note_deferral(). */
bool session_defers(const struct session *session);
void session_note_deferral(struct session *session);
/* The command is to run again when answers are in. */
enum session_wish session_park(struct session *session, enum parked parked, struct span arguments,
                               struct text *out);
/* The whole text is to be judged again when answers are in. */
enum session_wish session_park_text(struct session *session);

/* ---- command/command.c: again for a parked command. */
enum session_wish command_resume(struct session *session, enum parked parked, struct span arguments,
                                 struct text *out);
enum session_wish mail_judge(struct session *session, struct span arguments, struct text *out);

/* ---- stage.c */

/* What is known now; questions go to `memo`, text to `arena`. */
struct facts stage_facts(const struct session *session, struct arena *arena, struct memo *memo);
void stage_connect(struct session *session);
/* At the end of the session: what the zones said of its client, for whoever watches them. */
void stage_count_zones(struct session *session);
void stage_helo(struct session *session);
void stage_mail(struct session *session);
/* Nothing stands against a recipient, and nothing waits; nothing is counted. */
bool stage_passes(struct session *session, const struct check_setting *settings,
                  const struct verdict_list *extra);
/* All verdicts so far under the settings of one domain, those that waited looked at again. A refusal or
 * deferral is counted and noted for the log. `extra`: the verdicts of the RCPT stage, or NULL. */
struct judgement stage_judge(struct session *session, const struct check_setting *settings,
                             const struct verdict_list *extra);
/* A check about this HELO still waits: another HELO must not come before its verdict. */
bool stage_helo_waits(struct session *session);
/* Of a recipient, by its mailbox; the facts of both are only read. */
void stage_rcpt(struct session *session, const struct facts *facts, struct verdict_list *ret_list);
/* Facts of the transaction about a recipient. */
struct facts stage_recipient_facts(const struct session *session, struct span mailbox,
                                   const struct domain *domain);
/* The recipient's judgement is given: what has to be remembered of it, is. */
void stage_commit(struct session *session, const struct facts *facts, const struct check_setting *settings,
                  const struct judgement *judgement);
/* Once, when the message has been stored. */
void stage_stored(struct session *session);
/* At the end of the text. A refusal only when the domain of each recipient, postmaster aside, refuses: the
 * answer is one for all, and nobody is to lose mail by the policy of another. WAIT while the policy of one of
 * them waits. Counted and noted for the log, once it is settled. */
struct judgement stage_data(struct session *session);
/* Once more after WAIT. */
struct judgement stage_data_again(struct session *session);
/* TLS begins: what checks have made of HELO counts no more. */
void stage_forget_helo(struct session *session);

/* ---- text_readers.c */

void text_readers_begin(struct session *session);
/* What the content holds from `offset` of `block` on is new; NULL: all that it holds. */
void text_readers_read(struct session *session, const struct content_block *block, size_t offset);
void text_readers_end(struct session *session);
/* A field is to tell of the text what DNS has not said yet. */
bool text_readers_wait(struct session *session);
/* Nothing stands against the text: such fields go on top. False when memory is out. */
bool text_readers_write_fields(struct session *session);

/* ---- client_rate.c (check client_rate) */

/* After each change of session->peer.client. */
void rate_client_is_known(struct session *session);
/* A client that was named counts as connecting. True: the session is over, *ret_wish tells. */
bool rate_refuses_named_client(struct session *session, struct text *out, enum session_wish *ret_wish);
/* MAIL has begun a transaction. REPLY_NONE, or why it is too much. */
enum reply_id rate_transaction(struct session *session);
/* A recipient that nothing else stands against. REPLY_NONE, or why it is too much. */
enum reply_id rate_recipient(struct session *session);
/* True: the session is to close with REPLY_rate_penalty. */
bool rate_unknown_recipient(struct session *session);
/* The transaction's message has been stored. */
void rate_stored(struct session *session);
/* The client is spared what strangers are not, where the check enforces. */
bool rate_spares(const struct session *session);
/* The client leaves, or becomes another: the ledger learns what it has done so far. */
void rate_settle(struct session *session);

/* ---- record/measure.c, record/transaction.c */
void measure_rule(struct session *session, enum check_id rule); /* it has refused a recipient */
/* `about`: of the reply that was given. */
void record_attempt(struct session *session, const struct reply_about *about, enum reply_id reply,
                    const char *check);
void record_finding(struct session *session, const struct verdict *verdict,
                    const struct check_setting *setting);
/* The reply to DATA, to the text, or a refusal of MAIL has been given. */
void record_final(struct session *session, enum reply_id reply);
void record_stored(struct session *session, const struct store_report *report);
/* Renders the transaction that is ending. */
void record_transaction(struct session *session);
/* MAIL has just been refused, and began no transaction. */
void record_refused_mail(struct session *session, struct span sender, enum reply_id reply);
/* Where a mode is set, for the object of whoever it decided about. */
void record_put_place(struct text *json, const struct check_setting *setting);

/* ---- record/faults.c: commands that were refused outside of any mail */

#define FAULT_EVIDENCE_MAX 160 /* octets */

struct fault {
        struct fault *next;
        const char *check; /* its name: that of the rule syntax, or of whoever refuses HELO */
        enum reply_id reply;
        uint32_t command; /* its number in the session */
        char reject_id[ID_TEXT_SIZE];
        uint8_t evidence_length;
        char evidence[FAULT_EVIDENCE_MAX];
};

/* The check has refused a command with this reply, which has been given. `evidence`: what was seen; may be empty. */
void record_fault(struct session *session, enum check_id check, enum reply_id reply, struct span evidence);
/* Those that are not told yet, each of them in one line; from then on they are. */
void record_put_faults(struct text *json, const struct session *session);

/* ---- record/record.c */

/* "quit" or the like. */
extern const char *const session_ending_names[];

/* The JSON object of a transaction that has ended will be in a line; it is copied. */
void record_keep(struct session *session, const struct text *json);
/* It is in a line at once, and the session goes on. */
void record_write(struct session *session, const struct text *json);
/* What is kept is told now, in a part of the session that goes on. */
void record_part(struct session *session);
/* Writes the session's last line to the log. */
void record_session(struct session *session);
