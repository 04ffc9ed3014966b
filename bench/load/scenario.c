/* The parser of scenario files, and the writer of a step's octets. */
#include "bench/load/scenario.h"

#include "bench/common.h"

#include <arpa/inet.h>

#define LINE_SIZE 1024
/* A placeholder becomes so many octets at most. */
#define PLACEHOLDER_MAX 15
#define PAUSE_MAX_MS    60000
/* 127.128.0.0/9 */
#define NETWORK_DEFAULT      0x7f800000u
#define NETWORK_DEFAULT_SIZE 0x800000u

struct reader {
        const char *path;
        unsigned line;
        struct workload *workload;
        struct scenario *scenario;
        /* The step whose flight is being written; NULL before its first line. */
        struct step *step;
        size_t flight;
        unsigned pause_ms; /* before the next flight */
        bool is_others;    /* the lines are for other servers */
};

/* All that were read; they are kept to the end. */
static struct workload *workloads;

/* FOLDER/NAME.txt, or that of a folder there with the first word of the name, such as journal/journal-4k.txt. */
static FILE *open_file(const char *folder, const char *name, char *ret_path, size_t size)
{
        if (strchr(name, '/') != NULL)
                snprintf(ret_path, size, "%s", name);
        else
                snprintf(ret_path, size, "%s/%s.txt", folder, name);
        FILE *file = fopen(ret_path, "re");
        if (file != NULL || strchr(name, '/') != NULL)
                return file;
        snprintf(ret_path, size, "%s/%.*s/%s.txt", folder, (int)strcspn(name, "-"), name, name);
        return fopen(ret_path, "re");
}

static void read_file(struct workload *workload, const char *folder, const char *name, unsigned share);

__attribute__((noreturn)) static void reader_fail(const struct reader *reader, const char *problem)
{
        bench_fail("%s:%u: %s", reader->path, reader->line, problem);
}

/* ---- flights ------------------------------------------------------------------------------------------- */

static void piece_add(struct reader *reader, enum piece_kind kind, struct span text)
{
        struct scenario *scenario = reader->scenario;

        if (scenario->piece_count == PIECES_MAX)
                reader_fail(reader, "too many pieces");
        scenario->pieces[scenario->piece_count++] = (struct piece){kind, text};
        reader->step->piece_count++;
        reader->flight += kind == PIECE_TEXT ? text.length : PLACEHOLDER_MAX;
        if (reader->flight > reader->workload->flight_max)
                reader->workload->flight_max = reader->flight;
}

static void flight_begin(struct reader *reader, const char *label, size_t label_length)
{
        struct scenario *scenario = reader->scenario;

        if (reader->step != NULL)
                return;
        if (scenario->step_count == STEPS_MAX)
                reader_fail(reader, "too many steps");
        reader->step = &scenario->steps[scenario->step_count];
        reader->step->first_piece = scenario->piece_count;
        reader->step->pause_ms = reader->pause_ms;
        reader->pause_ms = 0;
        reader->flight = 0;
        snprintf(reader->step->label, sizeof reader->step->label, "%.*s", (int)label_length, label);
}

static void read_client_line(struct reader *reader, const char *line)
{
        static const struct {
                const char *name;
                enum piece_kind kind;
        } placeholders[] = {{"{random}", PIECE_RANDOM}, {"{client}", PIECE_CLIENT}, {"{name}", PIECE_NAME}};
        char *text;

        flight_begin(reader, line, strcspn(line, " "));
        expect(asprintf(&text, "%s\r\n", line) > 0);
        while (*text != '\0') {
                char *next = strchr(text, '{');
                size_t length = next == NULL ? strlen(text) : (size_t)(next - text), i = 0;
                if (length > 0)
                        piece_add(reader, PIECE_TEXT, span_of(text, length));
                if (next == NULL)
                        return;
                while (strncmp(next, placeholders[i].name, strlen(placeholders[i].name)) != 0)
                        if (++i == sizeof placeholders / sizeof placeholders[0])
                                reader_fail(reader, "no such placeholder");
                piece_add(reader, placeholders[i].kind, SPAN(""));
                text = next + strlen(placeholders[i].name);
        }
}

