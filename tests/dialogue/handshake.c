/* TLS in the miniature worker: no octet of it, only what comes of a handshake. */
#include "tests/dialogue/harness.h"

#include "core/base/expect.h"

void harness_init_tls(struct harness *harness, uint32_t seed)
{
        harness->tls_is_ready = true;
        memset(harness->room.tls_no_go, 0, sizeof harness->room.tls_no_go);
        tls_no_go_init(&harness->tls_no_go, harness->room.tls_no_go, sizeof harness->room.tls_no_go, seed);
        harness->host.tls_no_go = &harness->tls_no_go;
}

/* What waits behind the line in `unread` is the caller's to notice, as in the socket of a worker. */
void harness_answer_starttls(struct harness *harness)
{
        if (harness->tls_is_early)
                session_note_early_input(&harness->session);
        harness->wish = session_secure(&harness->session, harness->tls_is_ready, harness_out(harness));
        harness_settle(harness);
}

void harness_shake_hands(struct harness *harness, const struct tls_facts *facts)
{
        expect(harness->is_open && harness->wish == SESSION_HANDSHAKE);
        harness->wish = session_secured(&harness->session, facts, harness_out(harness));
        harness_settle(harness);
        harness_tell_to_stop(harness);
}

void harness_fail_handshake(struct harness *harness, const struct tls_failure *failure)
{
        expect(harness->is_open && harness->wish == SESSION_HANDSHAKE);
        harness->wish = session_handshake_failed(&harness->session, failure, harness_out(harness));
        harness_settle(harness);
}

void harness_break_tls(struct harness *harness, const char *reason)
{
        session_tls_broken(&harness->session, reason);
        harness_drop(harness);
}
