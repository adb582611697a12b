"""A REST case: a path and a JSON document, and the answer that TF Serving gives."""

from __future__ import annotations

import dataclasses
import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any, Final

OK: Final = 200


@dataclasses.dataclass(frozen=True)
class RestCase:
    """One HTTP call and its only right answer.

    Args:
      name: a claim, unique in the suite.
      path: after the host.
      document: posted as JSON, bytes as they are; None makes it a GET.
      reply: the whole reply, parsed; any when None.
      code: the HTTP status.
      has: what the `error` of a refusal contains, or the text of any other reply.
      headers: of the request.
    """

    name: str
    path: str
    document: Any = None
    reply: Any = None
    code: int = OK
    has: str = ""
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def run(self, url: str, timeout_s: float = 10.0) -> str | None:
        """Makes the call; None when the answer is right, else what differs."""
        code, text = self._ask(url, timeout_s)
        if code != self.code:
            return f"status {code} ({text}), expected {self.code}"
        if self.reply is not None and json.loads(text) != self.reply:
            return f"reply {text}, expected {json.dumps(self.reply)}"
        if self.has not in self._told(text):
            return f"reply {text}, expected it to have {self.has!r}"
        return None

    def _told(self, text: str) -> str:
        if self.code == OK or not text.startswith("{"):
            return text
        return str(json.loads(text)["error"])

    def _ask(self, url: str, timeout_s: float) -> tuple[int, str]:
        body = self.document
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        request = urllib.request.Request(url + self.path, body, dict(self.headers))
        try:
            with urllib.request.urlopen(request, timeout=timeout_s) as reply:
                return int(reply.status), reply.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()
