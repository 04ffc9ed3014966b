"""A Redis or a sentinel for tests that says what it is told to, true or not."""

from common.daemons.listening import Daemon


def bulk(text):
    return b"$%d\r\n%s\r\n" % (len(text), text.encode())


def master_at(host, port):
    """What a sentinel says of a master."""
    return b"*2\r\n" + bulk(host) + bulk(str(port))


class FakeRedis(Daemon):
    """`answers` has what is said to a command by its first word in capitals, such as {"SENTINEL": master_at("127.0.0.1", 6379)}: octets,
    HANG or GO_AWAY; None stands for all others. `greeting`: what is said before anything was asked. Commands are in `asked`."""

    def __init__(self, answers, greeting=b""):
        self.answers, self.greeting, self.asked = dict(answers), greeting, []
        super().__init__()
        self.port = self.listener.server_address[1]

    def serve(self, connection):
        connection.wfile.write(self.greeting)
        while line := connection.rfile.readline():
            words = []
            for _ in range(int(line[1:])):
                length = int(connection.rfile.readline()[1:])
                words.append(connection.rfile.read(length + 2)[:-2].decode(errors="replace"))
            self.asked.append(words)
            said = self.answers.get(words[0].upper(), self.answers.get(None, b"-ERR unknown command\r\n"))
            self.obey(said)
            connection.wfile.write(said)
