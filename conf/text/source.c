/* A small scanner with libConfuse's idea of comments, strings and words. */
#include "conf/text/source.h"

#include "conf/text/access.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define SOURCE_SIZE_MAX (16 << 20) /* octets; lists of millions belong into files of their own */
#define DEPTH_MAX       32

enum token_kind { TOKEN_END, TOKEN_UNENDED, TOKEN_STRING, TOKEN_WORD, TOKEN_MARK };

struct token {
        enum token_kind kind;
        size_t start, end;
        uint32_t first_line, line; /* of its first and last octet */
};

struct scan {
        char *octets;
        size_t length, at;
        uint32_t line;
};

/* Octets of "${...}" at `at`, which libConfuse takes from the environment; 0 when there is none. */
static size_t variable_length(const struct scan *scan, size_t at)
{
        if (scan->length - at < 3 || scan->octets[at] != '$' || scan->octets[at + 1] != '{')
                return 0;
        size_t end = span_find(span_of(scan->octets + at, scan->length - at), '}');
        return end == SIZE_MAX ? 0 : end + 1;
}

/* To behind the closing quote. False where there is none in the line: one further down belongs to another
 * string. A backslash hides the end of a line. */
static bool string_skip(struct scan *scan)
{
        char quote = scan->octets[scan->at++];
        while (scan->at < scan->length && scan->octets[scan->at] != quote) {
                size_t variable = quote == '"' ? variable_length(scan, scan->at) : 0;
                if (memchr(scan->octets + scan->at, '\n', variable > 0 ? variable : 1) != NULL)
                        return false;
                if (scan->octets[scan->at] == '\\' && scan->at + 1 < scan->length)
                        scan->line += scan->octets[++scan->at] == '\n';
                scan->at += variable > 0 ? variable : 1;
        }
        return scan->at++ < scan->length;
}

/* At "#", "//" or "/ *": to its end, leaving blanks. */
static bool comment_blank(struct scan *scan)
{
        bool is_block = scan->octets[scan->at] == '/' && scan->octets[scan->at + 1] == '*';
        struct span rest = span_of(scan->octets + scan->at, scan->length - scan->at);
        const char *end =
            is_block ? memmem(rest.at + 2, rest.length - 2, "*/", 2) : memchr(rest.at, '\n', rest.length);

        if (end == NULL && is_block)
                return false;
        size_t length = end == NULL ? rest.length : (size_t)(end - rest.at) + (is_block ? 2 : 0);
        for (size_t i = 0; i < length; i++, scan->at++) {
                if (scan->octets[scan->at] == '\n')
                        scan->line++;
                else
                        scan->octets[scan->at] = ' ';
        }
        return true;
}

static bool at_comment(const struct scan *scan)
{
        const char *at = scan->octets + scan->at;
        return at[0] == '#' ||
               (at[0] == '/' && scan->at + 1 < scan->length && (at[1] == '/' || at[1] == '*'));
}

/* Blanks before the next token, with comments. */
static bool blanks_skip(struct scan *scan)
{
        while (scan->at < scan->length) {
                if (at_comment(scan)) {
                        if (!comment_blank(scan))
                                return false;
                        continue;
                }
                char c = scan->octets[scan->at];
                if (c != ' ' && c != '\t' && c != '\n')
                        break;
                scan->line += c == '\n';
                scan->at++;
        }
        return true;
}

static struct token token_next(struct scan *scan)
{
        static const char marks[] = "={}()+,";
        bool is_whole = blanks_skip(scan);
        struct token token = {.kind = TOKEN_WORD, .start = scan->at, .first_line = scan->line};

        if (!is_whole) {
                token.kind = TOKEN_UNENDED;
        } else if (scan->at >= scan->length) {
                token.kind = TOKEN_END;
        } else if (scan->octets[scan->at] == '"' || scan->octets[scan->at] == '\'') {
                token.kind = string_skip(scan) ? TOKEN_STRING : TOKEN_UNENDED;
        } else if (strchr(marks, scan->octets[scan->at]) != NULL) {
                token.kind = TOKEN_MARK;
                scan->at++;
        } else if (variable_length(scan, scan->at) > 0) {
                scan->at += variable_length(scan, scan->at);
        } else {
                do
                        scan->at++;
                while (scan->at < scan->length &&
                       strchr(" \t\n#\"'={}()+,*", scan->octets[scan->at]) == NULL);
        }
        token.end = scan->at;
        token.line = scan->line;
        return token;
}

static bool is_mark(const struct scan *scan, const struct token *token, char mark)
{
        return token->kind == TOKEN_MARK && scan->octets[token->start] == mark;
}

/* ---- reading ------------------------------------------------------------------------------------------- */

