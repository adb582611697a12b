"""TensorBoard itself, asked over its HTTP interface without a socket."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tensorboard import program
from tensorboard.backend.application import TensorBoardWSGIApp
from tensorboard.backend.event_processing.data_ingester import LocalDataIngester
from werkzeug.test import Client


class Asked:
    """TensorBoard's application over a folder of runs, loaded once."""

    def __init__(self, folder: Path) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # TensorBoard imports pkg_resources
            from tensorboard import default
        board = program.TensorBoard(plugins=default.get_plugins())
        board.configure([None, "--logdir", str(folder)])
        ingester = LocalDataIngester(board.flags)
        runs = ingester.deprecated_multiplexer
        runs.AddRunsFromDirectory(str(folder))
        runs.Reload()
        loaders, assets = board.plugin_loaders, board.assets_zip_provider
        self._client = Client(
            TensorBoardWSGIApp(
                board.flags, loaders, ingester.data_provider, assets, runs
            )
        )

    def get(self, path: str, **arguments: str) -> Any:
        """The JSON that TensorBoard answers under `/data/`."""
        return json.loads(self.raw(path, **arguments).decode())

    def raw(self, path: str, **arguments: str) -> bytes:
        """The bytes of an answer."""
        answer = self._client.get(f"/data/{path}?{urlencode(arguments)}")
        assert answer.status_code == 200, answer.get_data(as_text=True)
        return bytes(answer.get_data())

    def post(self, path: str, content: Any) -> Any:
        """The JSON that answers JSON."""
        return self._client.post(f"/data/{path}", json=content).get_json(force=True)

    def sessions(self) -> list[Any]:
        """The session groups of HParams."""
        asked = {
            "experimentName": "",
            "allowedStatuses": ["STATUS_SUCCESS", "STATUS_FAILURE", "STATUS_UNKNOWN"],
            "colParams": [],
            "startIndex": 0,
            "sliceSize": 1000,
        }
        answer = self.post("plugin/hparams/session_groups", asked)
        return list(answer["sessionGroups"])

    def scalars(self, run: str, tag: str) -> dict[int, float]:
        """Values by step."""
        points = self.get("plugin/scalars/scalars", run=run, tag=tag)
        return {step: value for _, step, value in points}
