"""The command line: one sentence on a mistake, and no TFX before it is found."""

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.tfx_pipeline.worlds import FEATURES, write_world
from tfx_pipeline.__main__ import main
from uvcan_tf import features as names


def _invoke(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_a_missing_data_folder_is_one_sentence(tmp_path: Path) -> None:
    result = _invoke("run", "--data", tmp_path / "nothing", "--root", tmp_path)
    assert result.exit_code == 1
    assert result.output.count("\n") == 1
    assert "nothing should be a folder" in result.output


def test_an_unknown_setting_names_the_known_ones(tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    file.write_text('{"training": {"rate": 1}}')
    result = _invoke("run", "--data", tmp_path, "--root", tmp_path, "--config", file)
    assert result.exit_code == 1
    assert "no setting rate" in result.output and "learning_rate" in result.output


def test_a_cutoff_that_blesses_must_be_evaluated(tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    file.write_text('{"evaluation": {"cutoffs": [20]}}')
    result = _invoke("run", "--data", tmp_path, "--root", tmp_path, "--config", file)
    assert result.exit_code == 1
    assert "`evaluation.cutoffs` should contain 10" in result.output


def test_schema_writes_the_declarations_three_tables(tmp_path: Path) -> None:
    result = _invoke("schema", "--out", tmp_path)
    assert result.exit_code == 0
    written = {path.stem for path in tmp_path.glob("*.pbtxt")}
    assert written == {names.INTERACTIONS, names.USERS, names.VIDEOS}


def test_mistakes_are_found_before_tfx_is_imported() -> None:
    code = (
        "import sys, tfx_pipeline.__main__ as m\n"
        "try: m.main(['run', '--data', 'no such folder', '--root', 'x'])\n"
        "except SystemExit as end: assert end.code == 1\n"
        "assert not {'tfx', 'tensorflow'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, stderr=subprocess.DEVNULL)


@pytest.mark.slow
def test_bad_tables_stop_with_their_own_sentence(tmp_path: Path) -> None:
    write_world(tmp_path / "data", FEATURES)
    (tmp_path / "data" / "videos.parquet").unlink()
    arguments = ["--data", str(tmp_path / "data"), "--root", str(tmp_path / "root")]
    done = subprocess.run(
        [sys.executable, "-m", "tfx_pipeline", "run", *arguments],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "FileBasedExampleGen" in done.stderr and "videos" in done.stderr
    assert "Traceback" not in done.stderr + done.stdout


@pytest.mark.parametrize("root", ["out [v2]", "out*", "what?"])
def test_a_root_that_is_a_pattern_is_one_sentence(tmp_path: Path, root: str) -> None:
    write_world(tmp_path / "data", FEATURES)
    arguments = ("--data", tmp_path / "data", "--root", tmp_path / root)
    result = _invoke("run", *arguments)
    assert result.exit_code == 1
    assert result.output.count("\n") == 1
    assert "`root` should be a path without * ? [ ]" in result.output


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--out", "missing/pipeline.yaml"),
        ("--out", "."),
        ("--features", "none.json"),
        ("--features", "garbage.json"),
        ("--config", "none.json"),
        ("--config", "garbage.json"),
        ("--steps", "none.json"),
        ("--steps", "garbage.json"),
        ("--min-hit-rate", "nan"),
        ("--tolerance", "2"),
        ("--root", "gs://bucket/what?"),
        ("--platform", "airflow"),
    ],
)
def test_compile_says_in_a_sentence_what_it_cannot_use(
    tmp_path: Path, option: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "garbage.json").write_text("{no JSON")
    result = _invoke("compile", "--out", "pipeline.yaml", option, value)
    assert result.exit_code in (1, 2), result.output
    assert isinstance(result.exception, SystemExit), result.exception
    assert "Error: " in result.output.splitlines()[-1]
    assert not (tmp_path / "pipeline.yaml").exists()


def test_a_folder_of_requests_without_users_is_one_sentence(tmp_path: Path) -> None:
    write_world(tmp_path / "data", FEATURES)
    told = ("--data", tmp_path / "data", "--root", tmp_path / "root")
    result = _invoke("run", *told, "--requests", tmp_path)
    assert result.exit_code == 1
    assert "The table 'users' is missing" in result.output
    assert result.output.count("\n") == 1
