"""A wire case: a request as text, and the answer that TF Serving gives."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

import grpc
from google.protobuf import text_format

from serving.wire.services import METHODS


@dataclasses.dataclass(frozen=True)
class Case:
    """One call and its only right answer.

    Args:
      name: a claim, unique in the suite.
      call: a method of either service, or a whole path for raw bytes.
      request: a text proto; for a whole path, the bytes to send.
      reply: the text proto of the reply; any when None.
      has: patterns that the reply's text must contain, where it is not told whole.
      code: the status.
      message: the status message; None takes any.
      pattern: a regular expression for it, where it names nodes of a graph.
    """

    name: str
    call: str
    request: str | bytes
    reply: str | None = None
    has: tuple[str, ...] = ()
    code: grpc.StatusCode = grpc.StatusCode.OK
    message: str | None = None
    pattern: str | None = None

    def run(self, channel: grpc.Channel, timeout_s: float = 10.0) -> str | None:
        """Makes the call; None when the answer is right, else what differs."""
        path, content, reply_type = self.wire()
        try:
            answer = channel.unary_unary(path)(content, timeout=timeout_s)
        except grpc.RpcError as error:
            return self._differs(error.code(), error.details() or "")
        if self.code != grpc.StatusCode.OK:
            return f"status OK, expected {self.code.name}"
        return self._reply_differs(reply_type.FromString(answer), reply_type)

    def wire(self) -> tuple[str, bytes, Any]:
        """Path, content and reply type of the call."""
        if isinstance(self.request, bytes):
            return self.call, self.request, None
        method = METHODS[self.call]
        request = text_format.Parse(self.request, method.request())
        return method.path, request.SerializeToString(), method.reply

    def _differs(self, code: grpc.StatusCode, message: str) -> str | None:
        if code != self.code:
            return f"status {code.name} ({message}), expected {self.code.name}"
        if self.message is not None and message != self.message:
            return f"message {message!r}, expected {self.message!r}"
        if self.pattern is not None and not re.fullmatch(self.pattern, message, re.S):
            return f"message {message!r}, expected the pattern {self.pattern!r}"
        return None

    def _reply_differs(self, found: Any, reply_type: Any) -> str | None:
        text = text_format.MessageToString(found, as_one_line=True)
        if self.reply is not None:
            expected = text_format.Parse(self.reply, reply_type())
            if found.SerializeToString(
                deterministic=True
            ) != expected.SerializeToString(deterministic=True):
                wanted = text_format.MessageToString(expected, as_one_line=True)
                return f"reply {text}, expected {wanted}"
        for part in self.has:
            if not re.search(part, text):
                return f"reply {text}, expected it to have {part!r}"
        return None


def spec(name: str = "", more: str = "", signature: str = "") -> str:
    """A model_spec."""
    signed = f'signature_name: "{signature}"' if signature else ""
    named = f'name: "{name}"' if name else ""
    return f"model_spec {{ {named} {more} {signed} }}"


def served(name: str, version: int, signature: str = "") -> str:
    """The model_spec that a reply carries."""
    return spec(name, f"version {{ value: {version} }}", signature)


def tensor(key: str, dtype: str, shape: list[int], values: str, to: str = "") -> str:
    """One entry of `inputs`, or of `outputs` when `to` says so."""
    sizes = " ".join(f"dim {{ size: {size} }}" for size in shape)
    return (
        f'{to or "inputs"} {{ key: "{key}" value {{ dtype: {dtype} '
        f"tensor_shape {{ {sizes} }} {values} }} }}"
    )
