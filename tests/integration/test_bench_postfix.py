#!/usr/bin/env python3
"""The bench's Postfix: it can be put together from Debian's package, answers as its scenarios say, and leaves nothing behind."""
# alone: it measures

import subprocess

from common.harness import IS_ROOT, PROGRAM, SANITIZE, Skip, case, equal, main

BENCH = PROGRAM.with_name("gatepost-bench")
SCENARIOS = ["refused-recipient", "bad-helo", "unknown-tld", "early-talker", "accepted-4k", "tls-refused"]


@case("the bench's Postfix answers as it should")
def quick(directory):
    if SANITIZE:
        raise Skip("says nothing about gatepost")
    if not IS_ROOT:
        raise Skip("Postfix starts as root only")
    fetched = subprocess.run([BENCH, "compare", "--install", "--peers", "postfix"], capture_output=True, text=True)
    if fetched.returncode != 0:
        raise Skip(fetched.stdout.strip().splitlines()[-1])
    command = [BENCH, "compare", "--quick", "--peers", "postfix", "--only", ",".join(SCENARIOS), "--work", directory]
    run = subprocess.run(command, capture_output=True, text=True)
    if "needs a cgroup" in run.stderr:
        raise Skip("no cgroup can be made")
    equal(run.returncode, 0, run.stderr)
    lines = run.stdout.splitlines()
    equal(lines[0], f"1..{len(SCENARIOS)}")
    equal(lines[1:], [f"ok {i} - postfix: {name}, 200 sessions" for i, name in enumerate(SCENARIOS, 1)])
    equal(list(directory.iterdir()), [])


if __name__ == "__main__":
    main()
