/* Which files share a sync, and which file systems let them. */
#include "workers/deliver/file_system.h"
#include "workers/deliver/shared_sync.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#define EXT4    0xef53L
#define FUSE    0x65735546L
#define NFS     0x6969L
#define OVERLAY 0x794c7630L

Test(shared_sync, kernels_and_file_systems_that_tell_every_error)
{
        static const struct {
                long magic;
                const char *release;
                bool is_good;
        } cases[] = {
            {EXT4, "6.1.0-18-amd64", true},
            {EXT4, "5.17.0", true},
            {EXT4, "10.0", true},
            {EXT4, "5.16.20", false},
            {EXT4, "5.7.19", false},
            {EXT4, "4.19.0-25-amd64", false},
            {EXT4, "", false},
            {NFS, "6.1.0", false},
            {FUSE, "6.1.0", false},
            {OVERLAY, "6.1.0", false},
            {0x1234567L, "6.1.0", false},
            {0, "6.1.0", false},
        };

        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
                cr_expect_eq(file_system_sync_fault(cases[i].magic, cases[i].release) == NULL,
                             cases[i].is_good, "%lx on %s", cases[i].magic, cases[i].release);
}

/* A file of no name, on a file system of the kernel's own. */
static int some_file(void)
{
        int fd = memfd_create("mail", MFD_CLOEXEC);
        cr_assert(fd >= 0);
        return fd;
}

/* Places with devices that no file is on. */
static struct shared_sync filled(size_t count)
{
        struct shared_sync shared = {.count = count};
        for (size_t i = 0; i < count; i++) {
                shared.systems[i].device = (dev_t)-1 - i;
                shared.systems[i].fd = -1;
        }
        return shared;
}

Test(shared_sync, a_file_system_more_than_there_are_places_syncs_each_file)
{
        struct shared_sync shared = filled(SHARED_SYNC_SYSTEMS_MAX - 1),
                           full = filled(SHARED_SYNC_SYSTEMS_MAX);
        int fd = some_file();

        cr_expect_eq(shared_sync_note(&shared, fd), SHARED_SYNC_SYSTEMS_MAX - 1);
        cr_expect_eq(shared_sync_note(&shared, fd), SHARED_SYNC_SYSTEMS_MAX - 1);
        cr_expect_eq(shared_sync_note(&full, fd), SHARED_SYNC_NONE);
        shared_sync_run(&shared);
        cr_expect(shared_sync_is_done(&shared, SHARED_SYNC_SYSTEMS_MAX - 1));
        shared_sync_end(&shared);
        shared_sync_end(&full);
        close(fd);
}

Test(shared_sync, an_unproven_file_system_is_known_after_the_first_look)
{
        struct shared_sync shared = {0};
        int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);

        cr_assert(fd >= 0);
        cr_expect_eq(shared_sync_note(&shared, fd), SHARED_SYNC_NONE);
        cr_expect_eq(shared_sync_note(&shared, fd), SHARED_SYNC_NONE);
        cr_expect_eq(shared.count, 1);
        cr_expect_eq(shared.systems[0].fd, -1);
        shared_sync_run(&shared);
        shared_sync_end(&shared);
        close(fd);
}

Test(shared_sync, the_folder_of_a_template)
{
        struct file_system system;
        char path[PATH_MAX];

        cr_assert(file_system_read_template("/proc/self/%d/%u", &system, path, sizeof path));
        cr_expect_str_eq(path, "/proc/self");
        cr_expect_str_eq(system.name, "unknown");
        cr_assert(file_system_read_template("/none/such/%u", &system, path, sizeof path));
        cr_expect_str_eq(path, "/");
        cr_assert(file_system_read_template("/tmp/gatepost-none/mail-%u", &system, path, sizeof path));
        cr_expect_str_eq(path, "/tmp");
        cr_expect_not(file_system_read_template("/dev/null/%u", &system, path, sizeof path));
        cr_expect_not(file_system_read_template("/tmp/%u", &system, path, 3));
}
