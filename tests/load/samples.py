"""What a running server holds, sampled again and again: memory, descriptors, threads, configurations, questions; and whether it
grows."""

import json
import os
import pathlib
import re
import statistics
import time

# name: (unit, what of the first third's median the last third's may have more, and what it may have more in any case). How
# many sessions there are is the load's affair, and so are their descriptors.
QUANTITIES = {
    "sessions": ("", float("inf"), 0),
    "resident": ("KiB", 0.05, 8192),
    "user memory": ("KiB", 0.05, 8192),
    "other descriptors": ("", 0, 80),
    "threads": ("", 0, 1),
    "snapshots": ("", 0.25, 3),
    "questions": ("", 1.0, 400),
    "memory of clients": ("KiB", 0.5, 8192),
}
WARM_UP = 1 / 8  # of the time is not looked at: caches fill
# The log's end, which holds the newest counters.
TAIL_OCTETS = 8 << 20


class Sampler:
    """Samples of one server, in the order of time."""

    def __init__(self, server):
        self.server, self.samples, self.counters, self.dns = server, [], {}, {}
        self.began = time.monotonic()

    def read_log(self):
        """The newest counters; the log may have been rotated, and its last line half written."""
        path = self.server.directory / "log"
        try:
            with path.open("rb") as file:
                file.seek(max(0, path.stat().st_size - TAIL_OCTETS))
                tail = file.read()
        except FileNotFoundError:
            return
        for name in ("counters", "dns"):
            at = tail.rfind(b'"event":"%s"' % name.encode())
            begin, end = tail.rfind(b"\n", 0, max(at, 0)) + 1, tail.find(b"\n", max(at, 0))
            if at >= 0 and end >= 0 and tail[begin:begin + 1] == b"{":
                setattr(self, name, json.loads(tail[begin:end]))

    def take(self):
        process = pathlib.Path(f"/proc/{self.server.process.pid}")
        self.read_log()
        memory = {name: int(kib) for name, kib in re.findall(r"^(\w+):\s+(\d+) kB", (process / "smaps_rollup").read_text(), re.M)}
        # Both fill up to their bounds in their own time: the cache of answers, and the mapped file of the store of senders.
        cache = self.dns.get("cache_octets", 0) // 1024
        store = (self.server.directory / "senders/data.mdb").stat().st_size // 1024
        count = self.counters.get
        sessions = count("sessions", 0) - count("sessions_ended", 0)
        sample = {
            "seconds": time.monotonic() - self.began,
            "sessions": sessions,
            "resident": memory["Rss"] - cache - store,
            "user memory": memory["Anonymous"] - cache,
            # The count of sessions is up to a second old.
            "other descriptors": max(0, len(os.listdir(process / "fd")) - sessions),
            "threads": len(os.listdir(process / "task")),
            "snapshots": count("generations", 1),
            "questions": self.dns.get("pool_in_flight", 0) + self.dns.get("pool_waiting", 0),
            "memory of clients": count("memory_held", 0) // 1024,
        }
        self.samples.append(sample)
        return sample


def thirds(samples, name):
    """The medians of three parts of equal length, without the warm-up."""
    begin, end = samples[0]["seconds"], samples[-1]["seconds"]
    begin += (end - begin) * WARM_UP
    length = (end - begin) / 3
    parts = [[sample[name] for sample in samples if begin + length * n <= sample["seconds"] <= begin + length * (n + 1)]
             for n in range(3)]
    return [statistics.median(part) for part in parts]


def has_grown(name, first, last):
    _, share, more = QUANTITIES[name]
    return last > first + max(first * share, more) if share != float("inf") else False


def table(samples):
    """(the lines of a table, the names of what has grown)"""
    lines = [f"{'':20}{'first third':>14}{'second':>12}{'last':>12}{'highest':>12}"]
    grown = []
    for name, (unit, *_) in QUANTITIES.items():
        medians = thirds(samples, name)
        if has_grown(name, medians[0], medians[2]):
            grown.append(name)
        highest = max(sample[name] for sample in samples)
        figures = f"{medians[0]:>14.0f}{medians[1]:>12.0f}{medians[2]:>12.0f}{highest:>12.0f}"
        lines.append(f"{name:20}{figures} {unit:4}{' GROWS' if name in grown else ''}")
    return lines, grown


# ---- a picture ---------------------------------------------------------------------------------------------------

WIDTH, HEIGHT, GAP = 900, 110, 28


def curve(samples, name, top):
    end, highest = samples[-1]["seconds"] or 1, max(sample[name] for sample in samples) or 1
    points = " ".join(f"{sample['seconds'] / end * WIDTH:.1f},{top + HEIGHT - sample[name] / highest * HEIGHT:.1f}"
                      for sample in samples)
    unit = QUANTITIES[name][0]
    return (f'<text x="0" y="{top - 6}">{name}: at most {highest:.0f} {unit}</text>'
            f'<rect x="0" y="{top}" width="{WIDTH}" height="{HEIGHT}" fill="#f4f4f4"/>'
            f'<polyline points="{points}" fill="none" stroke="#1f5fa8" stroke-width="1.5"/>')


def picture(samples):
    """An SVG with a curve for each quantity, from 0 up to its highest value."""
    curves = [curve(samples, name, GAP + number * (HEIGHT + GAP)) for number, name in enumerate(QUANTITIES)]
    height = GAP + len(curves) * (HEIGHT + GAP)
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" font-family="sans-serif" font-size="13">'
    return "\n".join([head, *curves, "</svg>\n"])
