/* Drives the session. */
#include "core/smtp/tape/play.h"

#include "core/base/domain_name.h"
#include "core/smtp/internal.h"
#include "core/smtp/tape/internal.h"

#define NOW_START_MS 1000000
#define TURNS_MAX    8 /* of a session that waits: it never does for long */

void tape_player_init(struct tape_player *player)
{
        struct session_host *host = &player->host;

        memset(player, 0, sizeof *player);
        *host = (struct session_host){.counters = &player->counters, .recall = &player->recall};
        host->ids.sequence = 1;
        player_answer(player);
        host->dns = &player->dns;
        host->senders = &player->senders;
        host->recipient_sources[RECIPIENTS_AT_HOP] = host->recipient_sources[RECIPIENTS_AT_SOCKETMAP] =
            &player->recipients;
        block_pool_init(&host->session_pool, 4096, 16);
        block_pool_init(&host->transaction_pool, 4096, 16);
        content_pool_init(&host->content_pool, 4);
        text_over(&host->log, player->no_log, 0);
}

void tape_player_end(struct tape_player *player)
{
        block_pool_end(&player->host.session_pool);
        block_pool_end(&player->host.transaction_pool);
        content_pool_end(&player->host.content_pool);
}

/* ---- what it does not know ----------------------------------------------------------------------------- */

static void note_unknown(struct tape_player *player, enum check_id check, struct span zone)
{
        for (size_t i = 0; i < player->unknown_count; i++)
                if (player->unknown[i].check == check && span_equals(player->unknown[i].zone, zone))
                        return;
        if (player->unknown_count < PLAYED_UNKNOWN_MAX)
                player->unknown[player->unknown_count++] = (struct played_unknown){check, zone};
}

static bool is_list(enum check_id check)
{
        return check == CHECK_dnsbl || check == CHECK_dynamic_client || check == CHECK_rhsbl;
}

static bool note_zones(struct tape_player *player, const struct memo *memo, enum check_id check)
{
        const struct snapshot *snapshot = player->session.snapshot;
        bool is_any = false;

        for (const struct memo_entry *entry = memo->entries; entry != NULL; entry = entry->next)
                for (size_t i = 0; i < snapshot->zone_count && entry->answer.fact == FACT_PENDING; i++) {
                        const struct dnsbl_zone *zone = &snapshot->zones[i];
                        if (zone->options.names != (check == CHECK_rhsbl) ||
                            !domain_name_is_within(entry->question.name, zone->name))
                                continue;
                        note_unknown(player, check, zone->name);
                        is_any = true;
                }
        return is_any;
}

/* A check that only observes keeps nothing waiting. What a daemon may say of a recipient nobody knows beforehand. */
static bool counts(const struct snapshot *snapshot, enum check_id check)
{
        bool is_enforced = snapshot->checks[check].mode == CHECK_MODE_ENFORCE;

        for (size_t i = 0; i < snapshot->domain_count; i++) {
                const struct domain *domain = &snapshot->domains[i];
                is_enforced |= domain->checks[check].mode == CHECK_MODE_ENFORCE ||
                               domain->options.socketmap_settings ||
                               (domain->sets != NULL &&
                                (domain->sets->checks[CHECK_MODE_ENFORCE] & check_bit(check)) != 0);
        }
        return is_enforced;
}

static void note_waiting(struct tape_player *player, const struct memo *memo, uint64_t waiting)
{
        for (; waiting != 0; waiting &= waiting - 1) {
                enum check_id check = (enum check_id)__builtin_ctzll(waiting);
                if (counts(player->session.snapshot, check) &&
                    (!is_list(check) || !note_zones(player, memo, check)))
                        note_unknown(player, check, SPAN(""));
        }
}

static void note_all(struct tape_player *player)
{
        const struct session *session = &player->session;
        const struct transaction *transaction = session->transaction;

        note_waiting(player, &session->memo, session->verdicts.waiting);
        if (transaction != NULL)
                note_waiting(player, &transaction->memo, transaction->verdicts.waiting);
        if (player->recall.lacks_sender)
                note_unknown(player, CHECK_greylist, SPAN(""));
}

/* ---- its way ------------------------------------------------------------------------------------------- */

static struct text *out_of(struct tape_player *player)
{
        text_over(&player->out, player->out_octets, sizeof player->out_octets);
        return &player->out;
}

