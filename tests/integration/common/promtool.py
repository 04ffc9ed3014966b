"""promtool of Prometheus. It has no package of its own in Debian 12, and that of Prometheus starts a server where it is installed;
so the program alone is taken out of its package."""

import os
import pathlib
import shutil
import subprocess

from common.harness import ROOT, Skip

FOLDER = ROOT / "var/promtool"


def unpack():
    """Once, for all later runs."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    scratch = FOLDER / str(os.getpid())
    scratch.mkdir()
    try:
        download = "apt-get -q -o APT::Sandbox::User=root download"
        command = f"({download} promtool || {download} prometheus) && dpkg-deb -x *.deb ."
        if subprocess.run(["sh", "-c", command], cwd=scratch, capture_output=True, check=False).returncode != 0:
            raise Skip("no promtool, and it cannot be downloaded")
        os.replace(scratch / "usr/bin/promtool", FOLDER / "promtool")
    finally:
        shutil.rmtree(scratch)


def promtool(*arguments, text=""):
    """Runs it, and gives what it says where it does not exit with 0."""
    program = shutil.which("promtool") or FOLDER / "promtool"
    if not pathlib.Path(program).exists():
        if shutil.which("apt-get") is None:
            raise Skip("no promtool")
        unpack()
    run = subprocess.run([program, *arguments], input=text, capture_output=True, text=True, check=False)
    return "" if run.returncode == 0 else run.stdout + run.stderr or f"status {run.returncode}"
