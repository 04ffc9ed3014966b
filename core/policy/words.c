/* The page's own words. */
#include "core/policy/internal.h"

const struct wording words[WORD_COUNT] = {
#define WORD(name, english, german) [WORD_##name] = {{english, german}},
#include "core/policy/words.def"
};

void page_word(struct page *page, enum word word)
{
        page_wording(page, &words[word]);
}

void page_heading(struct page *page, char level, enum word word)
{
        const char open[] = {'<', 'h', level, '>', '\0'};
        const char close[] = {'<', '/', 'h', level, '>', '\n', '\0'};

        page_markup(page, open);
        page_word(page, word);
        page_markup(page, close);
}