/* Nobody will answer: what counts is put off, as under load. */
static enum session_wish wait_in_vain(struct tape_player *player)
{
        struct session *session = &player->session;
        uint64_t due_ms = session->waiting_since_ms + session->snapshot->options.dns_timeout_ms;

        note_all(player);
        if (player->host.now_ms < due_ms)
                player->host.now_ms = due_ms;
        /* Of a text the verdicts are known: no more than a field on top of it wants an answer. */
        return session->state == SESSION_STATE_TEXT_PARKED ? session_hurry(session, out_of(player))
                                                           : session_resume(session, out_of(player));
}

static enum session_wish shake_hands(struct tape_player *player)
{
        struct session *session = &player->session;
        const struct taped_step *step = player->recall.step;
        bool is_ready = step != NULL && step->is_secured;

        session->came_early = step != NULL && step->early.at != NULL;
        if (session_secure(session, is_ready, out_of(player)) != SESSION_HANDSHAKE)
                return SESSION_READ;
        return session_secured(session, &(struct tls_facts){"TLSv1.3", "", "", {0}, {0}, false},
                               out_of(player));
}

/* What others said of the recipient, or of the text. */
static enum reply_id live_reply(const struct tape_player *player)
{
        const struct taped_step *step = player->recall.step;

        return step == NULL ? REPLY_NONE : step->of_text.code != 0 ? step->of_text.reply : step->first.reply;
}

static struct store_report store_report(const struct tape_player *player)
{
        static const struct {
                enum reply_id reply;
                enum store_outcome outcome;
        } rows[] = {{REPLY_storage_full, STORE_FULL},
                    {REPLY_storage_failed, STORE_FAILED},
                    {REPLY_hop_refused, STORE_REFUSED_BY_HOP},
                    {REPLY_hop_deferred, STORE_DEFERRED_BY_HOP},
                    {REPLY_hop_not_ready, STORE_NO_HOP}};

        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
                if (rows[i].reply == live_reply(player))
                        return (struct store_report){.outcome = rows[i].outcome};
        return (struct store_report){.outcome = STORE_DONE};
}

static struct filter_report filter_report(const struct tape_player *player)
{
        static const struct {
                enum reply_id reply;
                enum filter_outcome outcome;
        } rows[] = {{REPLY_filter_refused, FILTER_REFUSES},
                    {REPLY_filter_deferred, FILTER_DEFERS},
                    {REPLY_filter_closed, FILTER_CLOSES},
                    {REPLY_filter_failed, FILTER_FAILED}};

        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
                if (rows[i].reply == live_reply(player))
                        return (struct filter_report){.outcome = rows[i].outcome,
                                                      .filter = player->session.snapshot->filters};
        return (struct filter_report){.outcome = FILTER_IS_CONTENT};
}

static enum session_wish obey(struct tape_player *player, enum session_wish wish)
{
        struct session *session = &player->session;
        struct store_report store = store_report(player);
        struct filter_report filter = filter_report(player);

        switch (wish) {
        case SESSION_PARK:
                return wait_in_vain(player);
        case SESSION_OPEN:
                return session_opened(session, &store, out_of(player));
        case SESSION_FILTER:
                return session_filtered(session, &filter, out_of(player));
        case SESSION_STORE:
                return session_stored(session, &store, out_of(player));
        case SESSION_SECURE:
                return shake_hands(player);
        case SESSION_READ:
        case SESSION_HANDSHAKE:
        case SESSION_CLOSE:
                break;
        }
        return wish;
}

/* False: it is over. */
static bool settle(struct tape_player *player, enum session_wish wish)
{
        for (int i = 0; i < TURNS_MAX && wish != SESSION_READ && wish != SESSION_CLOSE; i++)
                wish = obey(player, wish);
        return wish == SESSION_READ;
}

/* What the text was is not known here, and need not be. Where nobody has seen it the mail ends before it. */
static bool play_text(struct tape_player *player)
{
        struct session *session = &player->session;
        struct span end = SPAN(".\r\n");

        if (player->recall.step->text != NULL)
                return settle(player, session_input(session, &end, out_of(player)));
        transaction_end(session);
        session->state = SESSION_STATE_COMMAND;
        return true;
}

static bool is_too_early(struct tape_player *player, struct span octets)
{
        enum session_wish wish;

        return octets.at != NULL && session_is_too_early(&player->session, octets, out_of(player), &wish);
}

