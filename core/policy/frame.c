/* What stands around the content of each page. */
/* The digest of a text in pieces, as in core/base/digest/mac.c. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "core/policy/frame.h"

#include "core/policy/internal.h"

#include <openssl/evp.h>
#include <openssl/sha.h>

/* Its lines. In it names are between single quotes. */
static const char *const style[] = {
#include "policy_style.inc"
};

#define STYLE_LINES (sizeof style / sizeof *style)

void policy_style_source_write(char ret_directive[static POLICY_STYLE_SOURCE_SIZE])
{
        uint8_t digest[SHA256_DIGEST_LENGTH];
        char encoded[4 * ((SHA256_DIGEST_LENGTH + 2) / 3) + 1];
        SHA256_CTX sha256;

        SHA256_Init(&sha256);
        for (size_t i = 0; i < STYLE_LINES; i++) {
                SHA256_Update(&sha256, style[i], strlen(style[i]));
                SHA256_Update(&sha256, "\n", 1);
        }
        SHA256_Final(digest, &sha256);
        EVP_EncodeBlock((uint8_t *)encoded, digest, sizeof digest);
        snprintf(ret_directive, POLICY_STYLE_SOURCE_SIZE, "style-src 'sha256-%s'", encoded);
}

static void put_style(struct page *page)
{
        page_markup(page, "<style>");
        for (size_t i = 0; i < STYLE_LINES; i++) {
                page_markup(page, style[i]);
                page_markup(page, "\n");
        }
        page_markup(page, "</style>\n");
}

static void put_alternate(struct page *page, enum language language)
{
        page_markup(page, "<link rel=\"alternate\" hreflang=\"");
        page_text(page, words[WORD_language_code].in[language]);
        page_markup(page, "\" href=\"");
        page_text(page, page->links[language]);
        page_markup(page, "\">\n");
}

/* Who runs the server, as far as the configuration says it. */
static void put_owner(struct page *page)
{
        const struct options *options = &page->snapshot->options;
        const char *organisation = options->policy_page_organisation;

        page_foreign(page, span_from(organisation[0] != '\0' ? organisation : options->hostname));
}

static void put_head(struct page *page, enum word title)
{
        char style_source[POLICY_STYLE_SOURCE_SIZE];

        policy_style_source_write(style_source);
        page_markup(page, "<head>\n<meta charset=\"utf-8\">\n"
                          "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; ");
        page_markup(page, style_source);
        page_markup(page, "; base-uri 'none'; form-action 'none'\">\n<meta name=\"viewport\" "
                          "content=\"width=device-width, initial-scale=1\">\n"
                          "<meta name=\"color-scheme\" content=\"light dark\">\n"
                          "<meta name=\"referrer\" content=\"no-referrer\">\n");
        if (page->links == NULL)
                page_markup(page, "<meta name=\"robots\" content=\"noindex\">\n");
        page_markup(page, "<title>");
        page_word(page, title);
        page_markup(page, " – ");
        put_owner(page);
        page_markup(page, "</title>\n");
        for (enum language language = 0; page->links != NULL && language < LANGUAGE_COUNT; language++)
                put_alternate(page, language);
        put_style(page);
        page_markup(page, "</head>\n");
}

void page_open_language(struct page *page, enum language language, const char *anchor)
{
        const char *code = words[WORD_language_code].in[language];

        page_open_link(page, page->links[language], anchor);
        page_markup(page, " lang=\"");
        page_text(page, code);
        page_markup(page, "\" hreflang=\"");
        page_text(page, code);
        page_markup(page, "\"");
}

static void put_languages(struct page *page)
{
        page_markup(page, "<nav class=\"languages\" aria-label=\"");
        page_word(page, WORD_languages);
        page_markup(page, "\">");
        for (enum language language = 0; language < LANGUAGE_COUNT; language++) {
                page_open_language(page, language, NULL);
                page_markup(page, language == page->language ? " aria-current=\"page\">" : ">");
                page_text(page, words[WORD_language_name].in[language]);
                page_markup(page, "</a>\n");
        }
        page_markup(page, "</nav>\n");
}

void page_begin(struct page *page, enum word title)
{
        page_markup(page, "<!DOCTYPE html>\n<html lang=\"");
        page_word(page, WORD_language_code);
        page_markup(page, "\">\n");
        put_head(page, title);
        page_markup(page, "<body>\n<a class=\"skip\" href=\"#content\">");
        page_word(page, WORD_skip);
        page_markup(page, "</a>\n<header>\n<p class=\"owner\">");
        put_owner(page);
        page_markup(page, "</p>\n");
        if (page->links != NULL)
                put_languages(page);
        page_markup(page, "<h1>");
        page_word(page, title);
        page_markup(page, "</h1>\n</header>\n<main id=\"content\">\n");
}

static void put_footer_link(struct page *page, const char *link, enum word word)
{
        if (link[0] == '\0')
                return;
        page_open_link(page, link, NULL);
        page_markup(page, ">");
        page_word(page, word);
        page_markup(page, "</a>\n");
}

void page_end(struct page *page)
{
        const struct options *options = &page->snapshot->options;

        page_markup(page, "</main>\n<footer>\n<span>");
        page_foreign(page, span_from(options->hostname));
        page_markup(page, "</span>\n");
        put_footer_link(page, options->policy_page_imprint, WORD_imprint);
        put_footer_link(page, options->policy_page_privacy, WORD_privacy);
        page_markup(page, "</footer>\n</body>\n</html>\n");
}
