"""What the container of a step runs: TFX's entry point, with what it needs.

Kubeflow's driver names no types of input artifacts, and its launcher copies artifacts
between the store and local folders. Here types come from the command's own description
of the inputs, and addresses become those folders, until the outputs are described.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import click

from tfx_pipeline import failures
from tfx_pipeline.platforms import parameters
from tfx_pipeline.platforms.artifacts import SHOWN
from tfx_pipeline.platforms.last_blessed import ABSENT
from tfx_pipeline.platforms.settings import KUBEFLOW, PLATFORMS
from tfx_pipeline.quick_imports import quick_imports

#: Where Kubeflow's launcher keeps the artifacts of each kind of store.
_COPIES: Final = {"gs://": "gcs", "s3://": "s3", "minio://": "minio"}

#: The folder that holds those folders: the root of the container's file system.
_COPIES_IN: Final = "UVCAN_COPIES_IN"

Json = dict[str, Any]


def main(arguments: list[str]) -> None:
    """Runs the executor that the command names."""
    parser = argparse.ArgumentParser(prog="python -m tfx_pipeline.platforms.step")
    parser.add_argument("--platform", choices=PLATFORMS, required=True)
    parser.add_argument("--executor_class_path", required=True)
    parser.add_argument("--json_serialized_invocation_args", required=True)
    parser.add_argument("--json_serialized_inputs_spec_args", required=True)
    known, beam = parser.parse_known_args(arguments)
    content = json.loads(known.json_serialized_invocation_args)
    described = json.loads(known.json_serialized_inputs_spec_args)
    with _one_sentence(content):
        addresses = _prepare(content, described, known.platform == KUBEFLOW)
        known.json_serialized_invocation_args = json.dumps(content)
        with quick_imports():
            from tfx.orchestration.kubeflow.v2.container import kubeflow_v2_run_executor

            from uvcan_tf.beam_workers import watched
        with watched():
            kubeflow_v2_run_executor.main((known, beam))
        _describe(Path(content["outputs"]["outputFile"]), addresses)


@contextlib.contextmanager
def _one_sentence(content: Json) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # shown as one sentence, below its traceback
        logging.getLogger(__name__).exception("The step has stopped.")
        output = Path(content["outputs"]["outputFile"])
        click.echo(
            f"Error: {failures.sentence(error, output, Path('this log'))}", err=True
        )
        sys.exit(1)


def _prepare(content: Json, described: Json, copied: bool) -> dict[str, str]:
    """Mends what the driver gave; returns each output's address, by its name."""
    inputs = content.setdefault("inputs", {})
    artifacts = inputs.get("artifacts", {})
    for name in [n for n, found in artifacts.items() if _is_absent(found)]:
        del artifacts[name]
    for name, found in artifacts.items():
        kind = described["artifacts"][name]["artifactType"]["instanceSchema"]
        for artifact in found["artifacts"]:
            artifact["type"] = {"instanceSchema": kind}
    inputs["parameterValues"] = parameters.fill(inputs.get("parameterValues", {}))
    outputs = content["outputs"].get("artifacts", {})
    addresses = {name: found["artifacts"][0]["uri"] for name, found in outputs.items()}
    for found in (*artifacts.values(), *outputs.values()):
        for artifact in found["artifacts"]:
            schema = artifact["type"]["instanceSchema"]
            for title, path in SHOWN.items():
                schema = schema.replace(f"title: {title}\n", f"title: {path}\n")
            artifact["type"]["instanceSchema"] = schema
            if copied:
                artifact["uri"] = local_copy(artifact["uri"])
    return addresses


def _is_absent(found: Json) -> bool:
    return any(a.get("metadata", {}).get(ABSENT) for a in found["artifacts"])


def local_copy(address: str) -> str:
    """The folder where Kubeflow's launcher keeps what an address holds."""
    for scheme, folder in _COPIES.items():
        if address.startswith(scheme):
            top = os.environ.get(_COPIES_IN, "/")
            return os.path.join(top, folder, address.removeprefix(scheme))
    return address


def _describe(output: Path, addresses: dict[str, str]) -> None:
    """Gives the described outputs the addresses that the platform knows."""
    content = json.loads(output.read_text(encoding="utf-8"))
    for name, found in content.get("artifacts", {}).items():
        for artifact in found["artifacts"]:
            artifact["uri"] = addresses[name]
            known = artifact.get("metadata", {})
            artifact["metadata"] = {k: v for k, v in known.items() if v is not None}
    output.write_text(json.dumps(content), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
