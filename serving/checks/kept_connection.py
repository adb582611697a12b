"""A call over REST on a connection that stays open, which is how most clients call."""

from __future__ import annotations

import http.client
import json
import urllib.parse
from typing import Any

import numpy as np

from serving.wire import tensors


class KeptConnection:
    """Sends one request again and again; each call returns the body of the reply.

    Args:
      url: of the server, `http://host:port`.
      request: the PredictRequest; it must have every input, as REST wants.
    """

    def __init__(self, url: str, request: Any) -> None:
        address = urllib.parse.urlsplit(url)
        self._connection = http.client.HTTPConnection(
            address.hostname or "", address.port, timeout=60
        )
        self._path = f"/v1/models/{request.model_spec.name}:predict"
        inputs = {name: _json(proto) for name, proto in request.inputs.items()}
        signature = request.model_spec.signature_name
        body = {"signature_name": signature, "inputs": inputs}
        self._body = json.dumps(body).encode()

    def __call__(self) -> bytes:
        self._connection.request("POST", self._path, self._body)
        reply = self._connection.getresponse()
        content = reply.read()
        if reply.status != 200:
            raise ValueError(
                f"REST should answer with status 200. Received: {reply.status}, "
                f"{content.decode(errors='replace')}"
            )
        return content

    def close(self) -> None:
        """Hangs up."""
        self._connection.close()


def _json(proto: Any) -> Any:
    array = tensors.to_array(proto)
    if array.dtype.kind == "O":
        array = np.char.decode(array.astype(bytes))
    return array.tolist()
