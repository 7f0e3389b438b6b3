"""A headless Chromium driven over a pipe, for tests of pages: needs the browser alone."""

import base64
import fcntl
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import cv2
import numpy as np
import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--no-first-run",
    "--disable-gpu",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-quic",
    "--hide-scrollbars",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-pipe",
]
TIMEOUT = 30.0


class Page:
    """One tab.

    Args:
        commands: where commands go.
        answers: where answers and events come from.
    """

    def __init__(self, commands: int, answers: int) -> None:
        self._commands, self._answers = commands, answers
        self._number, self._rest, self._session = 0, b"", ""
        self.events: list[dict[str, Any]] = []
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        attached = self.ask("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.ask(f"{domain}.enable")
        self.ask(
            "Network.emulateNetworkConditions",
            offline=True,
            latency=0,
            downloadThroughput=0,
            uploadThroughput=0,
        )
        self.resize(900, 500)

    def ask(self, method: str, **params: Any) -> dict[str, Any]:
        """Send a command and wait for its answer."""
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._read()
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                return answer["result"]
            self.events.append(answer)

    def resize(self, width: int, height: int, mobile: bool = False) -> None:
        """Give the tab so many pixels, as a phone or not."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": mobile}
        self.ask("Emulation.setDeviceMetricsOverride", **size)

    def run(self, code: str) -> Any:
        """The value of a JavaScript expression."""
        answer = self.ask("Runtime.evaluate", expression=code, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def open(self, address: str, ready: str) -> None:
        """Go to an address and wait until an expression holds."""
        self.ask("Page.navigate", url=address)
        self.wait(ready)

    def wait(self, condition: str) -> None:
        """Wait until an expression holds."""
        end = time.monotonic() + TIMEOUT
        while not self.run(condition):
            assert time.monotonic() < end, f"never: {condition}"
            time.sleep(0.05)

    def frame(self) -> None:
        """Wait until what was asked for is drawn."""
        self.run(
            "window.__drawn = 0; requestAnimationFrame(() => requestAnimationFrame(() => "
            "{ window.__drawn = 1 }))"
        )
        self.wait("window.__drawn === 1")

    def picture(self) -> np.ndarray:
        """What the tab shows, (H, W, 3) RGB."""
        self.frame()
        data = base64.b64decode(self.ask("Page.captureScreenshot", format="png")["data"])
        return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]

    def drag(self, start: tuple[float, float], end: tuple[float, float], shift: bool = False):
        """Press, move and release the mouse; from a place to itself it is a click."""
        common = {"button": "left", "clickCount": 1, "modifiers": 8 if shift else 0}
        steps = (("mousePressed", start, 1), ("mouseMoved", end, 1), ("mouseReleased", end, 0))
        for kind, (x, y), buttons in steps if start != end else (steps[0], steps[2]):
            self.ask("Input.dispatchMouseEvent", type=kind, x=x, y=y, buttons=buttons, **common)

    def key(self, key: str, shift: bool = False) -> None:
        """Press and release a key."""
        for kind in ("keyDown", "keyUp"):
            text = {"text": key} if len(key) == 1 and kind == "keyDown" else {}
            modifiers = 8 if shift else 0
            self.ask("Input.dispatchKeyEvent", type=kind, key=key, modifiers=modifiers, **text)

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            part = os.read(self._answers, 1 << 16)
            assert part, "the browser has gone"
            self._rest += part
        message, _, self._rest = self._rest.partition(b"\0")
        return json.loads(message)


def _pipe() -> list[int]:
    """A pipe whose ends are out of the way of descriptors 3 and 4."""
    ends = os.pipe()
    high = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in ends]
    for end in ends:
        os.close(end)
    return high


@contextmanager
def browser(*flags: str) -> Iterator[Page]:
    """Start a browser and end it again; the test is skipped where there is none."""
    program = next((p for p in map(shutil.which, NAMES) if p), None)
    if program is None:
        pytest.skip(f"needs a browser: one of {', '.join(NAMES)}")
    to_browser, commands = _pipe()
    answers, from_browser = _pipe()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        # The browser reads descriptor 3 and writes descriptor 4.
        script = f'exec "$@" 3<&{to_browser} 4>&{from_browser}'
        words = [
            "bash",
            "-c",
            script,
            "bash",
            program,
            *FLAGS,
            *flags,
            f"--user-data-dir={profile}",
        ]
        process = subprocess.Popen(
            words,
            pass_fds=(to_browser, from_browser),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for end in (to_browser, from_browser):
            os.close(end)
        try:
            yield Page(commands, answers)
        finally:
            os.close(commands)  # at which the browser ends by itself
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            os.close(answers)
