/* The directives of TLS. */
#include "tests/dialogue/play.h"

#include <stdio.h>

/* Static texts, as OpenSSL's are: of no word of a script. */
static const char *static_text(struct play *play, const struct step *step, struct span word)
{
        static const char *const texts[] = {"",
                                            "TLSv1",
                                            "TLSv1.1",
                                            "TLSv1.2",
                                            "TLSv1.3",
                                            "TLS_AES_128_GCM_SHA256",
                                            "ECDHE-RSA-AES128-GCM-SHA256",
                                            "x25519",
                                            "X25519MLKEM768"};

        for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
                if (span_equals(word, span_from(texts[i])))
                        return texts[i];
        play_fail(play, step, "no such text of OpenSSL's is known to the tests: %.*s", (int)word.length,
                  word.at);
        return "";
}

/* Octets of the word behind `key`, with their escapes undone. */
static bool take_octets(struct span word, struct span key, char *octets, size_t size, struct span *ret_value)
{
        struct text text;

        text_over(&text, octets, size);
        if (!span_starts_nocase(word, key) || !text_put_unescaped(&text, span_skip(word, key.length)))
                return false;
        *ret_value = text_span(&text);
        return true;
}

/* "tls: VERSION CIPHER [group=GROUP] [sni=NAME] [certificate=NAME] [resumed]" */
void play_handshake(struct play *play, const struct step *step)
{
        char name[4096], certificate[4096];
        struct span rest = step->argument, group;
        char group_octets[64];
        struct tls_facts facts = {.group = ""};

        facts.version = static_text(play, step, span_take_word(&rest));
        facts.cipher = static_text(play, step, span_take_word(&rest));
        while (rest.length > 0) {
                struct span word = span_take_word(&rest);
                if (span_equals(word, SPAN("resumed")))
                        facts.is_resumed = true;
                else if (take_octets(word, SPAN("group="), group_octets, sizeof group_octets, &group))
                        facts.group = static_text(play, step, group);
                else if (!take_octets(word, SPAN("sni="), name, sizeof name, &facts.server_name) &&
                         !take_octets(word, SPAN("certificate="), certificate, sizeof certificate,
                                      &facts.client_certificate))
                        play_fail(play, step, "not a fact of TLS: %.*s", (int)word.length, word.at);
        }
        if (!play->harness.is_open || play->harness.wish != SESSION_HANDSHAKE)
                play_fail(play, step, "no handshake is waited for");
        else if (play->failure.length == 0)
                harness_shake_hands(&play->harness, &facts);
}

/* "REASON [offered=VERSION]": the reason may have blanks. */
static void fail_handshake(struct play *play, const struct step *step, struct span reason)
{
        char text[256];
        size_t offer = span_find(reason, '=');
        struct tls_failure failure = {.reason = text, .offered = ""};

        if (offer != SIZE_MAX) {
                failure.offered = static_text(play, step, span_skip(reason, offer + 1));
                reason.length = offer - (sizeof " offered" - 1);
        }
        snprintf(text, sizeof text, "%.*s", (int)reason.length, reason.at);
        if (!play->harness.is_open || play->harness.wish != SESSION_HANDSHAKE)
                play_fail(play, step, "no handshake is waited for");
        else if (play->failure.length == 0)
                harness_fail_handshake(&play->harness, &failure);
}

static bool takes(struct span argument, struct span word, struct span *ret_rest)
{
        *ret_rest = span_skip(argument, word.length);
        return span_starts_nocase(argument, word);
}

void play_tls(struct play *play, const struct step *step)
{
        struct harness *harness = &play->harness;
        struct span argument = step->argument, rest;
        char text[256];

        if (span_equals(argument, SPAN("ready")) || span_equals(argument, SPAN("not ready"))) {
                harness->tls_is_ready = span_equals(argument, SPAN("ready"));
        } else if (span_equals(argument, SPAN("early"))) {
                harness->tls_is_early = true;
        } else if (takes(argument, SPAN("fails: "), &rest)) {
                fail_handshake(play, step, rest);
        } else if (takes(argument, SPAN("breaks: "), &rest) && harness->is_open) {
                snprintf(text, sizeof text, "%.*s", (int)rest.length, rest.at);
                harness_break_tls(harness, text);
        } else {
                play_fail(play, step, "expected ready, not ready, early, fails: or breaks:");
        }
}
