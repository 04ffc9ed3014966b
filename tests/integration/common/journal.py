"""What waits in the journal of a server, as `gatepost journal list` tells it."""

from common.harness import equal, run_program, wait_for


def listed(server):
    run = run_program("journal", "list", "-c", str(server.directory / "gatepost.conf"))
    equal(run.returncode, 0, run.stderr)
    return run.stdout.splitlines()


def wait_until_empty(server):
    wait_for("an empty journal", lambda: not listed(server))
