"""A redis-server of a test's own, and several gatepost servers that share it."""

import contextlib
import subprocess

from common.harness import Server, die_with_parent, free_port, is_listening, need_program, wait_for


class Redis:
    """A redis-server of ours that keeps what it was told."""

    def __init__(self, directory, port=None):
        self.directory, self.port, self.process = directory, port or free_port(), None

    def start(self):
        self.directory.mkdir(exist_ok=True)
        self.process = subprocess.Popen(
            [need_program("redis-server"), "--port", str(self.port), "--bind", "127.0.0.1", "--dir", self.directory, "--save", "",
             "--appendonly", "yes", "--appendfsync", "always"],
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
