"""Debian's chromium by its own driver: a page, its text, and a picture of it."""

from __future__ import annotations

import base64
import json
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PROGRAMS = ("chromium", "chromedriver")

_FLAGS = (
    *("--headless=new", "--no-sandbox", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
    *("--enable-unsafe-swiftshader", "--hide-scrollbars", "--disable-dev-shm-usage"),
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
)
#: All text of a page, that of shadow roots and frames included.
_TEXT = """
function texts(node) {
  if (node.nodeType === Node.TEXT_NODE) return node.data;
  if (['STYLE', 'SCRIPT', 'TEMPLATE'].includes(node.nodeName)) return '';
  if (node.nodeName === 'IFRAME' && node.contentDocument)
    return texts(node.contentDocument.documentElement);
  const inside = node.shadowRoot
    ? [...node.shadowRoot.childNodes, ...node.childNodes] : [...node.childNodes];
  return inside.map(texts).join(' ');
}
return texts(document.documentElement);
"""


class Browser:
    """One window.

    Args:
      driver: the address of the driver.
      folder: of the profile, empty.
      width, height: of the window.
    """

    def __init__(self, driver: str, folder: Path, width: int, height: int) -> None:
        flags = [f"--user-data-dir={folder}", f"--window-size={width},{height}"]
        options = {"args": [*_FLAGS, *flags]}
        capabilities = {"alwaysMatch": {"goog:chromeOptions": options}}
        self._address = f"{driver}/session"
        session = self._ask("", {"capabilities": capabilities})
        self._address += f"/{session['sessionId']}"

    def open(self, address: str) -> None:
        """Goes to an address, whose fragment alone may be new."""
        self._ask("/url", {"url": "about:blank"})
        self._ask("/url", {"url": address})

    def run(self, script: str) -> Any:
        """What a script returns."""
        return self._ask("/execute/sync", {"script": script, "args": []})

    def wait_for(self, *texts: str, within_s: float = 120) -> str:
        """All text, words apart by one space, once every one of the texts is in it."""
        until = time.monotonic() + within_s
        while True:
            shown = " ".join(str(self.run(_TEXT)).split())
            missing = [text for text in texts if text not in shown]
            if not missing:
                return shown
            assert time.monotonic() < until, (missing, shown[:2000])
            time.sleep(0.5)

    def look(self, width: int, dark: bool, height: int = 860) -> None:
        """Sets the size of the page, and the colours that a person prefers."""
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._command("Emulation.setEmulatedMedia", features=[scheme])
        size = {"width": width, "height": height, "deviceScaleFactor": 1}
        phone = width < 600
        self._command("Emulation.setDeviceMetricsOverride", **size, mobile=phone)

    def turn_network_off(self) -> None:
        """Nothing that is opened afterwards gets an answer; files still open."""
        self._command("Network.enable")
        slow = {"latency": 0, "downloadThroughput": 0, "uploadThroughput": 0}
        self._command("Network.emulateNetworkConditions", offline=True, **slow)

    def picture(self, file: Path) -> None:
        """A PNG of at most 128 colours, which a repository can carry."""
        import io

        from PIL import Image

        png = base64.b64decode(self._ask("/screenshot"))
        with Image.open(io.BytesIO(png)) as shown:
            shown.convert("RGB").quantize(128).save(file, optimize=True)

    def _command(self, command: str, **parameters: Any) -> None:
        """One of Chrome's own."""
        self._ask("/goog/cdp/execute", {"cmd": command, "params": parameters})

    def close(self) -> None:
        """Ends the window."""
        self._ask("", method="DELETE")

    def _ask(self, path: str, content: Any = None, method: str | None = None) -> Any:
        data = None if content is None else json.dumps(content).encode()
        request = urllib.request.Request(self._address + path, data, method=method)
        with urllib.request.urlopen(request, timeout=120) as answer:
            return json.loads(answer.read())["value"]


@contextmanager
def browser(folder: Path, width: int = 1280, height: int = 860) -> Iterator[Browser]:
    """A window that is closed at the end."""
    driver = subprocess.Popen(
        ["chromedriver", "--port=0"], stdout=subprocess.PIPE, text=True
    )
    try:
        assert driver.stdout is not None
        started = "started successfully on port "
        line = next(line for line in driver.stdout if started in line)
        port = line.rpartition(started)[2].strip().rstrip(".")
        window = Browser(f"http://127.0.0.1:{port}", folder, width, height)
        try:
            yield window
        finally:
            window.close()
    finally:
        driver.terminate()
        driver.wait()
        if driver.stdout is not None:
            driver.stdout.close()
