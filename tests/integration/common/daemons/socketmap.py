"""A daemon for tests that knows recipients, and speaks socketmap as it is told to."""

import time

from common.daemons.listening import Daemon

ENDLESS, HALF, TWICE = object(), object(), object()  # in the place of an answer


def netstring(octets):
    return b"%d:%s," % (len(octets), octets)


class Socketmap(Daemon):
    """Listens on 127.0.0.1, or at `path`. `answers` has what is said of a key, such as {"alice@isp.example": "OK", "bob@isp.example":
    HANG, None: "TEMP later"}; None stands for all others, which are not found otherwise. bytes are sent as they are. Questions are
    in `asked`, as (map, key)."""

    def __init__(self, answers=None, port=0, path=None, delay=0):
        self.answers, self.asked, self.delay = dict(answers or {}), [], delay
        self.questions_max = 0  # of one connection, which is closed then; 0: any
        super().__init__(port, path)

    def count(self, key):
        return sum(1 for _, asked in list(self.asked) if asked == key)

    def say(self, connection, said):
        self.obey(said)
        if said is ENDLESS:
            while not self.is_over.is_set():
                connection.wfile.write(b"4")
        if said is HALF:
            connection.wfile.write(b"25:OK half of an ans")
            raise StopIteration
        if said is TWICE:
            said = netstring(b"OK ") * 2
        connection.wfile.write(said if isinstance(said, bytes) else netstring(said.encode() + (b"" if " " in said else b" ")))

    def serve(self, connection):
        questions = 0
        while True:
            length = b""
            while (octet := connection.rfile.read(1)) != b":":
                if not octet:
                    return
                length += octet
            name, _, key = connection.rfile.read(int(length)).partition(b" ")
            assert connection.rfile.read(1) == b",", (length, name, key)
            self.asked.append((name.decode(), key.decode()))
            if self.delay:
                time.sleep(self.delay)
            self.say(connection, self.answers.get(key.decode(), self.answers.get(None, "NOTFOUND")))
            questions += 1
            if questions == self.questions_max:
                return
