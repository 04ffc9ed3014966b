/* MAIL and RCPT (RFC 5321 4.1.1.2, 4.1.1.3): the envelope, and the policy's answers to it. */
#include "core/smtp/command/envelope.h"

#include "core/base/domain_name.h"
#include "core/mail/tag.h"
#include "core/smtp/command/asking.h"
#include "core/smtp/command/filter.h"
#include "core/smtp/command/next_hop.h"
#include "core/smtp/command/own_checks.h"
#include "core/smtp/internal.h"
#include "core/smtp/trace.h"

/* ---- MAIL ---------------------------------------------------------------------------------------------- */

struct mail_parameters {
        bool has_size, is_smtputf8;
        uint64_t size;
        const char *body; /* NULL: there is none */
};

/* REPLY_NONE when the parameter is good. */
static enum reply_id take_parameter(const struct parameter *parameter, struct mail_parameters *parameters)
{
        if (span_equals_nocase(parameter->keyword, SPAN("SIZE"))) {
                if (parameters->has_size || parameter->value.length > 20 ||
                    !span_number(parameter->value, &parameters->size))
                        return REPLY_parameter_bad;
                parameters->has_size = true;
                return REPLY_NONE;
        }
        if (span_equals_nocase(parameter->keyword, SPAN("BODY"))) {
                bool is_7bit = span_equals_nocase(parameter->value, SPAN("7BIT"));
                if (parameters->body != NULL ||
                    (!is_7bit && !span_equals_nocase(parameter->value, SPAN("8BITMIME"))))
                        return REPLY_parameter_bad;
                parameters->body = is_7bit ? "7BIT" : "8BITMIME";
                return REPLY_NONE;
        }
        if (span_equals_nocase(parameter->keyword, SPAN("SMTPUTF8"))) {
                if (parameters->is_smtputf8 || parameter->value.at != NULL)
                        return REPLY_parameter_bad;
                parameters->is_smtputf8 = true;
                return REPLY_NONE;
        }
        return REPLY_parameter_unknown;
}

/* On failure *arguments begins where the fault is. */
static enum reply_id parse_mail(const struct session *session, struct span *arguments, struct path *path,
                                struct mail_parameters *parameters)
{
        struct parameter parameter;
        enum parameter_result result;

        if (!span_starts_nocase(*arguments, SPAN("FROM:")))
                return REPLY_sender_missing;
        *arguments = span_skip(*arguments, 5);
        struct span at_path = *arguments;
        if (!path_parse(arguments, true, false, session->snapshot->options.syntax_lenient, path))
                return path_is_too_long(at_path) ? REPLY_sender_too_long : REPLY_sender_bad;
        for (struct span rest = *arguments; (result = parameter_next(&rest, &parameter)) == PARAMETER_FOUND;
             *arguments = rest) {
                if (!session->is_esmtp)
                        return REPLY_parameter_unknown;
                enum reply_id fault = take_parameter(&parameter, parameters);
                if (fault != REPLY_NONE)
                        return fault;
        }
        if (result == PARAMETER_BAD)
                return REPLY_parameter_malformed;
        if (parameters->size > session->snapshot->options.message_size_max_octets)
                return REPLY_message_too_large;
        *arguments = at_path;
        return path->is_ascii || parameters->is_smtputf8 ? REPLY_NONE : REPLY_utf8_not_asked;
}

/* The form to ask DNS for; empty, and so unknown there, when a U-label is none. */
static bool set_ascii_domain(struct transaction *transaction)
{
        char octets[DOMAIN_NAME_MAX];
        struct text name;

        text_over(&name, octets, sizeof octets);
        if (!domain_name_to_ascii(transaction->sender_domain, &name) || name.overflowed)
                name.length = 0;
        transaction->sender_domain_ascii = arena_copy(&transaction->arena, text_span(&name));
        return transaction->sender_domain_ascii.at != NULL;
}

static bool set_sender(struct transaction *transaction, const struct path *path)
{
        struct span sender = arena_copy(&transaction->arena, path->address);

        if (sender.at == NULL)
                return false;
        transaction->message.sender = sender;
        transaction->sender_is_null = sender.length == 0;
        if (path->domain.length == 0 || path->domain_is_literal)
                return true;
        transaction->sender_domain = span_skip(sender, (size_t)(path->domain.at - path->address.at));
        return set_ascii_domain(transaction);
}

