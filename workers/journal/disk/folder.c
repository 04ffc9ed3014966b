/* Files of segments. */
#include "workers/journal/disk/folder.h"

#include "core/base/expect.h"
#include "dns/clock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define SLOTS_MIN   3 /* one that is written to, one for outcomes, one that is emptied */
#define SLOTS_MAX   65536
#define NEW_NAME    "segment.new"
#define NAME_FORMAT "%05u.segment"
#define NAME_ROOM   32
#define ZEROS       (1u << 20)

static void put_name(char name[static NAME_ROOM], uint32_t slot)
{
        snprintf(name, NAME_ROOM, NAME_FORMAT, slot);
}

/* ---- folder -------------------------------------------------------------------------------------------- */

/* One more than the highest number of a file. */
static uint32_t count_slots(int folder_fd)
{
        int fd = openat(folder_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *directory = fd < 0 ? NULL : fdopendir(fd);
        uint32_t count = 0;

        if (directory == NULL && fd >= 0)
                close(fd);
        for (struct dirent *entry; directory != NULL && (entry = readdir(directory)) != NULL;) {
                char name[NAME_ROOM];
                uint32_t slot = (uint32_t)strtoul(entry->d_name, NULL, 10);
                put_name(name, slot);
                if (strcmp(name, entry->d_name) == 0 && slot >= count && slot < SLOTS_MAX)
                        count = slot + 1;
        }
        if (directory != NULL)
                closedir(directory);
        return count;
}

/* False when a file is there and cannot be opened. What is none is not opened: a FIFO would let us wait, and a device
 * would take mail and keep nothing. */
static bool open_slot(const struct journal_folder *folder, uint32_t slot, int flags)
{
        struct stat status;
        char name[NAME_ROOM];

        put_name(name, slot);
        bool is_there = fstatat(folder->fd, name, &status, 0) == 0;
        if (!is_there && errno == ENOENT)
                return true;
        folder->slots[slot].is_no_file = is_there ? !S_ISREG(status.st_mode) : errno == ELOOP;
        if (!folder->slots[slot].is_no_file)
                folder->slots[slot].fd = openat(folder->fd, name, flags | O_NONBLOCK | O_CLOEXEC);
        return folder->slots[slot].is_no_file || folder->slots[slot].fd >= 0 || errno == ENOENT;
}

static bool open_slots(struct journal_folder *folder, int flags)
{
        folder->slots = calloc(folder->slot_count, sizeof *folder->slots);
        if (folder->slots == NULL)
                return false;
        for (uint32_t i = 0; i < folder->slot_count; i++)
                folder->slots[i].fd = -1;
        bool is_good = true;
        for (uint32_t i = 0; i < folder->slot_count && is_good; i++)
                is_good = open_slot(folder, i, flags);
        return is_good;
}

bool journal_folder_open(struct journal_folder *folder, const char *path, uint64_t segment_size,
                         uint64_t size, bool is_read_only)
{
        *folder = (struct journal_folder){
            .fd = -1, .lock = -1, .segment_size = segment_size / JOURNAL_BLOCK * JOURNAL_BLOCK};
        if (!is_read_only && mkdir(path, 0700) != 0 && errno != EEXIST)
                return false;
        folder->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (folder->fd < 0)
                return false;
        uint64_t max = size / segment_size;
        folder->slots_max = max < SLOTS_MIN ? SLOTS_MIN : max > SLOTS_MAX ? SLOTS_MAX : (uint32_t)max;
        folder->slots_hard = folder->slots_max + folder->slots_max / 8 + 1;
        if (folder->slots_hard > SLOTS_MAX)
                folder->slots_hard = SLOTS_MAX;
        folder->slot_count = count_slots(folder->fd);
        if (folder->slot_count < folder->slots_hard)
                folder->slot_count = folder->slots_hard;
        expect(folder->slot_count >= SLOTS_MIN);
        if (open_slots(folder, is_read_only ? O_RDONLY : O_RDWR))
                return true;
        int error = errno;
        journal_folder_close(folder);
        errno = error;
        return false;
}

void journal_folder_close(struct journal_folder *folder)
{
        for (uint32_t i = 0; folder->slots != NULL && i < folder->slot_count; i++)
                if (folder->slots[i].fd >= 0)
                        close(folder->slots[i].fd);
        free(folder->slots);
        if (folder->lock >= 0)
                close(folder->lock);
        if (folder->fd >= 0)
                close(folder->fd);
        *folder = (struct journal_folder){.fd = -1, .lock = -1};
}

bool journal_folder_lock(struct journal_folder *folder)
{
        int fd = openat(folder->fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);

        if (fd < 0)
                return false;
        if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
                folder->lock = fd;
                return true;
        }
        int error = errno;
        close(fd);
        errno = error;
        return false;
}

