/* Writes the folder. Nothing is written over. */
#include "workers/cli/import/output.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static bool say(const char *what, const char *name)
{
        fprintf(stderr, "gatepost: %s%s%s: %s\n", what, name[0] == '\0' ? "" : "/", name, strerror(errno));
        return false;
}

static bool is_empty(int folder)
{
        DIR *list = fdopendir(dup(folder));
        size_t count = 0;

        while (list != NULL && readdir(list) != NULL)
                count++;
        if (list != NULL)
                closedir(list);
        return list != NULL && count == 2;
}

/* -1 */
static int open_folder(const char *path)
{
        if (mkdir(path, 0755) != 0 && errno != EEXIST) {
                say(path, "");
                return -1;
        }
        int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (folder < 0) {
                say(path, "");
                return -1;
        }
        if (is_empty(folder))
                return folder;
        fprintf(stderr, "gatepost: %s is not empty, and nothing is written over\n", path);
        close(folder);
        return -1;
}

/* For writing; NULL. Its folder is made. */
static FILE *create(int folder, struct span name)
{
        size_t slash = span_find(name, '/');
        char parent[64];

        if (slash != SIZE_MAX) {
                span_copy_cut(span_of(name.at, slash), parent, sizeof parent);
                if (mkdirat(folder, parent, 0755) != 0 && errno != EEXIST)
                        return NULL;
        }
        int file = openat(folder, name.at, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
        FILE *stream = file < 0 ? NULL : fdopen(file, "w");
        if (stream == NULL && file >= 0)
                close(file);
        return stream;
}

static bool finish(FILE *file)
{
        bool is_written = fflush(file) == 0 && ferror(file) == 0;
        return fclose(file) == 0 && is_written;
}

static bool write_file(int folder, const struct import_file *file, const char *from)
{
        FILE *stream = create(folder, file->name);

        if (stream == NULL)
                return false;
        fprintf(stream, "# Made from %s by `gatepost import postfix`.\n", from);
        for (const struct import_line *line = file->first; line != NULL; line = line->next)
                fprintf(stream, "%.*s\n", SPAN_ARG(line->text));
        return finish(stream);
}

static bool write_configuration(int folder, struct import *import, const char *from)
{
        FILE *stream = create(folder, SPAN("gatepost.conf"));

        if (stream == NULL)
                return false;
        draft_write(&import->draft, import->wish.observes, from, stream);
        return finish(stream);
}

static bool write_report(int folder, const struct import *import, const char *from)
{
        FILE *stream = create(folder, SPAN("report.txt"));

        if (stream == NULL)
                return false;
        report_print(&import->report, from, stream);
        return finish(stream);
}

bool output_write(struct import *import, const char *path, const char *from)
{
        int folder = open_folder(path);
        const char *failed = NULL;

        if (folder < 0)
                return false;
        for (const struct import_file *file = import->files; failed == NULL && file != NULL;
             file = file->next)
                if (!write_file(folder, file, from))
                        failed = file->name.at;
        if (failed == NULL && !write_configuration(folder, import, from))
                failed = "gatepost.conf";
        if (failed == NULL && !write_report(folder, import, from))
                failed = "report.txt";
        if (failed != NULL)
                say(path, failed);
        close(folder);
        return failed == NULL;
}