static bool fault(struct source_fault *ret_fault, uint32_t line, const char *message)
{
        ret_fault->line = line;
        snprintf(ret_fault->message, sizeof ret_fault->message, "%s", message);
        return false;
}

static const char *file_fault(int file, struct stat *ret_status)
{
        if (fstat(file, ret_status) != 0)
                return strerror(errno);
        if (S_ISDIR(ret_status->st_mode))
                return "is a directory";
        if (!S_ISREG(ret_status->st_mode))
                return "is not a regular file";
        return ret_status->st_size > SOURCE_SIZE_MAX ? "is larger than 16M" : NULL;
}

static bool read_all(int file, struct source *source, size_t size)
{
        while (source->length < size) {
                ssize_t length = read(file, source->octets + source->length, size - source->length);
                if (length < 0 && errno == EINTR)
                        continue;
                if (length <= 0)
                        return length == 0;
                source->length += (size_t)length;
        }
        return true;
}

bool source_read(struct source *source, const char *path, struct source_fault *ret_fault)
{
        struct stat status = {0};
        char denied[ACCESS_TEXT_MAX], text[sizeof ret_fault->message];
        int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

        if (file < 0) {
                const char *reason = strerrordesc_np(errno);
                snprintf(text, sizeof text, "%s%s", reason, access_denied(path, R_OK, denied));
                return fault(ret_fault, 0, text);
        }
        const char *message = file_fault(file, &status);
        if (message == NULL) {
                source->length = 0;
                source->device = status.st_dev;
                source->inode = status.st_ino;
                source->octets = malloc((size_t)status.st_size + 1);
                if (source->octets == NULL || !read_all(file, source, (size_t)status.st_size)) {
                        message = strerror(errno);
                        free(source->octets);
                }
        }
        close(file);
        return message == NULL || fault(ret_fault, 0, message);
}

struct source *source_find(struct source *first, const char *name)
{
        while (first != NULL && strcmp(first->name, name) != 0)
                first = first->next;
        return first;
}

struct source *source_find_same(struct source *first, const struct source *other)
{
        while (first != NULL && (first->inode != other->inode || first->device != other->device))
                first = first->next;
        return first;
}

/* ---- preparing ----------------------------------------------------------------------------------------- */

static bool octets_are_valid(struct source *source, struct source_fault *ret_fault)
{
        uint32_t line = 1;
        size_t mark = source->length - span_without_mark(span_of(source->octets, source->length)).length;

        memset(source->octets, ' ', mark);
        for (size_t i = mark; i < source->length; i++) {
                char *c = source->octets + i;
                if (*c == '\r' && i + 1 < source->length && c[1] == '\n')
                        *c = ' ';
                if (ascii_is_control(*c) && *c != '\n' && *c != '\t')
                        return fault(ret_fault, line, "control character");
                line += *c == '\n';
        }
        return span_is_utf8(span_of(source->octets, source->length)) || fault(ret_fault, 0, "is not UTF-8");
}

/* libConfuse leaks the arguments of a call with a syntax error in it: let it see none. */
static bool call_is_valid(const struct scan *at_parenthesis)
{
        struct scan scan = *at_parenthesis;
        struct token argument = token_next(&scan), end = token_next(&scan);
        return argument.kind == TOKEN_STRING && is_mark(&scan, &end, ')');
}

/* Behind "{": to behind "}", where nothing stands between them. */
static bool list_is_empty(struct scan *scan)
{
        struct scan behind = *scan;
        struct token end = token_next(&behind);
        if (!is_mark(&behind, &end, '}'))
                return false;
        scan->octets[end.start] = ' ';
        *scan = behind;
        return true;
}

bool source_prepare(struct source *source, struct source_fault *ret_fault)
{
        struct token before = {.kind = TOKEN_END};
        struct scan scan = {.octets = source->octets, .length = source->length, .line = 1};
        uint32_t open_lines[DEPTH_MAX];
        size_t depth = 0;

        if (!octets_are_valid(source, ret_fault))
                return false;
        for (;;) {
                struct token token = token_next(&scan);
                if (token.kind == TOKEN_UNENDED)
                        return fault(ret_fault, token.first_line,
                                     scan.octets[token.start] == '/'
                                         ? "the comment that begins here has no end"
                                         : "the quote that begins here has no end");
                if (token.kind == TOKEN_END)
                        return depth == 0 ||
                               fault(ret_fault, open_lines[depth - 1], "section or list without end");
                if (is_mark(&scan, &token, '(') && !call_is_valid(&scan))
                        return fault(ret_fault, token.line, "syntax error; should it be include(\"FILE\")?");
                if (is_mark(&scan, &token, '{') && is_mark(&scan, &before, '=') && list_is_empty(&scan)) {
                        memcpy(scan.octets + token.start, SOURCE_EMPTY_LIST, 1);
                } else if (is_mark(&scan, &token, '{')) {
                        if (depth == DEPTH_MAX)
                                return fault(ret_fault, token.line, "sections are nested too deeply");
                        open_lines[depth++] = token.line;
                }
                if (is_mark(&scan, &token, '}') && depth > 0)
                        depth--;
                /* What "+=" adds nothing to stays as it is. */
                before = is_mark(&scan, &before, '+') ? (struct token){.kind = TOKEN_END} : token;
        }
}

