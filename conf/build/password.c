/* The password of the store of senders, from a file of its own, or from the configuration. */
#include "conf/build/internal.h"
#include "conf/text/source.h"

#include <stdlib.h>
#include <sys/stat.h>

#define PASSWORD_MAX 250

bool build_file_is_public(const char *path)
{
        struct stat status;
        return stat(path, &status) == 0 && (status.st_mode & (S_IROTH | S_IWOTH)) != 0;
}

/* NULL, or what is wrong with the text of the file. */
static const char *take_password(struct builder *builder, struct span text)
{
        struct options *options = &builder->snapshot->options;

        text = span_without_mark(text);
        if (text.length > 0 && text.at[text.length - 1] == '\n')
                text.length--;
        if (text.length > 0 && text.at[text.length - 1] == '\r')
                text.length--;
        if (text.length == 0)
                return "holds no password";
        if (text.length > PASSWORD_MAX)
                return "a password has at most 250 octets";
        for (size_t i = 0; i < text.length; i++)
                if (ascii_is_control(text.at[i]))
                        return "must hold one line, without control characters";
        options->sender_password = arena_string(&builder->snapshot->memory, text);
        builder->out_of_memory = builder->out_of_memory || options->sender_password == NULL;
        return NULL;
}

static void read_file(struct builder *builder, const char *path)
{
        struct place place = build_option_place(builder, OPTION_AT_sender_password_file);
        struct source source = {0};
        struct source_fault fault;
        const char *message;

        if (builder->snapshot->options.sender_password[0] != '\0')
                message = "sender_password is set too; one of both is enough";
        else if (build_file_is_public(path))
                message = "every user of this machine may read it; chmod o= makes it a secret";
        else if (!source_read(&source, path, &fault))
                message = fault.message;
        else
                message = take_password(builder, span_of(source.octets, source.length));
        if (source.octets != NULL)
                explicit_bzero(source.octets, source.length);
        if (message != NULL)
                conf_complain(builder->complaints, COMPLAINT_ERROR, &place, "sender_password_file: %s: %s",
                              path, message);
        free(source.octets);
}

void build_finish_password(struct builder *builder)
{
        const struct options *options = &builder->snapshot->options;
        const struct place *place = &builder->options[OPTION_AT_sender_password];

        if (options->sender_password_file[0] != '\0')
                read_file(builder, options->sender_password_file);
        else if (options->sender_password[0] != '\0' && place->file != NULL &&
                 build_file_is_public(place->file))
                conf_complain(
                    builder->complaints, COMPLAINT_WARNING, place,
                    "sender_password: every user of this machine may read it here: put it into a file of its "
                    "own, named by sender_password_file");
}