/* `subject`: of the reply, see reply_about. */
static enum session_wish mail_refuse(struct session *session, struct text *out, enum reply_id reply,
                                     struct span subject)
{
        session_reply_about(session, out, reply, &(struct reply_about){.subject = subject});
        record_final(session, reply);
        transaction_end(session);
        return SESSION_READ;
}

enum session_wish command_mail(struct session *session, struct span arguments, struct text *out)
{
        struct path path = {0};
        struct mail_parameters parameters = {0};
        struct span rest = arguments;
        enum reply_id fault = parse_mail(session, &rest, &path, &parameters);

        if (fault == REPLY_NONE)
                fault = starttls_demand(session);
        if (fault == REPLY_NONE && session_lacks_memory(session))
                fault = REPLY_memory_spent;
        if (fault != REPLY_NONE) {
                syntax_refuse(session, out, fault, "MAIL", arguments, rest);
                if (path.address.at != NULL)
                        record_refused_mail(session, path.address, fault);
                return SESSION_READ;
        }
        enum session_wish wish;
        if (session_holds(session, PARKED_MAIL, arguments, out, &wish))
                return wish;
        struct transaction *transaction = transaction_begin(session);
        if (transaction == NULL || !set_sender(transaction, &path)) {
                transaction_end(session);
                session_reply(session, out, REPLY_out_of_memory);
                return SESSION_READ;
        }
        transaction->message.is_smtputf8 = parameters.is_smtputf8;
        transaction->message.declared_size = parameters.size;
        transaction->filters.body = parameters.body;
        follow_address(session, FOLLOW_SENDER, transaction->message.sender);
        if ((fault = rate_transaction(session)) != REPLY_NONE)
                return mail_refuse(session, out, fault, SPAN(""));
        stage_mail(session);
        return mail_judge(session, arguments, out);
}

enum session_wish mail_judge(struct session *session, struct span arguments, struct text *out)
{
        if (session->snapshot->options.reject_at == REJECT_AT_FIRST) {
                struct judgement judgement = stage_judge(session, session->snapshot->checks, NULL);
                if (judgement.result == VERDICT_WAIT && session_defers(session)) {
                        session_note_deferral(session);
                        return mail_refuse(session, out, REPLY_overloaded_mail, SPAN(""));
                }
                if (judgement.result == VERDICT_WAIT)
                        return session_park(session, PARKED_MAIL, arguments, out);
                if (judgement.result != VERDICT_PASS)
                        return mail_refuse(session, out, judgement.verdict->reply,
                                           judgement.verdict->subject);
        }
        session_reply(session, out, REPLY_sender_ok);
        return SESSION_READ;
}

/* ---- RCPT ---------------------------------------------------------------------------------------------- */

/* On failure *arguments begins where the fault is. */
static enum reply_id parse_rcpt(const struct session *session, struct span *arguments, struct path *path)
{
        struct parameter parameter;
        enum parameter_result result;

        if (!span_starts_nocase(*arguments, SPAN("TO:")))
                return REPLY_recipient_missing;
        *arguments = span_skip(*arguments, 3);
        struct span at_path = *arguments;
        if (!path_parse(arguments, false, true, session->snapshot->options.syntax_lenient, path))
                return path_is_too_long(at_path) ? REPLY_recipient_too_long : REPLY_recipient_bad;
        struct span rest = *arguments;
        result = parameter_next(&rest, &parameter);
        if (result != PARAMETER_END)
                return result == PARAMETER_BAD ? REPLY_parameter_malformed : REPLY_parameter_unknown;
        *arguments = at_path;
        return path->is_ascii || session->transaction->message.is_smtputf8 ? REPLY_NONE
                                                                           : REPLY_utf8_not_asked;
}

/* P1: relaying and unknown recipients. No option and no list makes an exception. */
enum reply_id candidate_find(const struct session *session, struct candidate *candidate)
{
        struct text *local_part = &candidate->asked.local_part;

