"""What `pip install` gives works outside the checkout (`make install-check`)."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.install]

ROOT = Path(__file__).parents[2]
UV = Path(sys.executable).with_name("uv")


def _run(*command: str | Path, folder: Path) -> str:
    done = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    where = ("--python", sys.executable, "--out-dir", folder)
    _run(UV, "build", "-q", "--wheel", *where, ROOT, folder=folder)
    return next(folder.glob("*.whl"))


def _installed(wheel: Path, folder: Path, extras: str, *constraints: str) -> Path:
    """The `uvcan` command of a fresh environment in the folder."""
    _run(UV, "venv", "-q", "--python", sys.executable, "fresh", folder=folder)
    package = f"uvcan-tf{extras} @ {wheel.as_uri()}"
    where = ("--python", "fresh/bin/python")
    _run(UV, "pip", "install", "-q", *where, *constraints, package, folder=folder)
    return folder / "fresh" / "bin" / "uvcan"


def test_the_wheel_holds_what_is_not_python(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    deploy = (ROOT / "serving" / "deploy").rglob("*.*")
    wanted = {str(path.relative_to(ROOT)) for path in deploy if path.is_file()}
    wanted |= {f"{name}/py.typed" for name in ("uvcan_tf", "serving", "tfx_pipeline")}
    assert wanted | {"serving/wire/client.proto"} <= names
    assert not [name for name in names if name.startswith(("tests", "benchmarks"))]


def test_the_client_needs_no_tensorflow(
    wheel: Path, target: str, tmp_path: Path
) -> None:
    uvcan = _installed(wheel, tmp_path, "")
    packages = {path.name for path in tmp_path.glob("fresh/lib/*/site-packages/*")}
    assert "grpc" in packages and "tensorflow" not in packages
    where = ("--target", target, "--json")
    best = _run(
        *(uvcan, "recommend", "--user", "u1", "-k", "2", *where), folder=tmp_path
    )
    assert [video["video_id"] for video in json.loads(best)] == ["v7", "v6"]
    ranked = _run(
        *(uvcan, "rank", "--user", "u1", "--videos", "v2,v5", *where), folder=tmp_path
    )
    assert [video["video_id"] for video in json.loads(ranked)] == ["v5", "v2"]
    why = _run(
        *(uvcan, "explain", "--user", "u1", "--video", "v2", *where), folder=tmp_path
    )
    assert json.loads(why)["user"]["facets"] == ["user_id", "gender"]


def test_a_command_names_the_extra_that_it_lacks(wheel: Path, tmp_path: Path) -> None:
    uvcan = _installed(wheel, tmp_path, "")
    pipeline = "pipeline run --data . --root out"
    for command, extra in (("data", "tf"), ("serve", "serve"), (pipeline, "pipeline")):
        done = subprocess.run(
            [uvcan, *command.split()], capture_output=True, text=True, cwd=tmp_path
        )
        assert done.returncode == 1
        assert f"run `pip install 'uvcan-tf[{extra}]'`." in done.stderr
        assert done.stderr.count("\n") == 1


@contextmanager
def _served(uvcan: Path, models: Path) -> Iterator[str]:
    """The address of a server of the models."""
    command = [uvcan, "serve", "--host=127.0.0.1", "--port=0", "--model-name=uvcan"]
    with subprocess.Popen(
        [*command, f"--model-base-path={models}"], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            found = re.match(r"Serving gRPC on (\S+)\.", process.stdout.readline())
            assert found is not None
            yield found[1]
        finally:
            process.terminate()


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="needs the lock's overrides")
def test_the_pipeline_runs_from_the_wheel(wheel: Path, tmp_path: Path) -> None:
    uvcan = _installed(
        *(wheel, tmp_path, "[pipeline,serve]"),
        *("--constraints", str(ROOT / "requirements" / "py310-tfx116.txt")),
    )
    _run(
        *(uvcan, "data", "synthetic", "--preset", "tiny", "--seed", "1"),
        *("--out", "tables"),
        folder=tmp_path,
    )
    _run(
        *(uvcan, "pipeline", "run", "--data", "tables", "--root", "out"),
        *("--config", ROOT / "configs" / "demo.json"),
        folder=tmp_path,
    )
    with _served(uvcan, tmp_path / "out" / "serving" / "uvcan") as target:
        best = _run(
            *(uvcan, "recommend", "--user", "u1", "--json", "--target", target),
            folder=tmp_path,
        )
    assert len(json.loads(best)) == 10
