"""What a server takes: memory and descriptors of its processes."""

import pathlib
import re


def children(pid):
    """The process and all below it."""
    found = [pid]
    for path in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
        for child in path.read_text().split():
            found += children(int(child))
    return found


def of_process(pid):
    rollup = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(re.search(r"^Pss_Anon:\s+(\d+) kB", rollup, re.M)[1]), len(list(pathlib.Path(f"/proc/{pid}/fd").iterdir()))


def usage(pid):
    """(KiB of anonymous memory, open descriptors), or None where nothing is known of it."""
    if pid is None:
        return None
    memory, descriptors = 0, 0
    for process in children(pid):
        try:
            more, opened = of_process(process)
        except (OSError, TypeError):  # has ended meanwhile
            continue
        memory, descriptors = memory + more, descriptors + opened
    return memory, descriptors
