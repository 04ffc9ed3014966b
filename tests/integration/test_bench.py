#!/usr/bin/env python3
"""The bench: what its page says is true and contradicts nothing, a dead server is an error, and peers can be fetched anywhere."""
# alone: it measures

import html
import json
import os
import pathlib
import re
import signal
import subprocess

from common.harness import PROGRAM, ROOT, SANITIZE, SECONDS, Skip, case, die_with_parent, equal, free_port, main, wait_for

BENCH = PROGRAM.with_name("gatepost-bench")
INSTALL = ROOT / "bench/peers/install"
COMPARE = ["compare", "--peers", "floor,gatepost", "--only", "refused-recipient"]


def bench(*arguments):
    return subprocess.run([BENCH, *arguments], capture_output=True, text=True, timeout=10 * SECONDS)


# ---- reports -----------------------------------------------------------------------------------------------------

def shown_state(bound, low, high):
    """What somebody says who knows but the text."""
    relation, value = re.fullmatch(r"(at least|at most) ([0-9.]+)", bound).groups()
    sides = {float(ratio) >= float(value) if relation == "at least" else float(ratio) <= float(value) for ratio in (low, high)}
    return "undecided" if len(sides) == 2 else "met" if sides.pop() else "missed"


def multiple(figure, other):
    """As the page writes it."""
    quotient = float(figure) / float(other)
    return f"{quotient:.2f}" if quotient < 10 else f"{quotient:.0f}"


def assert_bars_divide(page):
    """Each multiple beside a bar is the quotient of the two figures that are shown."""
    bars = re.findall(r'>(floor|gatepost)</text>.*<text x="[0-9.]+" y="[0-9.]+">([0-9.]+)<tspan[^>]*>([0-9.]+) × (\w+)', page)
    equal(len(bars), 6, "bars")
    for (first, floor, of_ours, _), (second, ours, ratio, to) in zip(bars[::2], bars[1::2]):
        equal((first, second, to), ("floor", "gatepost", "floor"), "bars")
        equal(ratio, multiple(ours, floor), "multiple")
        equal(of_ours, multiple(floor, ours), "multiple of gatepost's")


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


# ---- TLS ---------------------------------------------------------------------------------------------------------

@case("TLS: what a handshake is to be is a word behind the scenario's name, and a server without TLS fails")
def wishes(directory):
    run = bench("run", "tls-handshake:1.4", "--peer", "floor", "--work", directory)
    equal((run.returncode, run.stderr), (2, "gatepost-bench: tls-handshake: no such wish: 1.4\n"), run.stdout)
    options = ["--peer", "floor", "--work", directory, "--sessions", "20", "--concurrency", "2"]
    for name in ("tls-handshake", "tls-refused:1.2:rsa", "tls-accepted-4k:resumed", "tls-handshake:1.2:resumed"):
        run = bench("run", name, *options)
        equal(run.returncode, 0, run.stderr)
        assert "20 sessions" in run.stdout and ", 0 failed" in run.stdout, run.stdout
    run = bench("run", "tls-handshake", *options, "--no-tls")
    equal((run.returncode, run.stdout), (2, ""), run.stderr)
    assert 'got "454 ' in run.stderr, run.stderr


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
        if len(words) > 4 and words[1:4] == [b"serve", b"--as-root", b"-c"] and words[4].startswith(bytes(directory)):
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


# ---- fetching ----------------------------------------------------------------------------------------------------

# Debian's tools, as far as bench/peers/install uses them. Each package has one file; no package is installed but those of KNOWN.
FAKES = {
    "apt-get": r"""
names=()
for word; do case "$word" in -* | *=* | install | download) ;; *) names+=("$word") ;; esac; done
case "$*" in
*--simulate*) printf 'Inst %s (1.0 Debian)\n' "${names[@]}" libc6 ;;
*download*) for name in "${names[@]}"; do echo "$name" >"${name}_1.2-3_all.deb"; done ;;
esac""",
    "dpkg-query": r"""
failed=0
for name; do
    case "$name" in -*) continue ;; esac
    if [[ " $KNOWN " = *" $name "* ]]; then echo installed; else echo "no packages found matching $name" >&2; failed=1; fi
done
exit "$failed"
""",
    "dpkg-deb": r"""
if [ "$1" = -f ]; then echo 1.2-3; exit; fi
folder=$(mktemp -d)
mkdir -p "$folder/usr/share/test"
cp "$2" "$folder/usr/share/test/$(cat "$2")"
tar -cf - -C "$folder" usr/share/test
rm -r "$folder"
""",
}


def fetch(directory, *names, known=""):
    fakes = directory / "fakes"
    fakes.mkdir(exist_ok=True)
    for name, body in FAKES.items():
        (fakes / name).write_text(f"#!/bin/bash{body}\n")
        (fakes / name).chmod(0o755)
    environment = dict(os.environ, PATH=f"{fakes}:{os.environ['PATH']}", KNOWN=known)
    run = subprocess.run([INSTALL, directory / "peers", *names], env=environment, capture_output=True, text=True)
    equal(run.returncode, 0, run.stdout + run.stderr)


def files_of(directory, name):
    return sorted(path.name for path in (directory / "peers" / name / "usr/share/test").iterdir())


@case("peers are fetched where dpkg knows none of their packages, or some, and each gets its own files")
def bare_machine(directory):
    fetch(directory, "exim", "opensmtpd", known="libc6")
    equal(files_of(directory, "exim"), ["exim4-base", "exim4-daemon-heavy", "libc6", "netbase"], "exim")
    equal(files_of(directory, "opensmtpd"), ["libc6", "netbase", "opensmtpd"], "opensmtpd")
    versions = [(directory / "peers" / name / "version").read_text() for name in ("exim", "opensmtpd")]
    equal(versions, ["exim4-daemon-heavy 1.2-3\n", "opensmtpd 1.2-3\n"], "versions")
    equal(sorted(path.name for path in (directory / "peers").iterdir()), ["exim", "opensmtpd"], "what is left behind")


if __name__ == "__main__":
    main()