/* ---- blanking ------------------------------------------------------------------------------------------ */

/* Where in the text a token stands. */
struct position {
        struct span sections[DEPTH_MAX + 1]; /* their keys; lists, which are braces too, have an empty one */
        size_t depth;
        struct span key; /* before the token, of which it may be the title, sign or brace; else at == NULL */
        bool is_value;   /* the token is one */
};

/* A name without quotes, or at == NULL. */
static struct span token_name(const struct scan *scan, const struct token *token)
{
        if (token->kind == TOKEN_STRING)
                return span_of(scan->octets + token->start + 1, token->end - token->start - 2);
        if (token->kind == TOKEN_WORD)
                return span_of(scan->octets + token->start, token->end - token->start);
        return span_of(NULL, 0);
}

static void position_step(struct position *position, const struct scan *scan, const struct token *token)
{
        struct span name = token_name(scan, token), key = position->key;

        position->key = (struct span){0};
        if (name.at != NULL && !position->is_value)
                position->key = key.at == NULL ? name : key;
        else if (is_mark(scan, token, '{'))
                position->sections[++position->depth] = key;
        else if (is_mark(scan, token, '}') && position->depth > 0)
                position->depth--;
        position->is_value =
            is_mark(scan, token, '=') || is_mark(scan, token, ',') || is_mark(scan, token, '(');
}

/* Behind "{": to behind the "}" that belongs to it. */
static void braces_skip(struct scan *scan)
{
        for (size_t depth = 1; depth > 0;) {
                struct token token = token_next(scan);
                if (token.kind == TOKEN_END)
                        return;
                if (is_mark(scan, &token, '{'))
                        depth++;
                if (is_mark(scan, &token, '}'))
                        depth--;
        }
}

/* Behind a key: to behind its value, list or section, of which *ret_value is the value. False when what follows
 * shows that it is no key. */
static bool key_skip(struct scan *scan, struct span *ret_value)
{
        struct token token = token_next(scan);
        bool is_assigned = is_mark(scan, &token, '=') || is_mark(scan, &token, '+');

        *ret_value = token_name(scan, &token);
        if (is_mark(scan, &token, '+'))
                token = token_next(scan);
        if (is_assigned || token.kind == TOKEN_STRING || token.kind == TOKEN_WORD)
                token = token_next(scan);
        if (is_assigned)
                *ret_value = token_name(scan, &token);
        if (is_mark(scan, &token, '{'))
                braces_skip(scan);
        else if (!is_assigned || token.kind == TOKEN_MARK || token.kind == TOKEN_END)
                return false;
        return true;
}

/* Postfix goes on to the end of the line, and through lines that begin with a blank. */
static void lines_skip(struct scan *scan)
{
        do {
                const char *end = memchr(scan->octets + scan->at, '\n', scan->length - scan->at);
                scan->at = end == NULL ? scan->length : (size_t)(end - scan->octets) + 1;
        } while (scan->at < scan->length &&
                 (scan->octets[scan->at] == ' ' || scan->octets[scan->at] == '\t'));
}

void source_find_key(const struct source *source, uint32_t line, struct span key, struct span section,
                     size_t depth, bool is_whole_line, struct source_key *ret_key)
{
        struct scan scan = {.octets = source->octets, .length = source->length, .line = 1};
        struct position position = {.sections = {SPAN("root")}};
        bool is_found = false;

        for (;;) {
                struct token token = token_next(&scan);
                struct scan behind = scan;
                struct source_key found = {.start = token.start, .end = token.start};
                if (token.kind == TOKEN_END || token.line > line)
                        return;
                if (token.line == line && !position.is_value && position.key.at == NULL &&
                    position.depth == depth && span_equals(position.sections[depth], section) &&
                    span_equals(token_name(&scan, &token), key)) {
                        bool is_whole = key_skip(&behind, &found.value);
                        if (is_whole && is_whole_line && depth == 0)
                                lines_skip(&behind);
                        if (is_whole)
                                found.end = behind.at;
                        if (is_whole || !is_found)
                                *ret_key = found;
                        if (is_whole)
                                return;
                        is_found = true;
                }
                position_step(&position, &scan, &token);
        }
}

void source_blank_key(struct source *source, const struct source_key *key)
{
        for (size_t i = key->start; i < key->end; i++)
                if (source->octets[i] != '\n')
                        source->octets[i] = ' ';
}