/* Makes a message of exactly `number` octets with the final dot. */
static void read_message(struct reader *reader, const char *number)
{
        static const char header[] = "From: <sender@example.net>\r\nTo: <alice@bench.example>\r\n"
                                     "Subject: a message of the bench\r\n\r\n";
        static const char filler[] = "The quick brown fox jumps over the lazy dog, and again.\r\n";
        static const char end[] = "\r\n.\r\n";
        uint64_t size;

        if (!span_number(span_from(number), &size) || size < sizeof header + sizeof end || size > 1u << 30)
                reader_fail(reader, "T: wants a size of 128 octets or more");
        char *text = malloc(size);
        expect(text != NULL);
        memcpy(text, header, sizeof header - 1);
        for (size_t i = sizeof header - 1, j = 0; i < size; i++, j++)
                text[i] = filler[j % (sizeof filler - 1)];
        /* The last filler line may be cut between CR and LF. */
        if (text[size - sizeof end] == '\r')
                text[size - sizeof end] = '.';
        memcpy(text + size - (sizeof end - 1), end, sizeof end - 1);
        flight_begin(reader, "text", 4);
        piece_add(reader, PIECE_TEXT, span_of(text, size));
}

static void read_expectation(struct reader *reader, const char *what)
{
        bool is_close = strcmp(what, "close") == 0;
        uint64_t code = CODE_CLOSE;

        if (reader->step == NULL && reader->pause_ms != 0)
                reader_fail(reader, "a pause stands before a flight");
        if (!is_close && (!span_number(span_from(what), &code) || code < 200 || code > 599))
                reader_fail(reader, "S: wants a code or \"close\"");
        const char *label = is_close ? "close" : reader->scenario->step_count == 0 ? "banner" : "more";
        flight_begin(reader, label, strlen(label));
        reader->step->code = (int)code;
        reader->scenario->step_count++;
        reader->step = NULL;
}

/* ---- files --------------------------------------------------------------------------------------------- */

static struct scenario *scenario_add(struct reader *reader, const char *name, unsigned share)
{
        struct workload *workload = reader->workload;

        if (workload->scenario_count == SCENARIOS_MAX)
                reader_fail(reader, "too many scenarios");
        struct scenario *scenario = &workload->scenarios[workload->scenario_count++];
        snprintf(scenario->name, sizeof scenario->name, "%s", name);
        scenario->share = share;
        scenario->network = NETWORK_DEFAULT;
        scenario->network_size = NETWORK_DEFAULT_SIZE;
        workload->share_total += share;
        return scenario;
}

/* Reads "127.64.0.0/12"; it must be loopback, as all clients are. */
static void read_network(struct reader *reader, const char *text)
{
        char address[16];
        unsigned prefix;
        struct in_addr network;

        if (sscanf(text, "%15[0-9.]/%u", address, &prefix) != 2 || prefix < 8 || prefix > 32 ||
            inet_pton(AF_INET, address, &network) != 1 || ntohl(network.s_addr) >> 24 != 127)
                reader_fail(reader, "client wants a network of 127.0.0.0/8");
        reader->scenario->network = ntohl(network.s_addr);
        reader->scenario->network_size = 1u << (32 - prefix);
        if ((reader->scenario->network & (reader->scenario->network_size - 1)) != 0)
                reader_fail(reader, "the network has bits beyond its prefix");
}

static void read_pause(struct reader *reader, const char *text)
{
        uint64_t pause_ms;

        if (reader->step != NULL || !span_number(span_from(text), &pause_ms) || pause_ms > PAUSE_MAX_MS)
                reader_fail(reader, "pause wants milliseconds, at most 60000, and stands before a flight");
        reader->pause_ms = (unsigned)pause_ms;
}

/* "for SERVER...": what follows is the dialogue of these instead. */
static void read_servers(struct reader *reader, const char *names)
{
        const char *server = reader->workload->server, *at = names;
        size_t length = server == NULL ? 0 : strlen(server);

        if (reader->step != NULL || reader->pause_ms != 0 || reader->scenario == NULL)
                reader_fail(reader, "\"for\" stands behind a whole dialogue");
        reader->is_others = true;
        while (length > 0 && (at = strstr(at, server)) != NULL) {
                if ((at == names || at[-1] == ' ') && (at[length] == ' ' || at[length] == '\0')) {
                        reader->is_others = false;
                        reader->workload->has_own = true;
                        reader->scenario->step_count = reader->scenario->piece_count = 0;
                        memset(reader->scenario->steps, 0, sizeof reader->scenario->steps);
                }
                at += length;
        }
}

/* The client begins TLS, and goes on when it is there. */
static void read_handshake(struct reader *reader)
{
        struct scenario *scenario = reader->scenario;

        if (reader->step != NULL || reader->pause_ms != 0)
                reader_fail(reader, "\"tls\" stands behind the reply to STARTTLS");
        flight_begin(reader, "tls", 3);
        scenario->steps[scenario->step_count++].code = CODE_TLS;
        reader->step = NULL;
        reader->workload->has_tls = true;
}

