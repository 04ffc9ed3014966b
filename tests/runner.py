"""Builds, runs meson's tests, tests/style and tests/integration, and counts. Called by tests/run."""

import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDERS = {None: "build", "address": "build-asan", "thread": "build-tsan"}
SETUP = {None: [], "address": ["-Db_sanitize=address,undefined", "--optimization=2"],
         "thread": ["-Db_sanitize=thread", "--optimization=2"]}
JOBS = str(os.cpu_count() or 1)
LANES = 3
# A program of one thread has nothing that ThreadSanitizer could find.
OF_ONE_THREAD = {"dialogue", "fuzz"}
# So many lines of why a test failed stand at the end.
SAID_AGAIN = 40
# A hanging file of integration tests ends after this.
SECONDS = 600


def say(text):
    print(text, flush=True)


def comments_around(output, start, end):
    """Why a case failed, in lines: our own tests say it before the result, others after it."""
    before = re.search(r"(?:^#.*\n)*\Z", output[:start], re.M)[0]
    after = re.match(r"\n?((?:#.*\n)*)", output[end:])[1]
    return [*before.splitlines()[-SAID_AGAIN:], *after.splitlines()[:SAID_AGAIN]]


class Count:
    def __init__(self):
        self.passed, self.failures, self.skipped = 0, [], []

    def add_tap(self, program, output, status, errors=""):
        """Counts TAP lines; without any the exit status is the result. A plan that was not kept is a failure, which `errors` tell of."""
        planned = re.search(r"^1\.\.(\d+)", output, re.M)
        results = list(re.finditer(r"^(not ok|ok)\b(.*)$", output, re.M))
        for found in results:
            result, rest = found.groups()
            if "# SKIP" in rest:
                self.skipped.append(program + rest)
            elif result == "ok":
                self.passed += 1
            else:
                self.fail(program + rest, comments_around(output, *found.span()))
        broken = planned is not None and int(planned[1]) != len(results)
        if broken or status != 0 and "not ok" not in (found[1] for found in results):
            self.fail(f"{program} (status {status}, {len(results)} results)", (output + errors).splitlines()[-SAID_AGAIN:])
        elif not results and planned is None:
            self.passed += 1

    def fail(self, what, why=()):
        """`why`: lines. The end of a long output is what people read; they stand there."""
        self.failures.append("\n".join([what, *why]))

    def finish(self, began):
        for name in self.skipped:
            say(f"skipped: {name}")
        for name in self.failures:
            say(f"FAILED: {name}")
        say(f"{time.monotonic() - began:.0f} s")
        say(f"{self.passed} passed, {len(self.failures)} failed")
        return 0 if self.passed and not self.failures else 1


def sanitizer_environment(reports):
    options = f"log_path={reports}/report"
    return dict(os.environ, ASAN_OPTIONS=f"{options}:detect_leaks=1", UBSAN_OPTIONS=f"{options}:print_stacktrace=1",
                TSAN_OPTIONS=f"{options}:second_deadlock_stack=1:{os.environ.get('TSAN_OPTIONS', '')}")


def build(folder, sanitize):
    # Again each time: test libraries may have come since.
    again = ["--reconfigure"] if (folder / "build.ninja").exists() else []
    subprocess.run(["meson", "setup", *again, folder, *SETUP[sanitize]], cwd=ROOT, check=True)
    subprocess.run(["ninja", "-C", folder], cwd=ROOT, check=True)


def meson_names(folder, only, sanitize):
    """One for each test that meson will run: of those that share a name it runs all."""
    left_out = OF_ONE_THREAD if sanitize == "thread" else set()
    listing = subprocess.run(["meson", "introspect", "--tests", folder], capture_output=True, text=True, check=True)
    tests = json.loads(listing.stdout)
    wanted = {test["name"] for test in tests if only.search(f"{' '.join(test['suite'])} {test['name']}")
              and not left_out & {suite.partition(":")[2] for suite in test["suite"]}}
    return [test["name"] for test in tests if test["name"] in wanted]


def run_meson(folder, options, environment, count):
    names = meson_names(folder, options.only, options.sanitize)
    if not names:
        return
    log = folder / "meson-logs/testlog.json"
    log.unlink(missing_ok=True)
    # A name that is given twice is run twice, and then meson gives up before the last results.
    subprocess.run(["meson", "test", "-C", folder, "--no-rebuild", "--print-errorlogs", "--num-processes", JOBS,
                    "--timeout-multiplier", "4", *sorted(set(names))], cwd=ROOT, env=environment)
    tests = [json.loads(line) for line in log.read_text().splitlines()]
    for test in tests:
        count.add_tap(test["name"], test["stdout"], 0 if test["result"] == "OK" else test["returncode"] or 1, test.get("stderr", ""))
    if len(tests) != len(names):
        count.fail(f"meson test ({len(tests)} results of {len(names)} tests)")


def run_tap(path, environment, count):
    """Shows the output when it is over."""
    name = str(path.relative_to(ROOT))
    command = ["timeout", "-k", "5", str(SECONDS), sys.executable, "-B", path]
    run = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    say(f"== {name}\n{run.stdout}")
    count.add_tap(name, run.stdout, run.returncode)


def says(path, what):
    """At its beginning a file may say `# alone: REASON`, because it measures, loads the machine, or uses what there is one of;
    or `# threads elsewhere: REASON`, because what it tests has one thread, or those that other files test."""
    return f"\n# {what}: " in path.read_text()[:2000]


def run_taps(paths, environment, count):
    """Most of the time they wait; so those that may run beside each other do, some at a time."""
    with concurrent.futures.ThreadPoolExecutor(LANES) as lanes:
        beside = [path for path in paths if not says(path, "alone")]
        for run in [lanes.submit(run_tap, path, environment, count) for path in beside]:
            run.result()
    for path in paths:
        if path not in beside:
            run_tap(path, environment, count)


def run_all(options, count):
    folder = ROOT / FOLDERS[options.sanitize]
    build(folder, options.sanitize)
    reports = folder / "sanitizer-reports"
    shutil.rmtree(reports, ignore_errors=True)
    reports.mkdir()
    environment = sanitizer_environment(reports) if options.sanitize else dict(os.environ)
    environment |= {"GATEPOST": str(folder / "gatepost"), "GATEPOST_SANITIZE": options.sanitize or "",
                    "PYTHONPATH": str(ROOT / "tests/integration")}
    run_meson(folder, options, environment, count)
    paths = sorted((ROOT / "tests/integration").rglob("test_*.py"))
    if options.sanitize == "thread":
        paths = [path for path in paths if not says(path, "threads elsewhere")]
    if options.sanitize is None:
        paths.insert(0, ROOT / "tests/style")
    run_taps([path for path in paths if options.only.search(str(path.relative_to(ROOT)))], environment, count)
    for report in reports.iterdir():
        count.fail(f"sanitizer: {report.name}", [report.read_text(errors="replace")[:8000]])


def main():
    parser = argparse.ArgumentParser(prog="tests/run")
    parser.add_argument("--sanitize", choices=["address", "thread"])
    parser.add_argument("--only", type=re.compile, default=re.compile(""), metavar="PATTERN")
    options = parser.parse_args()
    count = Count()
    began = time.monotonic()
    try:
        run_all(options, count)
    except (OSError, subprocess.CalledProcessError) as error:
        count.fail(str(error))
    return count.finish(began)


if __name__ == "__main__":
    sys.exit(main())
