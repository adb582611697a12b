"""Pushes a whole version or none: copied beside, compared, then renamed."""

from __future__ import annotations

import filecmp
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from tfx.components import Pusher
from tfx.components.pusher import executor
from tfx.dsl.components.base.executor_spec import ExecutorClassSpec
from tfx.dsl.io import fileio
from tfx.proto import pusher_pb2
from tfx.types import Artifact, standard_component_specs
from tfx.utils import io_utils, proto_utils

from tfx_pipeline import model_card
from tfx_pipeline.addresses import is_local
from uvcan_tf.errors import UvcanError

#: A folder whose name starts so is being written; no model server looks at it.
INCOMPLETE = ".incomplete-"

_MODEL = "saved_model.pb"


class PushError(UvcanError):
    """The copy of a model is not the model."""


class Executor(executor.Executor):
    """TFX's executor, with one last step that happens as a whole or not at all."""

    def Do(
        self,
        input_dict: dict[str, list[Artifact]],
        output_dict: dict[str, list[Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Pushes the model if it was blessed."""
        content = exec_properties[standard_component_specs.PUSH_DESTINATION_KEY]
        destination = pusher_pb2.PushDestination()
        proto_utils.json_to_proto(content, destination)
        base = destination.filesystem.base_directory
        if not is_local(base) or not self.CheckBlessing(input_dict):
            super().Do(input_dict, output_dict, exec_properties)
            return
        (pushed,) = output_dict[standard_component_specs.PUSHED_MODEL_KEY]
        model = self.GetModelPath(input_dict)
        blessings = input_dict.get(standard_component_specs.MODEL_BLESSING_KEY)
        evaluated = _Evaluated.by(blessings[0]) if blessings else None
        io_utils.copy_dir(model, pushed.uri)
        version = push(Path(model), Path(base), evaluated)
        self._MarkPushed(pushed, str(version), version.name)


class _Evaluated(NamedTuple):
    """What the card tells of how a model was found: the Evaluator's own folder."""

    folder: Path
    baseline: str

    @classmethod
    def by(cls, blessing: Artifact) -> _Evaluated:
        """The evaluation lies beside the blessing, under the same number."""
        place = Path(blessing.uri)
        baseline = blessing.get_string_custom_property("baseline_model")
        return cls(place.parents[1] / "evaluation" / place.name, baseline)


class WholePusher(Pusher):
    """The stock component with the executor above."""

    EXECUTOR_SPEC = ExecutorClassSpec(Executor)


def push(model: Path, base: Path, evaluated: _Evaluated | None = None) -> Path:
    """Gives the base path a new version that holds the model; returns its folder.

    A run that was killed after its push finds the model in the newest version, and
    pushes it no second time. Only the card of a version tells more than the model's.

    Raises:
      PushError: what was copied is not what was to be copied.
    """
    base.mkdir(parents=True, exist_ok=True)
    for left_behind in base.glob(f"{INCOMPLETE}*"):
        shutil.rmtree(left_behind)
    newest = newest_version(base)
    if newest is not None and is_same(model, newest):
        return newest
    taken = [int(path.name) for path in base.iterdir() if path.name.isdigit()]
    version = base / str(max(int(time.time()), *(number + 1 for number in taken), 0))
    partial = base / f"{INCOMPLETE}{version.name}"
    try:
        shutil.copytree(model, partial)
        if not is_same(model, partial):
            raise PushError(
                f"The copy of {model} should hold the same bytes. Received: other "
                f"ones in {partial}. Check the disk, then run again."
            )
        if evaluated is not None:
            model_card.add_evaluation(partial, *evaluated)
        _write_out(partial)
        partial.rename(version)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    _write_out(base)
    return version


def newest_version(base: Path) -> Path | None:
    """The version that a model server takes: the largest number with a whole model."""
    return next(map(Path, pushed_versions(str(base))), None)


def pushed_versions(base: str) -> Iterator[str]:
    """The whole versions of a folder or an address, the newest first."""
    names = fileio.listdir(base) if fileio.exists(base) else []
    numbers = sorted((n for n in (n.strip("/") for n in names) if n.isdigit()), key=int)
    for number in reversed(numbers):
        if is_whole(f"{base}/{number}"):
            yield f"{base}/{number}"


def is_whole(version: str | Path) -> bool:
    """Whether a folder can be a version, by the rule of the embedded server."""
    variables = f"{version}/variables"
    cut_off = fileio.isdir(variables) and not _is_file(f"{variables}/variables.index")
    return _is_file(f"{version}/{_MODEL}") and not cut_off


def _is_file(address: str) -> bool:
    return fileio.exists(address) and not fileio.isdir(address)


def is_same(one: Path, other: Path) -> bool:
    """Whether two folders hold the same files with the same bytes."""
    names = _files(one)
    if names != _files(other):
        return False
    _, different, unread = filecmp.cmpfiles(one, other, names, shallow=False)
    return not different and not unread


def _files(folder: Path) -> list[str]:
    names = (
        str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()
    )
    return sorted(name for name in names if name != model_card.CARD)


def _write_out(folder: Path) -> None:
    """Waits until the disk has everything, so that no power cut takes it back."""
    for path in (folder, *folder.rglob("*")):
        number = os.open(path, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)
