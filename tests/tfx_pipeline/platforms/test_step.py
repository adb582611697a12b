"""A step finds its artifacts where the launcher put them, with their types."""

import json
from pathlib import Path

import pytest

from tfx_pipeline.platforms import step
from uvcan_tf import features as names

DECLARATION = json.dumps(names.PAPER.to_json())
SCHEMA = "title: tfx.Schema\ntype: object\n"


@pytest.mark.parametrize(
    ("address", "folder"),
    [
        ("gs://bucket/a/b", "/gcs/bucket/a/b"),
        ("s3://bucket/a", "/s3/bucket/a"),
        ("minio://mlpipeline/v2", "/minio/mlpipeline/v2"),
        ("/mnt/uvcan/a", "/mnt/uvcan/a"),
    ],
)
def test_an_address_is_the_folder_that_the_launcher_copies_to(
    address: str, folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("UVCAN_COPIES_IN", raising=False)
    assert step.local_copy(address) == folder


def _run(folder: Path, monkeypatch: pytest.MonkeyPatch, table: str) -> Path:
    """Runs the step of a schema as Kubeflow's launcher does."""
    monkeypatch.setenv("UVCAN_COPIES_IN", str(folder))
    output = folder / "output_metadata.json"
    artifact = {"name": "schema", "uri": "minio://b/schema", "metadata": {}}
    content = {
        "inputs": {"parameterValues": {"declaration": DECLARATION, "table": table}},
        "outputs": {
            "artifacts": {
                "schema": {
                    "artifacts": [{**artifact, "type": {"instanceSchema": SCHEMA}}]
                }
            },
            "outputFile": str(output),
        },
    }
    step.main(
        [
            *("--platform", "kubeflow"),
            "--executor_class_path",
            "tfx_pipeline.table_schema.TableSchema_Executor",
            *("--json_serialized_invocation_args", json.dumps(content)),
            *("--json_serialized_inputs_spec_args", '{"parameters": {}}'),
        ]
    )
    return output


@pytest.mark.slow
def test_outputs_are_written_to_the_copy_and_described_by_their_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = _run(tmp_path, monkeypatch, "users")
    assert (tmp_path / "minio" / "b" / "schema" / "schema.pbtxt").is_file()
    (described,) = json.loads(output.read_text())["artifacts"]["schema"]["artifacts"]
    assert described["uri"] == "minio://b/schema"


@pytest.mark.slow
def test_a_step_that_fails_says_one_sentence(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit, match="1"):
        _run(tmp_path, monkeypatch, "no such table")
    last = capsys.readouterr().err.strip().splitlines()[-1]
    assert last.startswith("Error: KeyError: 'no such table'")
