/* Servers that the bench does not build: what a row of peers.def says of them, which of them are there, and
 * how they are fetched. */
#pragma once

#include "bench/options.h"
#include "bench/peers/table.h"

#include <stddef.h>

/* The folder of a fetched server's programs (below the one of the fetched ones) and of its files
 * (bench/peers); NULL for what we build. */
const char *peer_fetched(enum peer_kind kind);
/* The folder with the fetched servers. */
const char *install_folder(const struct bench_options *options);
/* False with the reason when this server cannot run here. */
bool peer_is_available(const struct bench_options *options, enum peer_kind kind, char *ret_why, size_t size);
/* Writes which program it is: the commit of ours, the package of a fetched one. */
void peer_version_write(const struct bench_options *options, enum peer_kind kind, char *ret_text,
                        size_t size);
/* Fetches the servers named in `names` (NULL: all) and starts none of them. True when all of them are there
 * then. */
bool install_peers(const struct bench_options *options, const char *names);
