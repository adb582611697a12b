"""Command line: `figures` and `scores` of the stack that runs it, then `compare`.

`make test-newest` runs the first two here and in a root of the newest Debian.
"""

from __future__ import annotations

import json
import os
import resource
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree

import click
import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table

from benchmarks.pipeline import measure_imports
from benchmarks.timing import once
from uvcan_tf.features import RANK, SCORE, USER_ID, VIDEO_IDS
from uvcan_tf.terminal.quiet import quiet

TOLERANCE: Final = 1e-6
_FILE = click.Path(path_type=Path, dir_okay=False)
_FOLDER = click.Path(path_type=Path, file_okay=False, exists=True)
_PACKAGES: Final = ("tfx", "tensorflow", "tf-keras", "protobuf", "numpy")
_USERS: Final = [f"u{n}" for n in range(1, 21)]  # of the demo's world, and no other
_VIDEOS: Final = [f"v{n}" for n in range(1, 51)]
_KUAIRAND: Final = Path("build/kuairand/tables")
_DEMO: Final = Path("build/demo/pipeline")

Scores = npt.NDArray[np.float64]


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """What one stack of packages does, beside another."""


@main.command()
@click.argument("out", type=_FILE)
@click.argument("tests", nargs=-1, type=click.UNPROCESSED)
def figures(out: Path, tests: tuple[str, ...]) -> None:
    """Times the imports and the demo, then runs the TESTS (pytest's arguments).

    Where the tables of `make kuairand` are there, the pipeline also runs on them.
    """
    found: dict[str, Any] = {"python": sys.version.split()[0]}
    found |= {name: metadata.version(name) for name in _PACKAGES}
    imports = measure_imports()["tfx_import_s"]
    found |= {"import tensorflow, s": imports.reference, "import TFX, s": imports.value}
    found |= _demo() | _kuairand()
    found |= _tests(out.with_suffix(".xml"), tests)
    out.write_text(json.dumps(found, indent=2), encoding="utf-8")


@main.command()
@click.argument("model", type=_FOLDER)
@click.argument("out", type=_FILE)
def scores(model: Path, out: Path) -> None:
    """Loads the SavedModel of a demo here and in the embedded server, and asks both."""
    quiet()
    found = {"in process": _in_process(model), "server": _served(model)}
    out.write_text(json.dumps({k: v.tolist() for k, v in found.items()}), "utf-8")


@main.command()
@click.argument("folder", type=_FOLDER)
def compare(folder: Path) -> None:
    """Prints FOLDER's figures side by side; status 1 if scores differ or a test failed.

    The figures are in figures/STACK.json, and the scores in scores/WRITER/READER.json.
    """
    stacks = {f.stem: _read(f) for f in sorted((folder / "figures").glob("*.json"))}
    table = Table("", *stacks)
    for row in dict.fromkeys(row for stack in stacks.values() for row in stack):
        table.add_row(row, *(str(stack.get(row, "")) for stack in stacks.values()))
    differences = {
        writer.name: difference(writer) for writer in (folder / "scores").iterdir()
    }
    for writer, value in differences.items():
        table.add_row(
            f"largest difference of scores, model of {writer}", f"{value:.1e}"
        )
    Console(width=100).print(table)
    if not max(differences.values(), default=np.inf) <= TOLERANCE:
        raise click.ClickException(
            f"Every reader should find the same scores within {TOLERANCE}. "
            f"Received: {differences}. See {folder / 'scores'}."
        )
    failed = {name: stack["tests failed"] for name, stack in stacks.items()}
    if any(failed.values()):
        raise click.ClickException(
            f"All tests should pass on every stack. Received: {failed} failed."
        )


def difference(folder: Path) -> float:
    """The largest between any two readers' scores of one model."""
    readers = [
        np.asarray(values)
        for file in sorted(folder.glob("*.json"))
        for values in _read(file).values()
    ]
    if len(readers) < 2:
        return np.inf
    return float(max(np.abs(readers[0] - other).max() for other in readers[1:]))


def _read(file: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return content


def _demo() -> dict[str, float]:
    environment = os.environ | {"PORT": str(_free_port())}

    def run() -> None:
        subprocess.run(["scripts/demo"], env=environment, check=True)

    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = once(run)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {
        "demo, s": round(seconds, 1),
        "demo, CPU s": round(cpu, 1),
        "demo, HR@10": _hit_rate(_DEMO),
    }


def _kuairand() -> dict[str, float]:
    """The pipeline on KuaiRand, from its tables to the Evaluator's overall HR@10."""
    if not (_KUAIRAND / "features.json").exists():
        return {}
    with tempfile.TemporaryDirectory() as root:
        command = [sys.executable, "-m", "tfx_pipeline", "run", "--root", root]
        command += ["--data", str(_KUAIRAND), "--config", "configs/kuairand.json"]
        seconds = once(lambda: subprocess.run(command, check=True))
        hit_rate = _hit_rate(Path(root))
    return {"KuaiRand, s": round(seconds, 1), "KuaiRand, HR@10": hit_rate}


def _hit_rate(root: Path) -> float:
    """Overall, of the last run under a root."""
    from tfx_pipeline.page.content import RunReader

    found = RunReader(root, None).report()
    assert found is not None, root
    return round(found.slices["overall"]["hr_at_10"], 4)


def _tests(report: Path, arguments: tuple[str, ...]) -> dict[str, Any]:
    command = [sys.executable, "-m", "pytest", f"--junitxml={report}", *arguments]
    seconds = once(lambda: subprocess.run(command, stdout=sys.stderr, check=False))
    cases = list(ElementTree.parse(report).iter("testcase"))
    failed = [
        c for c in cases if c.find("failure") is not None or c.find("error") is not None
    ]
    skipped = [c for c in cases if c.find("skipped") is not None]
    return {
        "tests passed": len(cases) - len(failed) - len(skipped),
        "tests failed": len(failed),
        "tests skipped": len(skipped),
        "tests, s": round(seconds, 1),
        "failed": "\n".join(f"{c.get('classname')}::{c.get('name')}" for c in failed),
    }


def _in_process(model: Path) -> Scores:
    import tensorflow as tf

    rank = tf.saved_model.load(str(model)).signatures[RANK]
    users, videos = tf.constant(_USERS), tf.constant([_VIDEOS] * len(_USERS))
    found: Scores = rank(**{USER_ID: users, VIDEO_IDS: videos})[SCORE].numpy()
    return found.astype(np.float64)


def _served(model: Path) -> Scores:
    from serving.client.client import RecommenderClient

    with (
        _server(model.parent) as target,
        RecommenderClient(target, model_name="uvcan", timeout_s=60) as client,
    ):
        return np.array(
            [[s.score for s in client.rank(user, _VIDEOS)] for user in _USERS]
        )


@contextmanager
def _server(base: Path) -> Iterator[str]:
    command = [sys.executable, "-m", "serving", "serve", "--model_name=uvcan"]
    command += ["--port=0", "--host=127.0.0.1", f"--model_base_path={base.resolve()}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        said = server.stdout.readline()
        try:
            yield said.removeprefix("Serving gRPC on ").rstrip(".\n")
        finally:
            server.terminate()


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


if __name__ == "__main__":
    main(prog_name="python -m benchmarks.stacks")
