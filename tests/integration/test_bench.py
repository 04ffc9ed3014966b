#!/usr/bin/env python3
"""The bench: what its page says is true and contradicts nothing, a dead server is an error."""

import html
import json
import os
import pathlib
import re
import signal
import subprocess

from common.harness import PROGRAM, SANITIZE, SECONDS, Skip, case, die_with_parent, equal, free_port, main, wait_for

BENCH = PROGRAM.with_name("gatepost-bench")
COMPARE = ["compare", "--peers", "floor,gatepost", "--only", "refused-recipient"]


def bench(*arguments):
    return subprocess.run([BENCH, *arguments], capture_output=True, text=True, timeout=10 * SECONDS)


# ---- reports -----------------------------------------------------------------------------------------------------

def shown_state(bound, low, high):
    """What somebody says who knows but the text."""
    relation, value = re.fullmatch(r"(at least|at most) ([0-9.]+)", bound).groups()
    sides = {float(ratio) >= float(value) if relation == "at least" else float(ratio) <= float(value) for ratio in (low, high)}
    return "undecided" if len(sides) == 2 else "met" if sides.pop() else "missed"


def assert_bars_divide(page):
    """Each multiple beside a bar is the quotient of the two figures that are shown."""
    bars = re.findall(r'>(floor|gatepost)</text>.*<text x="[0-9.]+" y="[0-9.]+">([0-9.]+)<tspan[^>]*>([0-9.]+) × (\w+)', page)
    equal(len(bars), 6, "bars")
    for (first, floor, multiple, _), (second, ours, ratio, to) in zip(bars[::2], bars[1::2]):
        equal((first, second, to), ("floor", "gatepost", "floor"), "bars")
        equal(ratio, f"{float(ours) / float(floor):.2f}", "multiple")
        equal(multiple, f"{float(floor) / float(ours):.2f}", "multiple of gatepost's")


def assert_targets_agree(page):
    targets = re.findall(r"<td>(at (?:least|most) [0-9.]+) × floor</td><td>([0-9.]+)</td><td>([0-9.]+) – ([0-9.]+)</td>"
                         r'<td class="(\w+)">', page)
    equal(len(targets), 2, "targets")
    for bound, _, low, high, state in targets:
        equal(state, shown_state(bound, low, high), f"{bound}, {low} to {high}")


@case("the page names commit, command, load and versions, and what it says agrees with its figures")
def page(directory):
    if SANITIZE:
        raise Skip("says nothing about gatepost")
    options = ["--concurrency", "5", "--rounds", "5", "--seconds", "0.2", "--work", directory, "--out", directory]
    run = bench(*COMPARE, *options)
    equal(run.returncode, 0, run.stderr)
    figures = json.loads((directory / "compare.json").read_text())
    shown = html.unescape((directory / "compare.html").read_text())
    command = " ".join(map(str, [BENCH, *COMPARE, *options]))
    assert re.fullmatch(r"unknown|([0-9a-f]{7,40}|.+-g[0-9a-f]+)\+?", figures["commit"]), figures["commit"]
    equal(figures["versions"], {name: f"commit {figures['commit']}" for name in ("floor", "gatepost")}, "versions")
    for what in (command, f"commit {figures['commit']}", f"load {figures['load_before']:.1f} before, {figures['load_after']:.1f} after"):
        assert what in shown and what in run.stdout, (what, run.stdout)
    assert_bars_divide(shown)
    assert_targets_agree(shown)
    for target in figures["targets"]:
        equal(target["state"], shown_state(target["target"], target["low"], target["high"]), str(target))


# ---- dead servers ------------------------------------------------------------------------------------------------

@case("nobody listens: an error, and no table of zeros")
def nobody(directory):
    run = bench("run", "refused-recipient", "--server", f"127.0.0.1:{free_port()}", "--seconds", "0.5", "--concurrency", "2")
    equal((run.returncode, run.stdout), (2, ""), run.stderr)
    assert "none came to its end" in run.stderr, run.stderr
    ended = subprocess.Popen(["true"])
    ended.wait()
    run = bench("run", "refused-recipient", "--server", f"127.0.0.1:{free_port()}", "--pid", str(ended.pid))
    equal((run.returncode, run.stderr), (2, f"gatepost-bench: there is no process {ended.pid}\n"), "a process that has ended")


def server_of(directory):
    """The gatepost that works in the directory."""
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
        except OSError:
            continue
        if len(words) > 3 and words[1:3] == [b"serve", b"-c"] and words[3].startswith(bytes(directory)):
            return int(path.parent.name)
    return None


@case("a server that dies while it is measured: an error, no table, and no page")
def dies(directory):
    options = ["--rounds", "9", "--seconds", "1", "--concurrency", "5", "--work", directory, "--out", directory / "out"]
    with subprocess.Popen([BENCH, *COMPARE, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          preexec_fn=die_with_parent) as run:
        server = wait_for("the server", lambda: server_of(directory))
        wait_for("sessions", lambda: any(log.stat().st_size > 0 for log in directory.glob("gatepost-bench-gatepost-*/log")))
        os.kill(server, signal.SIGKILL)
        output, errors = run.communicate(timeout=10 * SECONDS)
    equal((run.returncode, output), (2, ""), errors)
    assert re.search(r"gatepost.*(has ended|none came to its end|does not start)", errors), errors
    assert not (directory / "out/compare.html").exists()


if __name__ == "__main__":
    main()