/* ---- segments ------------------------------------------------------------------------------------------ */

bool journal_write_exactly(int fd, const void *octets, size_t length, uint64_t offset)
{
        const char *at = octets;

        while (length > 0) {
                ssize_t written = pwrite(fd, at, length, (off_t)offset);
                if (written < 0 && errno != EINTR)
                        return false;
                if (written > 0) {
                        at += written;
                        offset += (uint64_t)written;
                        length -= (size_t)written;
                }
        }
        return true;
}

bool journal_read_exactly(int fd, void *octets, size_t length, uint64_t offset)
{
        char *at = octets;

        while (length > 0) {
                ssize_t count = pread(fd, at, length, (off_t)offset);
                if (count < 0 && errno == EINTR)
                        continue;
                if (count <= 0) {
                        errno = count < 0 ? errno : EIO;
                        return false;
                }
                at += count;
                offset += (uint64_t)count;
                length -= (size_t)count;
        }
        return true;
}

static bool write_zeros(int fd, const char *zeros, uint64_t size, int flags)
{
        bool is_good = fcntl(fd, F_SETFL, flags) == 0;

        for (uint64_t at = 0; is_good && at < size; at += ZEROS)
                is_good = journal_write_exactly(fd, zeros, size - at < ZEROS ? size - at : ZEROS, at);
        return is_good;
}

/* Past the page cache, where the file system can do that: mail may wait meanwhile, and nobody reads them. */
static bool fill_with_zeros(int fd, uint64_t size)
{
        char *zeros = aligned_alloc(JOURNAL_BLOCK, ZEROS);
        bool is_good = false;

        if (zeros != NULL) {
                memset(zeros, 0, ZEROS);
                is_good = write_zeros(fd, zeros, size, O_DIRECT) ||
                          (errno == EINVAL && write_zeros(fd, zeros, size, 0));
        }
        int error = errno;
        free(zeros);
        errno = error;
        return is_good && fcntl(fd, F_SETFL, 0) == 0 && fsync(fd) == 0;
}

