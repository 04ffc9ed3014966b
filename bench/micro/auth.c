/* gatepost-auth-bench: what core/auth costs. The body's digest of 1 MB in both forms beside SHA-256 alone, as
 * `openssl speed
 * sha256` measures it; one signature of RSA-2048 on a message of 4 KiB, from its first octet to its verdict with the
 * key at
 * hand, as CPU time; and the parts of that. One line for each measurement. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "core/auth/reader.h"
#include "core/auth/key/verify.h"
#include "core/base/expect.h"

#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <time.h>

#define BODY_OCTETS (1 << 20)
#define ROUNDS      40
#define MAILS       2000
#define MAIL_OCTETS 4096
#define RECORD_MAX  1000

static char body[BODY_OCTETS];
static char record[RECORD_MAX] = "v=DKIM1; k=rsa; p=";

static double cpu_us(void)
{
        struct timespec now;
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
        return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

/* ---- bodies -------------------------------------------------------------------------------------------- */

/* Lines as mail has them; `blanks`: with what the relaxed form changes in each. */
static void fill(bool blanks)
{
        static const char line[] = "The quick brown fox jumps over the lazy dog, and so on and so forth.\r\n";
        static const char blank_line[] = "The quick  brown fox jumps\tover the lazy dog,   and so on.\t \r\n";
        const char *with = blanks ? blank_line : line;
        for (size_t i = 0; i < sizeof body; i++)
                body[i] = with[i % strlen(with)];
}

/* The least of some runs, in octets a microsecond, which is MB/s. */
static double body_speed(enum canon canon)
{
        double least = 1e12;
        struct body_digest digest;

        for (unsigned i = 0; i < ROUNDS; i++) {
                double begun = cpu_us();
                body_digest_init(&digest, canon);
                for (size_t at = 0; at < sizeof body; at += 16384)
                        body_digest_add(&digest, span_of(body + at, 16384));
                body_digest_end(&digest);
                double took = cpu_us() - begun;
                least = took < least ? took : least;
        }
        return sizeof body / least;
}

static double sha_speed(void)
{
        uint8_t digest[AUTH_DIGEST_SIZE];
        double least = 1e12;

        for (unsigned i = 0; i < ROUNDS; i++) {
                double begun = cpu_us();
                SHA256_CTX sha;
                SHA256_Init(&sha);
                for (size_t at = 0; at < sizeof body; at += 16384)
                        SHA256_Update(&sha, body + at, 16384);
                SHA256_Final(digest, &sha);
                double took = cpu_us() - begun;
                least = took < least ? took : least;
        }
        return sizeof body / least;
}

/* ---- signatures ---------------------------------------------------------------------------------------- */

static enum fact answer(struct dns_source *source, const struct dns_question *question,
                        const struct dns_asker *asker, struct arena *arena, struct dns_answer *ret_answer)
{
        struct dns_record *found = arena_take(arena, sizeof *found);

        (void)source, (void)question, (void)asker;
        expect(found != NULL);
        found->data = arena_copy(arena, span_from(record));
        *ret_answer = (struct dns_answer){.fact = FACT_FOUND, .record_count = 1, .records = found};
        return FACT_FOUND;
}

struct run {
        struct dns_source source;
        struct block_pool pool;
        struct arena arena;
        struct memo memo;
        struct auth_reader reader;
};

static void run_mail(struct run *run, struct span mail)
{
        run->source.ask = answer;
        arena_init(&run->arena, &run->pool, 1 << 20);
        memo_init(&run->memo, &run->arena, &run->source, 1, 100);
        auth_reader_init(&run->reader, &run->arena);
        auth_reader_read(&run->reader, mail);
        auth_reader_end(&run->reader);
        expect(auth_reader_judge(&run->reader, &run->memo, 1700000000));
}

static void end_mail(struct run *run)
{
        arena_end(&run->arena);
}

static EVP_PKEY *make_key(void)
{
        EVP_PKEY *key = EVP_RSA_gen(2048);
        unsigned char *der = NULL;
        int length = i2d_PUBKEY(key, &der);

        expect(key != NULL && length > 0);
        EVP_EncodeBlock((unsigned char *)record + strlen(record), der, length);
        OPENSSL_free(der);
        return key;
}

