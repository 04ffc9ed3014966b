/* gatepost check-config: what is wrong with a configuration, or what holds by it; every option with its
 * default. */
#include "workers/cli/check_config.h"

#include "conf/build/load.h"
#include "conf/value/effective.h"
#include "conf/value/print.h"
#include "workers/cli/hops/names.h"
#include "workers/cli/tls/certificates.h"
#include "workers/cli/tls/published.h"
#include "workers/cli/usage.h"
#include "workers/feed/keeper.h"
#include "workers/process/user.h"
#include "workers/server/openings.h"

#include <stdio.h>
#include <unistd.h>

const char check_config_help[] =
    "usage: gatepost check-config -c FILE [--no-open | --dns] [--start] [--effective]\n"
    "       gatepost check-config --print\n\n"
    "Tells what is wrong with FILE, with file and line, and tries what `serve` will open: certificates, "
    "log,\n"
    "store of senders, Maildirs, addresses to listen on. Run it as root or as the user that will serve.\n"
    "--no-open     looks at the configuration alone, as for another machine\n"
    "--dns         prints the TLSA records and the MTA-STS policies that would be right, and asks the "
    "resolvers\n"
    "              whether those that are published are, and where next hops with a name are\n"
    "--start       is as mild as serve at its start, where an expired certificate is a warning only\n"
    "--effective   prints the configuration in force, each option with its value\n"
    "--print       prints every option with its default and meaning\n\n"
    "Exit status: 0 it can be served, maybe with warnings; 1 errors; 2 wrong call.\n";

struct wish {
        const char *path;
        bool is_text_alone, asks_dns, is_start, is_effective, is_print;
};

/* Becomes the user that serve becomes, but keeps low ports, which serve binds before. What root could read is read
 * again as that user, for so serve does. */
static struct snapshot *read_as_user(struct snapshot *snapshot, const char *path,
                                     struct conf_complaints *complaints)
{
        const struct place place = {path, 0};
        const char *user = snapshot->options.user;
        bool has_changed;
        const char *fault = user_become(user, true, &has_changed);

        if (fault != NULL)
                conf_complain(complaints, COMPLAINT_ERROR, &place, "user: %s: %s", user, fault);
        if (!has_changed)
                return snapshot;
        conf_complaints_end(complaints);
        *complaints = (struct conf_complaints){0};
        struct snapshot *again = snapshot_load(path, complaints);
        if (again == NULL)
                conf_complain(complaints, COMPLAINT_NOTE, &place, "user: root can read all of it, %s cannot",
                              user);
        snapshot_free(snapshot);
        return again;
}

static void open_all(const struct wish *wish, struct snapshot *snapshot, struct conf_complaints *complaints)
{
        struct tls_contexts *contexts =
            certificates_check(snapshot, wish->is_start ? TLS_AT_START : TLS_AT_CHECK, complaints);

        openings_check(snapshot, wish->path, complaints);
        feed_keeper_check(snapshot, complaints);
        if (wish->asks_dns)
                published_check(snapshot, contexts, wish->path, complaints);
        if (wish->asks_dns)
                hop_names_check(snapshot, wish->path, complaints);
        tls_contexts_free(contexts);
}

/* That it says nothing of them must not look as if they were well. */
static void tell_of_not_opened(const struct wish *wish, const struct snapshot *snapshot,
                               struct conf_complaints *complaints)
{
        const struct place place = {wish->path, 0};

        if (!wish->is_text_alone)
                conf_complain(
                    complaints, COMPLAINT_NOTE, &place,
                    "certificates, and what else serve opens, were not looked at: errors come first");
        else if (snapshot != NULL && snapshot_has_tls(snapshot))
                conf_complain(complaints, COMPLAINT_NOTE, &place,
                              "certificates were not looked at, as --no-open says");
}

/* Complaints go to stderr, so that what is printed can be kept; their sum goes to `file`. */
static void print_complaints(const char *path, const struct conf_complaints *complaints, FILE *file)
{
        if (complaints->text != NULL)
                fputs(complaints->text, stderr);
        fprintf(file, "%s: %u error%s, %u warning%s\n", path, complaints->errors,
                complaints->errors == 1 ? "" : "s", complaints->warnings,
                complaints->warnings == 1 ? "" : "s");
}

static int check(const struct wish *wish)
{
        struct conf_complaints complaints = {0};
        struct snapshot *snapshot = snapshot_load(wish->path, &complaints);

        if (snapshot != NULL && !wish->is_text_alone)
                snapshot = read_as_user(snapshot, wish->path, &complaints);
        if (snapshot != NULL && !wish->is_text_alone && complaints.errors == 0)
                open_all(wish, snapshot, &complaints);
        else
                tell_of_not_opened(wish, snapshot, &complaints);
        print_complaints(wish->path, &complaints, wish->is_effective ? stderr : stdout);
        if (snapshot != NULL && wish->is_effective)
                effective_print(stdout, snapshot);
        int status = complaints.errors > 0 || fflush(stdout) != 0 ? 1 : 0;
        conf_complaints_end(&complaints);
        snapshot_free(snapshot);
        return status;
}

static bool are_here(const struct text_list *paths)
{
        for (size_t i = 0; i < paths->count; i++)
                if (access(paths->texts[i], R_OK) != 0)
                        return false;
        return true;
}

/* Certificates are looked at where they are on this machine. */
static void look_at_files(const char *path, struct snapshot *snapshot, struct conf_complaints *complaints)
{
        const struct place place = {path, 0};

        if (are_here(&snapshot->options.tls_certificate) && are_here(&snapshot->options.tls_key))
                tls_contexts_free(certificates_check(snapshot, TLS_AT_START, complaints));
        else
                conf_complain(complaints, COMPLAINT_NOTE, &place,
                              "certificates were not looked at: some are not here, or cannot be read");
        feed_keeper_check(snapshot, complaints);
}

bool check_config_tell(const char *path)
{
        struct conf_complaints complaints = {0};
        struct snapshot *snapshot = snapshot_load(path, &complaints);

        if (snapshot != NULL)
                look_at_files(path, snapshot, &complaints);
        print_complaints(path, &complaints, stdout);
        bool is_well = complaints.errors == 0 && fflush(stdout) == 0;
        conf_complaints_end(&complaints);
        snapshot_free(snapshot);
        return is_well;
}

int check_config_main(int argc, char **argv)
{
        struct wish wish = {0};
        const struct usage_option options[] = {{"config", &wish.path, NULL},
                                               {"no-open", NULL, &wish.is_text_alone},
                                               {"dns", NULL, &wish.asks_dns},
                                               {"start", NULL, &wish.is_start},
                                               {"effective", NULL, &wish.is_effective},
                                               {"print", NULL, &wish.is_print},
                                               {0}};

        if (!usage_read_options(check_config_help, options, 0, argc, argv))
                return USAGE_STATUS;
        if (wish.is_print && argc == 2) {
                options_print(stdout);
                return fflush(stdout) == 0 ? 0 : 1;
        }
        if (wish.is_print)
                return usage_fault(check_config_help, "check-config: --print stands alone");
        if (wish.is_text_alone && wish.asks_dns)
                return usage_fault(check_config_help,
                                   "check-config: --dns reads certificates, and --no-open does not");
        if (wish.path == NULL)
                return usage_fault(check_config_help, "check-config: -c FILE is missing");
        return check(&wish);
}