        candidate->refused_by = check_infos[CHECK_recipient].name;
        text_over(&candidate->mailbox, candidate->mailbox_octets, sizeof candidate->mailbox_octets);
        text_over(local_part, candidate->asked.octets, sizeof candidate->asked.octets);
        if (candidate->path.domain.length == 0) {
                candidate->domain = session->snapshot->postmaster_domain;
                candidate->is_postmaster = true;
                text_put(local_part, session->snapshot->postmaster_local_part);
                text_put(&candidate->mailbox, session->snapshot->postmaster_local_part);
                return candidate->domain == NULL ? REPLY_recipient_unknown : REPLY_NONE;
        }
        candidate->domain = path_find_domain(&candidate->path, session->snapshot);
        if (candidate->domain == NULL)
                return REPLY_relay_denied;
        if (!local_part_parse_loose(candidate->path.local_part, true, local_part))
                return REPLY_recipient_bad;
        switch (tag_find_recipient(session->snapshot, candidate->domain, text_span(local_part),
                                   &candidate->mailbox, NULL, &candidate->asked.settings)) {
        case RECIPIENT_UNKNOWN:
                return REPLY_recipient_unknown;
        case RECIPIENT_UNREADABLE:
                return REPLY_recipient_unsure;
        case RECIPIENT_KNOWN:
                break;
        }
        candidate->is_postmaster = span_equals(text_span(&candidate->mailbox), SPAN("postmaster"));
        return REPLY_NONE;
}

/* What somebody else has said of the recipient, or REPLY_NONE while that is waited for. */
static enum reply_id note_asked(struct session *session, struct candidate *candidate, enum reply_id reply)
{
        candidate->waits = candidate->asked.waits;
        if (reply == REPLY_NONE)
                return reply;
        candidate->refused_by = check_infos[CHECK_recipient].name;
        asking_note(session, reply);
        return reply;
}

/* The policy of the recipient's domain. Postmaster hears everybody (RFC 5321 4.5.1). */
static enum reply_id judge_recipient(struct session *session, struct candidate *candidate)
{
        struct transaction *transaction = session->transaction;
        struct verdict_list list;
        enum reply_id reply = REPLY_NONE;

        candidate->asked.domain = candidate->domain;
        candidate->asked.address = candidate->path.address;
        candidate->refused_by = NULL;
        if (transaction->message.recipient_count >= session->snapshot->options.recipients_max)
                return REPLY_too_many_recipients;
        if (!candidate->is_postmaster && asking_is_first(&candidate->asked))
                reply = note_asked(session, candidate, asking_learn(session, &candidate->asked));
        if (candidate->waits || reply != REPLY_NONE)
                return reply;
        asking_set_mailbox(session, &candidate->asked, &candidate->mailbox);
        const struct check_setting *settings =
            own_checks(transaction, candidate->domain, candidate->asked.settings);
        candidate->checks = settings;
        if (settings == NULL)
                return REPLY_out_of_memory;
        if (!next_hop_takes_too(&transaction->message, candidate->asked.settings, candidate->domain))
                return REPLY_other_destination;
        if (!candidate->is_postmaster && !filters_go_together(session, candidate->domain))
                return REPLY_other_filters;
        if (asking_recall(session, &candidate->asked) != REPLY_NONE)
                return note_asked(session, candidate, REPLY_hop_refused);
        if (candidate->is_postmaster)
                return REPLY_NONE;
        struct facts facts =
            stage_recipient_facts(session, text_span(&candidate->mailbox), candidate->domain);
        stage_rcpt(session, &facts, &list);
        if (asking_is_due(&candidate->asked) && stage_passes(session, settings, &list))
                reply = note_asked(session, candidate, asking_hear(session, &candidate->asked));
        if (candidate->waits || reply != REPLY_NONE)
                return reply;
        struct judgement judgement = stage_judge(session, settings, &list);
        candidate->waits = judgement.result == VERDICT_WAIT;
        stage_commit(session, &facts, settings, &judgement);
        transaction->is_judged |= judgement.result == VERDICT_PASS;
        if (judgement.verdict == NULL || transaction_waits_for_data(transaction, judgement.verdict))
                return REPLY_NONE;
        candidate->refused_by = check_infos[judgement.verdict->check].name;
        candidate->subject = judgement.verdict->subject;
        return judgement.verdict->reply;
}

/* The limits of the client, once all else has been judged: `reply`, or what takes its place. */
static enum reply_id count_recipient(struct session *session, struct candidate *candidate,
                                     enum reply_id reply)
{
        enum reply_id instead = REPLY_NONE;

        if (reply == REPLY_NONE && !candidate->is_postmaster)
                instead = rate_recipient(session);
        else if (asking_is_unknown(&candidate->asked, reply) && rate_unknown_recipient(session))
                instead = REPLY_rate_penalty;
        if (instead == REPLY_NONE)
                return reply;
        candidate->refused_by = check_infos[CHECK_client_rate].name;
        return instead;
}