static void put_base64(struct text *text, const unsigned char *octets, size_t length)
{
        unsigned char digits[SIGNATURE_OCTETS_MAX * 2];
        int count = EVP_EncodeBlock(digits, octets, (int)length);
        text_put(text, span_of((const char *)digits, (size_t)count));
}

/* A mail of MAIL_OCTETS and its signature's field. */
static struct span make_mail(char *octets, size_t size, EVP_PKEY *key, struct run *run)
{
        static const char fields[] =
            "From: A B <a@d.example>\r\nTo: C D <c@x.example>\r\nSubject: So and so\r\n"
            "Date: Sat, 28 Nov 2026 10:00:00 +0000\r\nMessage-ID: <1234567890@d.example>\r\n"
            "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n";
        uint8_t digest[AUTH_DIGEST_SIZE], signature[SIGNATURE_OCTETS_MAX] = {0};
        size_t length = sizeof signature;
        struct body_digest bodies;
        struct text text;

        body_digest_init(&bodies, CANON_RELAXED);
        body_digest_add(&bodies, span_of(body, MAIL_OCTETS));
        body_digest_end(&bodies);
        for (unsigned is_signed = 0; is_signed < 2; is_signed++) {
                text_over(&text, octets, size);
                text_put_string(&text,
                                "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=d.example; s=s;\r\n"
                                " h=from:to:subject:date:message-id:mime-version:content-type; bh=");
                put_base64(&text, bodies.digest, sizeof bodies.digest);
                text_put_string(&text, ";\r\n b=");
                put_base64(&text, signature, is_signed ? length : 3);
                text_put_string(&text, "\r\n");
                text_put_string(&text, fields);
                text_put(&text, span_of(body, MAIL_OCTETS));
                expect(!text.overflowed);
                if (is_signed)
                        break;
                run_mail(run, text_span(&text));
                signature_digest(&run->reader.dkim.signatures[0], &run->reader.text.header, digest);
                EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);
                expect(EVP_PKEY_sign_init(context) == 1 &&
                       EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1 &&
                       EVP_PKEY_CTX_set_signature_md(context, EVP_sha256()) == 1 &&
                       EVP_PKEY_sign(context, signature, &length, digest, sizeof digest) == 1);
                EVP_PKEY_CTX_free(context);
                end_mail(run);
        }
        return text_span(&text);
}

static double mail_us(struct run *run, struct span mail, enum auth_result expected)
{
        double least = 1e12;

        for (unsigned i = 0; i < MAILS; i++) {
                double begun = cpu_us();
                run_mail(run, mail);
                expect(dkim_result(&run->reader.dkim) == expected);
                end_mail(run);
                double took = cpu_us() - begun;
                least = took < least ? took : least;
        }
        return least;
}

int main(void)
{
        static char octets[MAIL_OCTETS * 2];
        static struct run run;
        EVP_PKEY *key = make_key();

        fill(false);
        double sha = sha_speed(), simple = body_speed(CANON_SIMPLE), relaxed = body_speed(CANON_RELAXED);
        printf("SHA-256 alone: %.0f MB/s\nbody, simple: %.0f MB/s, %.2f of it\nbody, relaxed: %.0f MB/s, "
               "%.2f of it\n",
               sha, simple, simple / sha, relaxed, relaxed / sha);
        fill(true);
        printf("body, relaxed, with blanks that change in each line: %.0f MB/s\n", body_speed(CANON_RELAXED));
        fill(false);
        block_pool_init(&run.pool, 16384, 16);
        struct span mail = make_mail(octets, sizeof octets, key, &run);
        double us = mail_us(&run, mail, AUTH_PASS);
        struct span rest =
            span_skip(mail, (size_t)((const char *)memmem(mail.at, mail.length, "From:", 5) - mail.at));
        double plain = mail_us(&run, rest, AUTH_NONE);
        printf("4 KiB with one RSA-2048: %.1f us; without a signature %.1f us; the signature %.1f us\n", us,
               plain, us - plain);
        block_pool_end(&run.pool);
        EVP_PKEY_free(key);
        return 0;
}
