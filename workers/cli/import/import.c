/* gatepost import: reads the configuration of another mail server, writes one of ours, and tells what differs. */
#include "workers/cli/import/import.h"

#include "conf/value/list.h"
#include "workers/cli/check_config.h"
#include "workers/cli/import/cf/expand.h"
#include "workers/cli/import/output.h"
#include "workers/cli/import/rules/translate.h"
#include "workers/cli/usage.h"

#include <errno.h>
#include <getopt.h>
#include <libgen.h>
#include <unistd.h>

#define FOLDER    "/etc/postfix"
#define MAIN_CF   FOLDER "/main.cf"
#define HOST_NAME 256

const char import_help[] =
    "usage: gatepost import postfix [MAIN.CF|-] [--out DIR [--observe]] [--listen ADDRESS:PORT] [--resolver "
    "ADDRESS:PORT]\n"
    "                               [--deliver DESTINATION] [--behind HOST:PORT] [--accounts FILE]\n"
    "       gatepost import postfix [MAIN.CF|-] --expanded\n\n"
    "Reads Postfix's main.cf, by default /etc/postfix/main.cf, with master.cf beside it, or what `postconf "
    "-n` prints (-). Tells of\n"
    "each restriction and setting what takes its place here, whether that is stricter or laxer and why, or "
    "that it is not\n"
    "translated. Nothing of Postfix is changed. Tables are read where their text is there.\n"
    "  --out DIR       writes DIR/gatepost.conf, the files that it names, and DIR/report.txt; DIR is new or "
    "empty\n"
    "  --observe       no check does more than tell what it would do\n"
    "  --listen, --resolver   in place of what Postfix and the machine have\n"
    "  --deliver       what each domain's `deliver` says, in place of Postfix's transports\n"
    "  --behind        the Postfix that goes on to do what only it can, such as aliases; by default "
    "127.0.0.1:10025\n"
    "  --accounts FILE the machine's accounts, for local recipients; by default /etc/passwd\n"
    "  --expanded      prints the settings with what their variables stand for, as `postconf -nx` does, and "
    "nothing else\n\n"
    "Exit status: 0; 1 it is no main.cf, or DIR cannot be written, or what was written has errors; 2 wrong "
    "call.\n";

/* ---- input --------------------------------------------------------------------------------------------- */

static bool read_stdin(struct keep *keep, struct span *ret_text)
{
        char *octets = keep_take(keep, CF_SIZE_MAX + 1);
        size_t length = fread(octets, 1, CF_SIZE_MAX + 1, stdin);

        *ret_text = span_of(octets, length);
        return ferror(stdin) == 0;
}

/* What `postconf -n` prints of a folder other than the usual one has its name. */
static const char *folder_of(struct keep *keep, struct span text)
{
        static const char setting[] = "\nconfig_directory = ";
        struct span whole = keep_format(keep, "\n%.*s\n", SPAN_ARG(text));
        const char *found = memmem(whole.at, whole.length, setting, sizeof setting - 1);

        if (found == NULL || found[sizeof setting - 1] != '/')
                return FOLDER;
        found += sizeof setting - 1;
        return keep_span(keep, span_of(found, strcspn(found, "\n"))).at;
}

/* A master.cf that is not there is none. */
static struct span read_master(struct keep *keep, const char *folder)
{
        struct span text = span_of(NULL, 0);

        if (folder != NULL &&
            !cf_file_read(keep, keep_format(keep, "%s/master.cf", folder).at, CF_SIZE_MAX, &text))
                return span_of(NULL, 0);
        return text;
}

static int tell_fault(const struct import *import)
{
        fprintf(stderr, "%s", import->fault_file);
        if (import->fault.line > 0)
                fprintf(stderr, ":%u", import->fault.line);
        fprintf(stderr, ": error: %s\n", import->fault.message);
        return 1;
}

/* ---- output -------------------------------------------------------------------------------------------- */

static int print_expanded(struct import *import)
{
        for (const struct cf_setting *setting = import->cf.first; setting != NULL; setting = setting->next) {
                if (setting->is_overruled || setting->file != import->cf.file)
                        continue;
                struct span value = import_value(import, setting->name.at);
                if (import->has_fault)
                        return tell_fault(import);
                printf("%.*s = ", SPAN_ARG(setting->name));
                for (size_t i = 0; i < value.length; i++)
                        putchar(value.at[i] == '\n' ? ' ' : value.at[i]);
                putchar('\n');
        }
        return fflush(stdout) == 0 ? 0 : 1;
}

