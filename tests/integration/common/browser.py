"""Chromium without a window, spoken to by its developer protocol over two pipes: no port, no library."""

import base64
import json
import os
import signal
import subprocess
import threading

from common.harness import SECONDS, need_program


class Browser:
    """One tab. Its profile lies in a folder of the test's."""

    def __init__(self, directory):
        program = need_program("chromium")
        to_browser, self._out = os.pipe()
        self._in, from_browser = os.pipe()
        # It reads from descriptor 3 and writes to 4: a shell puts them there, whatever they are here.
        command = [program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
                   "--disable-background-networking", "--disable-component-update", "--remote-debugging-pipe",
                   f"--user-data-dir={directory}/browser", "about:blank"]
        self._process = subprocess.Popen(["/bin/bash", "-c", f'exec "$@" 3<&{to_browser} 4>&{from_browser}', "bash", *command],
                                         pass_fds=(to_browser, from_browser), stdin=subprocess.DEVNULL,
                                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        os.close(to_browser)
        os.close(from_browser)
        self._number, self._session, self._rest = 0, None, b""
        self.events = []  # (method, parameters) of all that was told unasked
        self._timer = threading.Timer(12 * SECONDS, self._end)
        self._timer.start()
        targets = self.call("Target.getTargets")["targetInfos"]
        target = next(info["targetId"] for info in targets if info["type"] == "page")
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.call("Page.enable")

    def _end(self):
        """It has children, in a group of their own."""
        os.killpg(self._process.pid, signal.SIGKILL)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._timer.cancel()
        self._end()
        self._process.wait()
        os.close(self._out)
        os.close(self._in)

    def _message(self):
        while b"\0" not in self._rest:
            octets = os.read(self._in, 1 << 20)
            assert octets, "the browser has ended"
            self._rest += octets
        message, self._rest = self._rest.split(b"\0", 1)
        return json.loads(message)

    def _take(self):
        message = self._message()
        if "method" in message:
            self.events.append((message["method"], message.get("params", {})))
        return message

    def call(self, method, **parameters):
        """What the browser answers; events meanwhile are kept."""
        self._number += 1
        request = {"id": self._number, "method": method, "params": parameters}
        if self._session is not None:
            request["sessionId"] = self._session
        octets = json.dumps(request).encode() + b"\0"
        while octets:
            octets = octets[os.write(self._out, octets):]
        while True:
            message = self._take()
            if message.get("id") == self._number:
                assert "error" not in message, (method, message)
                return message["result"]

    def evaluate(self, expression):
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def show(self, path, width=1280, height=900, **features):
        """Opens a file in a window of this size; features are those of media, such as color_scheme="dark"."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600)
        self.call("Emulation.setEmulatedMedia", media="", features=[
            {"name": "prefers-" + name.replace("_", "-"), "value": value} for name, value in features.items()])
        begin = len(self.events)
        answer = self.call("Page.navigate", url=path if "://" in str(path) else f"file://{path}")
        # Within a document nothing is loaded.
        while "loaderId" in answer and not any(method == "Page.loadEventFired" for method, _ in self.events[begin:]):
            self._take()

    def shoot(self, path):
        """A picture of the whole page, below the window too, for whoever wants to look."""
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", captureBeyondViewport=True)["data"]))

    def tree(self):
        """The accessibility tree as (role, name, properties), in the order in which it is read aloud."""
        nodes = self.call("Accessibility.getFullAXTree")["nodes"]
        return [(node["role"]["value"], node.get("name", {}).get("value", ""),
                 {one["name"]: one["value"].get("value") for one in node.get("properties", [])})
                for node in nodes if not node.get("ignored") and "role" in node]