static void read_line(struct reader *reader, const char *folder, const char *line, unsigned share,
                      const char *name)
{
        char part[NAME_SIZE];
        unsigned part_share;

        if (sscanf(line, "share %u %47s", &part_share, part) == 2) {
                read_file(reader->workload, folder, part, part_share);
                return;
        }
        if (strncmp(line, "for ", 4) == 0) {
                read_servers(reader, line + 4);
                return;
        }
        if (reader->is_others)
                return;
        if (strncmp(line, "title ", 6) == 0) {
                if (reader->workload->title[0] == '\0')
                        snprintf(reader->workload->title, sizeof reader->workload->title, "%.95s", line + 6);
                return;
        }
        if (strcmp(line, "durable") == 0) {
                reader->workload->is_durable = true;
                return;
        }
        if (reader->scenario == NULL)
                reader->scenario = scenario_add(reader, name, share);
        if (strncmp(line, "C: ", 3) == 0)
                read_client_line(reader, line + 3);
        else if (strncmp(line, "S: ", 3) == 0)
                read_expectation(reader, line + 3);
        else if (strncmp(line, "T: ", 3) == 0)
                read_message(reader, line + 3);
        else if (strncmp(line, "client ", 7) == 0)
                read_network(reader, line + 7);
        else if (strncmp(line, "pause ", 6) == 0)
                read_pause(reader, line + 6);
        else if (strcmp(line, "tls") == 0)
                read_handshake(reader);
        else
                reader_fail(reader, "expected C:, S:, T:, tls, client, pause, for, title, durable or share");
}

static void read_file(struct workload *workload, const char *folder, const char *name, unsigned share)
{
        char line[LINE_SIZE], path[512];
        struct reader reader = {.path = path, .workload = workload};

        FILE *file = open_file(folder, name, path, sizeof path);
        if (file == NULL)
                bench_fail("cannot open scenario %s", path);
        while (fgets(line, sizeof line, file) != NULL) {
                reader.line++;
                line[strcspn(line, "\r\n")] = '\0';
                if (line[0] != '\0' && line[0] != '#')
                        read_line(&reader, folder, line, share, name);
        }
        fclose(file);
        if (reader.step != NULL || reader.pause_ms != 0)
                reader_fail(&reader, "the last line is not an S:");
}

/* Cuts the wishes off `name`. */
static void read_wishes(struct workload *workload, char *name)
{
        char *rest, *wish;

        strtok_r(name, ":", &rest);
        while ((wish = strtok_r(NULL, ":", &rest)) != NULL)
                if (!tls_wishes_take(&workload->tls, span_from(wish)))
                        bench_fail("%s: no such wish: %s", name, wish);
}

struct workload *workload_read(const char *folder, const char *name, const char *server)
{
        struct workload *workload = calloc(1, sizeof *workload);
        const char *slash = strrchr(name, '/');
        char file[512];

        expect(workload != NULL);
        snprintf(file, sizeof file, "%s", name);
        read_wishes(workload, file);
        snprintf(workload->name, sizeof workload->name, "%s", slash == NULL ? name : slash + 1);
        workload->server = server;
        workload->next = workloads;
        workloads = workload;
        read_file(workload, folder, file, 1);
        if (workload->scenario_count == 0)
                bench_fail("scenario %s is empty", name);
        return workload;
}

static char *put_digits(char *at, uint32_t number)
{
        static const char digits[] = "0123456789abcdef";

        for (int shift = 28; shift >= 0; shift -= 4)
                *at++ = digits[number >> shift & 15];
        return at;
}

size_t step_write(const struct scenario *scenario, const struct step *step, const struct step_values *values,
                  char *into)
{
        char *at = into;

        for (unsigned i = 0; i < step->piece_count; i++) {
                const struct piece *piece = &scenario->pieces[step->first_piece + i];
                switch (piece->kind) {
                case PIECE_TEXT:
                        at = (char *)mempcpy(at, piece->text.at, piece->text.length);
                        break;
                case PIECE_RANDOM:
                        at = put_digits(at, values->random);
                        break;
                case PIECE_CLIENT:
                        at = (char *)mempcpy(at, values->client, strlen(values->client));
                        break;
                case PIECE_NAME:
                        at = put_digits(at, values->name);
                        break;
                }
        }
        return (size_t)(at - into);
}
