"""A policy service for tests, which speaks Postfix's protocol of policy delegation and answers as it is told to."""

import time

from common.daemons.listening import Daemon

HALF = object()  # in the place of an answer


def action(text):
    return f"action={text}\n\n".encode()


class PolicyService(Daemon):
    """Listens on 127.0.0.1, or at `path`. `answers` has octets for the local part of a recipient, or for END at the end of a text, or for "";
    or GO_AWAY, HANG, HALF, a number of seconds to wait before a DUNNO, or a function of the attributes. What it was asked is in `asked`, as dicts."""

    def __init__(self, port=0, path=None, answers_each=1 << 30):
        self.answers, self.asked, self.answers_each = {}, [], answers_each
        super().__init__(port, path)

    def section(self, name="service", options=""):
        return f'policy_service "{name}" {{ connect = "{self.address}" {options} }}\n'

    def serve(self, connection):
        for _ in range(self.answers_each):
            attributes = {}
            while (line := connection.rfile.readline()) not in (b"\n", b""):
                name, _, value = line[:-1].decode().partition("=")
                attributes[name] = value
            if not line:
                return
            self.asked.append(attributes)
            self.answer(connection, attributes)

    def answer(self, connection, attributes):
        about = attributes["recipient"].split("@")[0] if attributes["protocol_state"] == "RCPT" else "END"
        said = self.answers.get(about, self.answers.get("", action("DUNNO")))
        if callable(said):
            said = said(attributes)
        if isinstance(said, (int, float)):
            time.sleep(said)
            said = action("DUNNO")
        self.obey(said)
        if said is HALF:
            connection.wfile.write(b"action=DUN")
            raise StopIteration
        connection.wfile.write(said)