static bool refuses_early(const struct session *session)
{
        return !session->is_trusted &&
               session->snapshot->checks[CHECK_early_talker].mode == CHECK_MODE_ENFORCE;
}

/* Its client went on to another mail without a word, because the one before had been refused. */
static bool begins_mail(const struct taped_step *step)
{
        return span_starts_nocase(step->line, SPAN("MAIL ")) && step->first.reply != REPLY_mail_already;
}

static bool play_step(struct tape_player *player, const struct taped_step *step)
{
        struct session *session = &player->session;
        enum reply_id fault =
            step->fault != REPLY_NONE && reply_infos[step->fault].is_syntax ? step->fault : REPLY_NONE;

        player->recall.step = step;
        if (begins_mail(step) && session->transaction != NULL)
                transaction_end(session);
        if (step->early.at != NULL && refuses_early(session)) {
                tape_command(session, step->line, fault);
                return !is_too_early(player, step->early);
        }
        if (!settle(player, command_run(session, step->line, fault, SPAN(""), out_of(player))))
                return false;
        if (session->state == SESSION_STATE_TEXT && !play_text(player))
                return false;
        return session->state == SESSION_STATE_COMMAND && !is_too_early(player, step->early_behind);
}

/* The pause passes. What came in it is offered until it is clear what it is. */
static enum session_wish pass_pause(struct tape_player *player, struct span octets)
{
        struct session *session = &player->session;
        enum session_wish wish = SESSION_READ;

        for (int i = 0; i < TURNS_MAX && wish == SESSION_READ && session->state == SESSION_STATE_PAUSE; i++) {
                struct span early = octets;
                if (octets.length > 0)
                        wish = session_input(session, &early, out_of(player));
                if (wish != SESSION_READ || session->state != SESSION_STATE_PAUSE)
                        break;
                if (player->host.now_ms < session->deadline_ms)
                        player->host.now_ms = session->deadline_ms;
                wish = session_timeout(session, out_of(player));
        }
        return wish;
}

/* What comes before a banner that needs no pause is early only behind a balancer, which has said so itself. */
static bool play_banner(struct tape_player *player, const struct taped_step *step)
{
        struct session *session = &player->session;

        player->recall.step = step;
        if (session->state == SESSION_STATE_PAUSE)
                pass_pause(player, step->early);
        else if (player->recall.taped->was_named && is_too_early(player, step->early))
                return false;
        return session->state == SESSION_STATE_COMMAND && !is_too_early(player, step->early_behind);
}

static void set_clock(struct tape_player *player, uint64_t at_ms)
{
        struct session_host *host = &player->host;
        uint64_t now_ms = NOW_START_MS + at_ms;

        /* It does not go back where something was waited for. */
        host->now_ms = now_ms > host->now_ms ? now_ms : host->now_ms;
        host->wall_ms = player->recall.taped->wall_ms + (int64_t)at_ms;
}

static void play_steps(struct tape_player *player, enum session_wish wish)
{
        const struct taped_step *step = player->recall.taped->steps;

        if (wish == SESSION_CLOSE || !play_banner(player, step))
                return;
        while ((step = step->next) != NULL) {
                set_clock(player, step->at_ms);
                player->host.rung = step->rung;
                if (!play_step(player, step))
                        return;
        }
}

bool tape_play(struct tape_player *player, const struct snapshot *snapshot, const struct taped *taped)
{
        struct session_peer peer = {.client = taped->client,
                                    .client_port = taped->client_port,
                                    .server = taped->server,
                                    .server_port = taped->server_port};

        player->recall = (struct tape_recall){.taped = taped};
        player->unknown_count = 0;
        player->host.rung = RUNG_ease;
        player->host.now_ms = 0;
        set_clock(player, 0);
        text_over(&player->played, player->played_octets, sizeof player->played_octets);
        play_steps(player, session_begin(&player->session, &player->host, snapshot, &peer, out_of(player)));
        if (player->session.tape != NULL)
                text_put(&player->played, tape_finish(&player->session));
        if (player->session.state == SESSION_STATE_STORE)
                (void)obey(player, SESSION_STORE);
        session_end(&player->session, SESSION_ENDED_BY_CLIENT);
        for (uint64_t left = player->recall.unjudged; left != 0; left &= left - 1)
                note_unknown(player, (enum check_id)__builtin_ctzll(left), SPAN(""));
        if (player->recall.lacks_ruling)
                note_unknown(player, CHECK_recipient, SPAN(""));
        return player->played.length > 0;
}
