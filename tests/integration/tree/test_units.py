#!/usr/bin/env python3
"""The units for systemd, as its own tools see them, and whether they let the program do what its own sandbox lets it."""

import os
import re
import subprocess

from common.harness import PROGRAM, ROOT, case, equal, main, need_program, note

CONF = ROOT / "conf"
EXPOSURE_MAX = 2.5  # of 10, as systemd 252 and later count it


def units(directory):
    """The units as an installation has them, but with the program of this build."""
    for name in ("gatepost.service", "gatepost-log.service"):
        unit = (CONF / "systemd" / f"{name}.in").read_text().replace("@program@", str(PROGRAM)).replace("@var@", "/var")
        (directory / name).write_text(unit.replace("@configuration@", "/etc/gatepost/gatepost.conf"))
    for name in ("gatepost.socket", "gatepost-log.timer"):
        (directory / name).write_text((CONF / "systemd" / name).read_text())
    return (directory / "gatepost.service").read_text()


def analyze(*arguments):
    environment = {**os.environ, "SYSTEMD_LOG_LEVEL": "warning"}
    run = subprocess.run([need_program("systemd-analyze"), *map(str, arguments)], capture_output=True, text=True, env=environment)
    return run.returncode, run.stdout, run.stderr


@case("systemd-analyze verify has nothing against them")
def verified(directory):
    units(directory)
    status, _, told = analyze("verify", "--man=no", "--recursive-errors=no", *sorted(directory.glob("gatepost*")))
    # It looks at all that the machine has, and that may be little; lines about these units alone count.
    equal([line for line in told.splitlines() if "gatepost" in line], [], f"what it told (status {status})")


@case("systemd-analyze security finds the services well closed")
def closed(directory):
    units(directory)
    for name in ("gatepost.service", "gatepost-log.service"):
        _, found, told = analyze("security", "--offline=true", "--no-pager", directory / name)
        exposure = re.search(rf"Overall exposure level for {name}: ([\d.]+)", found)
        assert exposure, found + told
        note(exposure[0])
        assert float(exposure[1]) <= EXPOSURE_MAX, found


def expand(name):
    """All system calls of a set of systemd's."""
    _, found, told = analyze("syscall-filter", name)
    assert found, told
    words = [line.strip() for line in found.splitlines()[1:]]
    calls = {word for word in words if re.fullmatch(r"\w+", word)}
    return calls.union(*(expand(word) for word in words if word.startswith("@")))


@case("the unit's list lets through what the sandbox of the program does, and what it takes to get there")
def lists_agree(directory):
    allowed = set()
    for line in re.findall(r"(?m)^SystemCallFilter=(.*)$", units(directory)):
        for word in line.lstrip("~").split():
            calls = expand(word) if word.startswith("@") else {word}
            allowed = allowed - calls if line.startswith("~") else allowed | calls
    table = (ROOT / "workers/process/sandbox/calls.def").read_text()
    own = set(re.findall(r"(?m)^CALL(?:_WITH)?\((\w+)", table.partition("#ifdef")[0])) | {"tgkill", "clone3"}
    equal({"seccomp", "capget", "capset", "execve"} - allowed, set(), "to get into the sandbox, and not in the unit's list")
    equal(own - allowed, set(), "in the sandbox, and not in the unit's list")


if __name__ == "__main__":
    main()
