/* Messages as files in Maildirs. A file begins in tmp/ and moves to new/, and it is durable when the
 * directories are synced. All of this blocks on the disk. Where a function fails, errno tells why. */
#pragma once

#include "core/mail/message.h"

#define MAIL_NAME_MAX 200

/* A Maildir that gets the message. */
struct mail_copy {
        struct mail_copy *next;
        const char *mailbox; /* path of the directory that holds tmp, new and cur */
        struct span front;   /* fields of this copy alone, before the text; with the line ends of the file */
        bool is_in_tmp, is_in_new;
        bool is_elsewhere; /* no link: it may be on another file system than the first one */
};

/* A message in the making. It has the same file name in each Maildir. */
struct mail {
        int fd; /* of the file in tmp/ of the first copy; -1: not open */
        char name[MAIL_NAME_MAX];
};

/* What makes file names unique. Each thread has its own. */
struct mail_namer {
        uint32_t thread;
        uint64_t count;
        char host[65]; /* terminated */
};

void mail_namer_init(struct mail_namer *namer, uint32_t thread);

/* Appends the path that `path_template` means for a mailbox, and a terminator. %d and %u become one path
 * component each, whatever octets they hold; %u has at most 200 octets. False, with `path` as before, when it
 * does not fit. */
bool maildir_path_write(struct text *path, const char *path_template, struct span domain,
                        struct span local_part);

/* Creates the file in tmp/ of `copy`, and the Maildir if need be, and writes its front and `content`. */
bool mail_begin(struct mail *mail, struct mail_namer *namer, struct mail_copy *copy,
                const struct content *content, enum newline_form newline);
/* Writes more content. */
bool mail_write(struct mail *mail, const struct content *content, enum newline_form newline);
/* Makes the text durable and closes the file. The text is complete. */
bool mail_sync(struct mail *mail);
/* Closes the file. The text is complete, and somebody else makes it durable. */
bool mail_close(struct mail *mail);
/* Puts the file of the first copy into tmp/ of another one as well: the same file where their fronts are alike, and
 * else one with the other's own front. */
bool mail_link(const struct mail *mail, const struct mail_copy *first, struct mail_copy *copy);
/* Moves the copy from tmp/ to new/. This is not durable before maildir_sync_new(). */
bool mail_publish(const struct mail *mail, struct mail_copy *copy);
/* Makes what was moved to new/ of this Maildir durable. */
bool maildir_sync_new(const char *mailbox);
/* Closes the file and removes it from each Maildir in the list. */
void mail_undo(struct mail *mail, struct mail_copy *copies);