bool journal_slot_make(struct journal_folder *folder, uint32_t slot)
{
        char name[NAME_ROOM];
        int fd = openat(folder->fd, NEW_NAME, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

        if (fd < 0)
                return false;
        put_name(name, slot);
        if (fill_with_zeros(fd, folder->segment_size) &&
            renameat(folder->fd, NEW_NAME, folder->fd, name) == 0 && fsync(folder->fd) == 0) {
                folder->slots[slot].generation = 0;
                folder->slots[slot].is_unfit = false;
                folder->slots[slot].fd = fd;
                return true;
        }
        int error = errno;
        close(fd);
        unlinkat(folder->fd, NEW_NAME, 0);
        errno = error;
        return false;
}

void journal_slot_remove(struct journal_folder *folder, uint32_t slot)
{
        char name[NAME_ROOM];

        put_name(name, slot);
        unlinkat(folder->fd, name, 0);
        close(folder->slots[slot].fd);
        folder->slots[slot].fd = -1;
        folder->slots[slot].generation = 0;
}

void journal_slot_set_aside(struct journal_folder *folder, uint32_t slot)
{
        char name[NAME_ROOM], aside[2 * NAME_ROOM];

        put_name(name, slot);
        snprintf(aside, sizeof aside, "damaged/%s-%lld", name, (long long)clock_wall_s());
        if (mkdirat(folder->fd, "damaged", 0700) == 0 || errno == EEXIST)
                renameat(folder->fd, name, folder->fd, aside);
        if (folder->slots[slot].fd >= 0)
                close(folder->slots[slot].fd);
        folder->slots[slot].fd = -1;
        folder->slots[slot].generation = 0;
        folder->slots[slot].is_no_file = false;
}

bool journal_slot_begin(struct journal_folder *folder, uint32_t slot, const struct journal_segment *segment)
{
        uint8_t block[JOURNAL_BLOCK];
        int fd = folder->slots[slot].fd;

        journal_segment_write(block, segment);
        if (!journal_write_exactly(fd, block, sizeof block, 0) ||
            !journal_write_exactly(fd, block, sizeof block, segment->size - sizeof block) ||
            fdatasync(fd) != 0)
                return false;
        folder->slots[slot].generation = segment->generation;
        return true;
}

bool journal_slot_header(const struct journal_folder *folder, uint32_t slot,
                         struct journal_segment *ret_segment, bool *ret_is_empty)
{
        static const uint8_t zeros[JOURNAL_BLOCK];
        uint8_t block[JOURNAL_BLOCK];
        int fd = folder->slots[slot].fd;
        struct stat status;
        bool is_zero = true;

        *ret_is_empty = !folder->slots[slot].is_no_file;
        if (fd < 0 || fstat(fd, &status) != 0)
                return false;
        uint64_t size = (uint64_t)status.st_size;
        uint64_t offsets[] = {0, size > sizeof block ? size - sizeof block : 0};
        for (int i = 0; i < 2; i++) {
                bool is_read = journal_read_exactly(fd, block, sizeof block, offsets[i]);
                if (is_read && journal_segment_read(block, ret_segment))
                        return true;
                is_zero = is_zero && is_read && memcmp(block, zeros, sizeof zeros) == 0;
        }
        *ret_is_empty = is_zero;
        return false;
}

bool journal_slot_is_cut(const struct journal_folder *folder, uint32_t slot,
                         const struct journal_segment *segment)
{
        struct stat status;
        return fstat(folder->slots[slot].fd, &status) == 0 && (uint64_t)status.st_size < segment->size;
}

void journal_folder_note_headers(struct journal_folder *folder)
{
        struct journal_segment segment;
        bool is_empty;

        for (uint32_t i = 0; i < folder->slot_count; i++)
                if (journal_slot_header(folder, i, &segment, &is_empty)) {
                        folder->slots[i].generation = segment.generation;
                        folder->slots[i].is_unfit = segment.size != folder->segment_size;
                }
}

void journal_slot_read(const struct journal_folder *folder, uint32_t slot, char *octets, size_t size)
{
        int fd = folder->slots[slot].fd;

        if (journal_read_exactly(fd, octets, size, 0))
                return;
        for (size_t at = 0; at < size; at += JOURNAL_BLOCK)
                if (!journal_read_exactly(fd, octets + at, JOURNAL_BLOCK, at))
                        memset(octets + at, 0, JOURNAL_BLOCK);
}

uint32_t journal_slot_of(const struct journal_folder *folder, uint64_t generation)
{
        for (uint32_t i = 0; i < folder->slot_count; i++)
                if (generation != 0 && folder->slots[i].generation == generation)
                        return i;
        return UINT32_MAX;
}

void journal_folder_set_aside(const struct journal_folder *folder, const char *name, struct span octets)
{
        char path[100];

        snprintf(path, sizeof path, "damaged/%.80s", name);
        mkdirat(folder->fd, "damaged", 0700);
        int fd = openat(folder->fd, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd < 0)
                return;
        if (!journal_write_exactly(fd, octets.at, octets.length, 0) || fsync(fd) != 0)
                unlinkat(folder->fd, path, 0);
        close(fd);
}