struct recipient *candidate_keep(struct session *session, const struct candidate *candidate)
{
        struct transaction *transaction = session->transaction;
        struct recipient *recipient = arena_take(&transaction->arena, sizeof *recipient);

        if (recipient == NULL)
                return NULL;
        *recipient = (struct recipient){
            .address = arena_copy(&transaction->arena, candidate->path.address),
            .mailbox = arena_copy(&transaction->arena, text_span(&candidate->mailbox)),
            .domain = candidate->domain,
            .settings = candidate->asked.settings,
            .checks = candidate->checks,
            .is_postmaster = candidate->is_postmaster,
            .keys = candidate->asked.keys,
        };
        return recipient->address.at == NULL || recipient->mailbox.at == NULL ? NULL : recipient;
}

void recipient_add(struct transaction *transaction, struct recipient *recipient)
{
        *transaction->recipients_end = recipient;
        transaction->recipients_end = &recipient->next;
        transaction->message.recipient_count++;
}

/* `domain`: NULL where it is none of ours. */
static void count_answer(struct session *session, const struct domain *domain, uint16_t code)
{
        static const enum metric_id metrics[] = {[RECIPIENT_ACCEPTED] = METRIC_recipients_accepted,
                                                 [RECIPIENT_DEFERRED] = METRIC_recipients_deferred,
                                                 [RECIPIENT_REFUSED] = METRIC_recipients_refused};
        struct counters *counters = session->host->counters;
        enum recipient_outcome outcome = code < 400   ? RECIPIENT_ACCEPTED
                                         : code < 500 ? RECIPIENT_DEFERRED
                                                      : RECIPIENT_REFUSED;

        counter_add(&counters->metrics[metrics[outcome]], 1);
        if (domain != NULL)
                counter_add(&counters->domain_recipients[domain->count_index][outcome], 1);
        session->transaction->recipients_deferred += code >= 400 && code < 500;
        session->transaction->recipients_refused += code >= 500;
}

enum session_wish candidate_answer(struct session *session, const struct candidate *candidate,
                                   enum reply_id reply, struct text *out)
{
        struct reply_about about = {.recipient = candidate->path.address,
                                    .subject = candidate->subject,
                                    .code = candidate->code,
                                    .enhanced = candidate->enhanced};
        asking_tell(&candidate->asked, reply, &about);
        bool is_over = reply == REPLY_rate_penalty || reply == REPLY_filter_closed;

        if (is_over)
                session_close_about(session, out, reply, &about);
        else
                session_reply_about(session, out, reply, &about);
        count_answer(session, candidate->domain, session->last_code);
        record_attempt(session, &about, reply, candidate->refused_by);
        return is_over ? SESSION_CLOSE : SESSION_READ;
}

enum session_wish command_rcpt(struct session *session, struct span arguments, struct text *out)
{
        struct candidate candidate = {0};
        struct recipient *recipient;
        struct span rest = arguments;
        enum reply_id reply = parse_rcpt(session, &rest, &candidate.path);

        if (reply != REPLY_NONE) {
                syntax_refuse(session, out, reply, "RCPT", arguments, rest);
                return SESSION_READ;
        }
        follow_address(session, FOLLOW_RECIPIENT, candidate.path.address);
        reply = candidate_find(session, &candidate);
        if (reply == REPLY_NONE)
                reply = judge_recipient(session, &candidate);
        else
                asking_note(session, reply);
        bool is_filtered = !candidate.is_postmaster && filters_are_asked(session, candidate.domain);
        candidate.waits |= reply == REPLY_NONE && is_filtered && trace_waits(session);
        if (candidate.waits && !session_defers(session))
                return session_park(session, PARKED_RCPT, arguments, out);
        if (candidate.waits) {
                session_note_deferral(session);
                reply = REPLY_overloaded_mail;
        }
        if (reply == REPLY_NONE && session_lacks_memory(session))
                reply = REPLY_memory_spent;
        reply = count_recipient(session, &candidate, reply);
        if (reply != REPLY_NONE)
                return candidate_answer(session, &candidate, reply, out);
        asking_set_mailbox(session, &candidate.asked, &candidate.mailbox);
        if ((recipient = candidate_keep(session, &candidate)) == NULL)
                return candidate_answer(session, &candidate, REPLY_out_of_memory, out);
        if (is_filtered)
                return filter_ask_recipient(session, recipient);
        recipient_add(session->transaction, recipient);
        return candidate_answer(session, &candidate, REPLY_recipient_ok, out);
}