static void note_steps(struct import *import, const char *folder)
{
        if (folder == NULL) {
                import_todo(import,
                            "Nothing was written: --out DIR writes the configuration and this report.");
                return;
        }
        import_todo(import, "Run `gatepost check-config -c %s/gatepost.conf` as root where it will serve.",
                    folder);
        if (!import->wish.observes)
                import_todo(import,
                            "The quickest way to see what it does: import with --observe, and let it stand "
                            "in front. Or let a "
                            "balancer that speaks PROXY send it a part of the connections (proxy_listen).");
        else
                import_todo(import,
                            "Each check observes. `gatepost explain -c %s/gatepost.conf --since 1d` and the "
                            "log's verdicts tell what "
                            "they would have refused; then set their modes, one after the other. `gatepost "
                            "shadow start -c NEW` judges live sessions by a copy before that decides.",
                            folder);
}

static int write_all(struct import *import, const char *folder, const char *from)
{
        note_steps(import, folder);
        if (folder != NULL && !output_write(import, folder, from))
                return 1;
        report_print(&import->report, from, stdout);
        if (fflush(stdout) != 0)
                return 1;
        if (folder == NULL)
                return 0;
        printf("\n");
        return check_config_tell(keep_format(import->keep, "%s/gatepost.conf", folder).at) ? 0 : 1;
}

/* Without the folder, as people write of it. */
static const char *shown_name(struct keep *keep, const char *path)
{
        struct span copy = keep_span(keep, span_from(path));
        return strcmp(path, "-") == 0 ? "postconf -n" : basename((char *)(uintptr_t)copy.at);
}

static int run(struct keep *keep, const struct import_wish *wish, const char *path, const char *folder,
               bool is_expanded)
{
        struct import import;
        char host[HOST_NAME + 1] = "";
        bool is_stdin = strcmp(path, "-") == 0;
        struct span text = span_of("", 0), copy = keep_span(keep, span_from(path));

        if (gethostname(host, HOST_NAME) != 0)
                host[0] = '\0';
        import_init(&import, keep, shown_name(keep, path), span_from(host));
        import.wish = *wish;
        import.place.folder = is_stdin ? FOLDER : dirname((char *)(uintptr_t)copy.at);
        if (!(is_stdin ? read_stdin(keep, &text) : cf_file_read(keep, path, CF_SIZE_MAX, &text))) {
                fprintf(stderr, "gatepost: %s: %s\n", path, strerror(errno));
                return 1;
        }
        if (is_stdin)
                import.place.folder = folder_of(keep, text);
        if (!import_read(&import, text, read_master(keep, import.place.folder)))
                return tell_fault(&import);
        if (is_expanded)
                return print_expanded(&import);
        return import_translate(&import) ? write_all(&import, folder, is_stdin ? "postconf -n" : path)
                                         : tell_fault(&import);
}

static bool is_endpoint(const char *text)
{
        struct endpoint endpoint;
        return text == NULL || endpoint_parse(span_from(text), &endpoint);
}

int import_main(int argc, char **argv)
{
        struct import_wish wish = {0};
        const char *folder = NULL;
        bool is_expanded = false;
        struct keep keep;
        const struct usage_option options[] = {{"out", &folder, NULL},
                                               {"observe", NULL, &wish.observes},
                                               {"listen", &wish.listen, NULL},
                                               {"resolver", &wish.resolver, NULL},
                                               {"deliver", &wish.deliver, NULL},
                                               {"behind", &wish.behind, NULL},
                                               {"accounts", &wish.accounts, NULL},
                                               {"expanded", NULL, &is_expanded},
                                               {0}};

        if (!usage_read_options(import_help, options, 2, argc, argv))
                return USAGE_STATUS;
        const char *kind = argv[optind],
                   *path = kind == NULL || argv[optind + 1] == NULL ? MAIN_CF : argv[optind + 1];
        if (kind == NULL || strcmp(kind, "postfix") != 0)
                return usage_fault(import_help, "import: postfix is missing");
        if (!is_endpoint(wish.listen) || !is_endpoint(wish.resolver))
                return usage_fault(
                    import_help,
                    "import: --listen and --resolver need an address and a port, such as 127.0.0.1:53");
        if (is_expanded && folder != NULL)
                return usage_fault(import_help, "import: --expanded writes nothing");
        keep_init(&keep);
        int status = run(&keep, &wish, path, folder, is_expanded);
        keep_end(&keep);
        return status;
}
