/* Files that are written aside, and take their places when they are whole. */
#pragma once

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

/* A new file for aside_close(). NULL, and errno: there is one already, or it cannot be made. */
FILE *aside_open(const char *path, mode_t mode);
/* Closes it. True when the disk has all of it; else errno says why. */
bool aside_close(FILE *out);
/* The disk has what was renamed or linked within the folder. False, and errno, when it may not. */
bool aside_sync_folder(const char *folder);
