"""A redis-server as a child, for tests of the store of senders."""

import subprocess

from harness import die_with_parent, free_port, is_listening, need_program, wait_for


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
