#!/usr/bin/env python3
"""The Debian package, as far as it can be judged without making it: tests/on-debian --package does the rest."""

import fnmatch
import json
import re
import subprocess

from common.harness import PROGRAM, ROOT, case, equal, main, run_program

DEBIAN = ROOT / "conf/debian"


@case("it is built with the libraries that the build needs, and with no other")
def depends(directory):
    control = (DEBIAN / "control").read_text()
    listed = {name.split("(")[0].strip() for name in re.search(r"^Build-Depends: (.*?)^\S", control, re.M | re.S)[1].split(",")}
    needed = (ROOT / "conf/packages.debian").read_text().partition("@tests")[0]
    libraries = {word for word in re.findall(r"(?m)^([a-z0-9-]+)", needed) if word.endswith("-dev") and word != "libc6-dev"}
    equal({name for name in listed if name.endswith("-dev")}, libraries, "Build-Depends")


@case("each file that is installed is in one of the packages, but for those that debhelper puts where the release has them")
def whole(directory):
    run = subprocess.run(["meson", "introspect", "--installed", PROGRAM.parent], check=True, capture_output=True, text=True)
    files = [re.sub(r"^/usr/local/etc/", "/etc/", path) for path in json.loads(run.stdout).values()]
    files = [re.sub(r"^/usr/local/", "/usr/", path).lstrip("/") for path in files]
    rows = [row.split()[0] for name in ("gatepost", "gatepost-bench") for row in (DEBIAN / f"{name}.install").read_text().splitlines()]
    by_hand = re.findall(r"debian/tmp/(\S+/systemd/system/\S+)", (DEBIAN / "rules").read_text())
    left = [path for path in files if not any(fnmatch.fnmatch(path, row) or path.startswith(row + "/") for row in rows + by_hand)]
    equal(left, [], "in no package")
    unused = [row for row in rows if not row.startswith("debian/") and not any(path == row or path.startswith(row + "/") for path in files)]
    equal(unused, [], "installed by nobody")


@case("a fresh install serves loopback alone, has no domain, and names the folders that unit, tmpfiles.d and rotation know")
def fresh(directory):
    path = DEBIAN / "gatepost.conf"
    found = run_program("check-config", "--no-open", "-c", path)
    told = [line for line in found.stderr.splitlines() if "hostname" not in line]  # which is that of this machine
    equal((found.returncode, told), (0, []), "check-config")
    text = "\n".join(line for line in path.read_text().splitlines() if not line.startswith("#"))
    equal(re.findall(r"^listen = (.*)$", text, re.M), ['{"127.0.0.1:2525"}'], "listen")
    assert not re.search(r"^(domain|proxy_listen)\b", text, re.M), text
    tmpfiles = (ROOT / "conf/systemd/gatepost.tmpfiles.in").read_text().replace("@var@", "/var")
    for place in (re.search(r'^log = "(.*)/[^/]*"$', text, re.M)[1], re.search(r'^control = "(.*)/control"', text, re.M)[1],
                  re.search(r'"lmdb:(.*)/[^/]*"', text)[1]):
        assert f"d {place} " in tmpfiles, f"{place} is not in tmpfiles.d"


@case("a purge takes log, store and runtime folder away, mail never, and the folder of mail when it is empty")
def purge(directory):
    script = directory / "postrm"
    script.write_text((DEBIAN / "gatepost.postrm").read_text().replace(" /var/", f" {directory}/var/").replace(" /run/", f" {directory}/run/"))
    places = [directory / name for name in ("var/lib/gatepost", "var/log/gatepost", "run/gatepost", "var/mail/gatepost")]
    for mail in (True, False):
        for place in places:
            place.mkdir(parents=True, exist_ok=True)
            (place / "file").write_text("x")
        if not mail:
            (places[-1] / "file").unlink()
        subprocess.run(["sh", script, "remove"], check=True)
        assert all(place.exists() for place in places), "after remove"
        subprocess.run(["sh", script, "purge"], check=True)
        equal([place.exists() for place in places], [False, False, False, mail], f"after purge, mail {mail}")


@case("the version of the package is that of the program")
def version(directory):
    told = re.search(r"^base=\$\(sed -n (\"s/.*?\") meson.build\)$", (ROOT / "conf/build-package").read_text(), re.M)[1]
    found = subprocess.run(f"sed -n {told} meson.build", shell=True, cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()
    equal(run_program("--version").stdout, f"gatepost {found}\n", "version")


if __name__ == "__main__":
    main()
