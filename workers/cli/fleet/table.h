/* A fleet on standard output, for people and for programs. */
#pragma once

#include "workers/cli/fleet/gather.h"

struct fleet_file {
        const char *path; /* of the configuration that was named, ... */
        const char *digest;
};

void fleet_print(const struct fleet_view *view, const struct fleet_file *file);
void fleet_print_json(const struct fleet_view *view, const struct fleet_file *file);
