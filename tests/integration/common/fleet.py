"""redis-servers and sentinels of a test's own, and several gatepost servers that share them."""

import contextlib
import re
import subprocess

from common.harness import PATIENCE, SECONDS, Server, die_with_parent, free_port, is_listening, need_program, wait_for


class Redis:
    """A redis-server of ours that keeps what it was told. `options`: more of its command line."""

    def __init__(self, directory, port=None, options=()):
        self.directory, self.port, self.process, self.options = directory, port or free_port(), None, options
        self.endpoint = f"127.0.0.1:{self.port}"

    def arguments(self):
        return ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", self.directory, "--save", "", "--appendonly", "yes",
                "--appendfsync", "always", *self.options]

    def start(self):
        self.directory.mkdir(exist_ok=True)
        self.process = subprocess.Popen(
            [need_program("redis-server"), *self.arguments()],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=die_with_parent)
        wait_for("a listening redis-server", lambda: is_listening(self.port))
        return self

    def __enter__(self):
        return self.start()

    def __exit__(self, *ignored):
        self.kill()

    def kill(self):
        self.process.kill()
        self.process.wait()

    def ask(self, *words):
        """What it answers, as redis-cli prints it."""
        run = subprocess.run([need_program("redis-cli"), "-h", "127.0.0.1", "-p", str(self.port), *words], stdin=subprocess.DEVNULL,
                             capture_output=True, text=True, timeout=SECONDS)
        return run.stdout.strip()

    def role(self):
        return self.ask("ROLE").partition("\n")[0]

    def records(self):
        """The names of the records that it has."""
        return {name for name in self.ask("--raw", "KEYS", "gatepost:*").split() if re.fullmatch("gatepost:[0-9a-f]{32}", name)}


class Sentinel(Redis):
    """A redis-sentinel that watches the master `name`, which is at `master`; so many of them must agree that it is away."""

    def __init__(self, directory, master, name, quorum):
        super().__init__(directory)
        directory.mkdir()
        self.file = directory / "sentinel.conf"
        self.file.write_text(f"""port {self.port}
bind 127.0.0.1
dir {directory}
sentinel monitor {name} 127.0.0.1 {master.port} {quorum}
sentinel down-after-milliseconds {name} {max(3000, 700 * PATIENCE)}
sentinel failover-timeout {name} 5000
sentinel parallel-syncs {name} 1
""")

    def arguments(self):
        return [self.file, "--sentinel"]


def fleet(directory, count, options):
    """So many servers with the same options, not started."""
    servers = []
    for number in range(count):
        folder = directory / f"mx{number}"
        folder.mkdir()
        servers.append(Server(folder, options))
    return servers


@contextlib.contextmanager
def running(servers):
    with contextlib.ExitStack() as stack:
        for server in servers:
            stack.enter_context(server)
        yield servers


def wait_until_reachable(servers):
    """Until each server has said so once more than before."""
    for server in servers:
        wait_for("a connection to the store", lambda: "the store of senders answers" in server.stderr())
