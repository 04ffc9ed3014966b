/* gatepost policy-page: the page that refusals lead to, as files for a web server. */
#include "workers/cli/policy/policy_page.h"

#include "conf/build/load.h"
#include "core/policy/page.h"
#include "workers/cli/files/aside.h"
#include "workers/cli/usage.h"

#include <errno.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

const char policy_page_help[] =
    "usage: gatepost policy-page -c FILE --out DIR\n\n"
    "Writes the policy page of this configuration, for senders who were refused, into the folder DIR, which "
    "is\n"
    "made if it is not there: en.html and de.html, and index.html, which is the page in the language that\n"
    "policy_page.language names. Each file stands alone and needs nothing else. Files are replaced whole, "
    "and\n"
    "others in DIR are left alone. The same configuration gives the same octets. policy_url is where DIR is\n"
    "published.\n\n"
    "Exit status: 0; 1 FILE is wrong, or a file could not be written: then all are as before, unless a "
    "message\n"
    "says otherwise; 2 wrong call.\n";

/* A file under way: it is written aside, and takes its place when all of them are whole. */
struct output {
        const char *name;
        enum language language;
        char aside[PATH_MAX], path[PATH_MAX];
        bool is_aside; /* the file aside is there */
};

enum { INDEX, ENGLISH, GERMAN, OUTPUTS };

static int fault(const char *what, const char *path)
{
        fprintf(stderr, "gatepost: cannot %s %s: %s\n", what, path, strerror(errno));
        return 1;
}

static bool set_paths(struct output *output, const char *folder)
{
        int path = snprintf(output->path, sizeof output->path, "%s/%s", folder, output->name);
        int aside =
            snprintf(output->aside, sizeof output->aside, "%s/.%s.%ld", folder, output->name, (long)getpid());

        if (path < PATH_MAX && aside < PATH_MAX)
                return true;
        errno = ENAMETOOLONG;
        fault("write into", folder);
        return false;
}

static bool write_aside(struct output *output, const struct snapshot *snapshot)
{
        static const char *const links[LANGUAGE_COUNT] = {"en.html", "de.html"};
        FILE *file = aside_open(output->aside, 0644);

        output->is_aside = file != NULL;
        if (file == NULL)
                return false;
        policy_page_write(file, snapshot, output->language, links);
        return aside_close(file);
}

static bool put_in_place(struct output *output)
{
        if (rename(output->aside, output->path) != 0) {
                fault("write", output->path);
                return false;
        }
        output->is_aside = false;
        return true;
}

static int write_all(struct output *outputs, const struct snapshot *snapshot, const char *folder)
{
        for (size_t i = 0; i < OUTPUTS; i++) {
                if (!set_paths(&outputs[i], folder))
                        return 1;
                if (!write_aside(&outputs[i], snapshot))
                        return fault("write", outputs[i].path);
        }
        /* The index comes last: it leads to the others. */
        for (size_t i = OUTPUTS; i > 0; i--)
                if (!put_in_place(&outputs[i - 1])) {
                        if (i < OUTPUTS)
                                fprintf(stderr, "gatepost: some of the other files are new already\n");
                        return 1;
                }
        return 0;
}

static int write_folder(const struct snapshot *snapshot, const char *folder)
{
        struct output outputs[OUTPUTS] = {
            [INDEX] = {.name = "index.html", .language = snapshot->options.policy_page_language},
            [ENGLISH] = {.name = "en.html", .language = LANGUAGE_ENGLISH},
            [GERMAN] = {.name = "de.html", .language = LANGUAGE_GERMAN}};

        if (mkdir(folder, 0755) != 0 && errno != EEXIST)
                return fault("make the folder", folder);
        int status = write_all(outputs, snapshot, folder);
        for (size_t i = 0; i < OUTPUTS; i++)
                if (outputs[i].is_aside)
                        unlink(outputs[i].aside);
        if (status == 0)
                printf("%s: index.html, en.html and de.html are written\n", folder);
        return status;
}

int policy_page_main(int argc, char **argv)
{
        const char *configuration = NULL, *folder = NULL;
        const struct usage_option options[] = {{"config", &configuration, NULL}, {"out", &folder, NULL}, {0}};
        struct conf_complaints complaints = {0};

        if (!usage_read_options(policy_page_help, options, 0, argc, argv))
                return USAGE_STATUS;
        if (configuration == NULL)
                return usage_fault(policy_page_help, "policy-page: -c FILE is missing");
        if (folder == NULL)
                return usage_fault(policy_page_help, "policy-page: --out DIR is missing");
        struct snapshot *snapshot = snapshot_load(configuration, &complaints);
        if (snapshot == NULL && complaints.text != NULL)
                fputs(complaints.text, stderr);
        conf_complaints_end(&complaints);
        if (snapshot == NULL)
                return 1;
        int status = write_folder(snapshot, folder);
        snapshot_free(snapshot);
        return status;
}
