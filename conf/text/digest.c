/* Each setting adds its kind, how deep it stands, its key and its value, each with an end of its own. What is deeper
 * belongs to the section before it, so that no two configurations look alike. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "conf/text/digest.h"

#include <openssl/sha.h>

/* Where a machine is and what it is called; and a password, which nobody shall try out on the digest. */
static const struct {
        enum scope_kind scope;
        const char *key;
} left_out[] = {
    {SCOPE_ROOT, "hostname"},        {SCOPE_ROOT, "listen"}, {SCOPE_ROOT, "proxy_listen"},
    {SCOPE_ROOT, "sender_password"}, {SCOPE_HTTP, "listen"},
};

static bool is_left_out(const struct setting *setting)
{
        if (setting->kind == SETTING_PROBLEM)
                return true;
        for (size_t i = 0; i < sizeof left_out / sizeof left_out[0]; i++)
                if (setting->kind != SETTING_SECTION && setting->scope->kind == left_out[i].scope &&
                    strcmp(setting->key, left_out[i].key) == 0)
                        return true;
        return false;
}

static void add_string(SHA256_CTX *digest, const char *string)
{
        SHA256_Update(digest, string == NULL ? "" : string, string == NULL ? 1 : strlen(string) + 1);
}

static void add_setting(SHA256_CTX *digest, const struct setting *setting)
{
        bool is_section = setting->kind == SETTING_SECTION;
        char kind = is_section                            ? 's'
                    : setting->kind == SETTING_EMPTY_LIST ? 'e'
                    : setting->continues_list             ? 'i'
                                                          : 'v';
        uint8_t depth = 0;

        for (const struct scope *scope = setting->scope; scope->parent != NULL; scope = scope->parent)
                depth++;
        SHA256_Update(digest, &kind, 1);
        SHA256_Update(digest, &depth, 1);
        add_string(digest, setting->key);
        if (!is_section)
                add_string(digest, setting->text);
        else if (setting->scope->kind != SCOPE_LISTENER) /* whose title is an address of the machine */
                add_string(digest, setting->scope->title);
}

void settings_digest(const struct settings *settings, char ret_digits[static CONFIGURATION_DIGEST_SIZE])
{
        uint8_t octets[SHA256_DIGEST_LENGTH];
        SHA256_CTX digest;
        struct text text;

        SHA256_Init(&digest);
        for (const struct setting *setting = settings->first; setting != NULL; setting = setting->next)
                if (!is_left_out(setting))
                        add_setting(&digest, setting);
        SHA256_Final(octets, &digest);
        text_over(&text, ret_digits, CONFIGURATION_DIGEST_SIZE - 1);
        text_put_hex(&text, octets, (CONFIGURATION_DIGEST_SIZE - 1) / 2);
        ret_digits[text.length] = '\0';
}
