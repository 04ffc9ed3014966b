#!/usr/bin/env python3
"""What `meson install` leaves in a folder that is not yet the system, as packages are made: it is whole, and the program runs there."""
# alone: it installs from the folder of the build

import os
import re
import subprocess

from common.harness import IS_ROOT, PROGRAM, Server, Skip, case, equal, main, need_program

BUILD = PROGRAM.parent
PREFIX = "usr/local"


def install(directory):
    target = directory / "installed"
    subprocess.run(["meson", "install", "-C", BUILD, "--no-rebuild", "--destdir", target], check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.PIPE)
    return target


@case("the program runs where it was installed to, and what its unit, its pages and its rotation name was installed with it")
def runs(directory):
    target = install(directory)
    unit = (target / PREFIX / "lib/systemd/system/gatepost.service").read_text()
    programs = set(re.findall(r"^Exec\w+=(\S+)", unit, re.M))
    equal(programs, {f"/{PREFIX}/sbin/gatepost"}, "programs of the unit")
    program = target / PREFIX / "sbin/gatepost"
    place = directory / "place"
    place.mkdir()
    server = Server(place)
    with server.start(program=program), server.client() as client:
        client.deliver(b"Subject: x\r\n")
        client.command("QUIT", 221)
    page = (target / PREFIX / "share/man/man8/gatepost.8").read_text()
    for path in re.findall(rf"^\.(?:It )?Pa (/{PREFIX}/share/\S+)", page, re.M):
        assert (target / path.lstrip("/")).exists(), f"gatepost(8) names {path}"
    for name in ("man5/gatepost.conf.5", "man1/gatepost-bench.1"):
        assert (target / PREFIX / "share/man" / name).stat().st_size > 1000, name


@case("the sample for a large site is valid where it was installed to, with the files that lie beside it")
def sample(directory):
    target = install(directory)
    program, folder = target / PREFIX / "sbin/gatepost", target / PREFIX / "share/gatepost"
    found = subprocess.run([program, "check-config", "--no-open", "-c", folder / "production.conf"], capture_output=True, text=True, check=False)
    equal((found.returncode, found.stderr), (0, ""), "production.conf")


@case("sysusers.d makes the user of the unit, and tmpfiles.d the folders that the unit, the log and the mail need, as that user's")
def folders(directory):
    if not IS_ROOT:
        raise Skip("only root may give folders away")
    target = install(directory)
    (target / "etc").mkdir(exist_ok=True)
    for name in ("passwd", "group"):
        (target / "etc" / name).write_text("root:x:0:0::/:/bin/sh\n" if name == "passwd" else "root:x:0:\n")
    lib = target / PREFIX / "lib"
    for program, arguments in (("systemd-sysusers", []), ("systemd-tmpfiles", ["--create"])):
        file = lib / f"{program.removeprefix('systemd-')}.d" / "gatepost.conf"
        subprocess.run([need_program(program), f"--root={target}", *arguments, file], check=True, capture_output=True)
    user = re.search(r"^gatepost:x:(\d+):(\d+):", (target / "etc/passwd").read_text(), re.M)
    assert user, (target / "etc/passwd").read_text()
    for line in (lib / "tmpfiles.d/gatepost.conf").read_text().splitlines():
        if line.startswith("d "):
            _, path, mode, _, _ = line.split()
            status = os.stat(target / path.lstrip("/"))
            equal((status.st_uid, status.st_gid, status.st_mode & 0o777), (int(user[1]), int(user[2]), int(mode, 8)), path)


if __name__ == "__main__":
    main()
