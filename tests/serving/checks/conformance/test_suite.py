"""The embedded server answers every wire case as TF Serving does."""

from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from click.testing import CliRunner

from serving.checks.conformance import rest_cases
from serving.checks.conformance.case import Case
from serving.checks.conformance.suite import all_cases
from serving.cli import main
from tests.serving.conftest import conformance_server, free_port, ssl_files

CASES = all_cases()


@pytest.fixture(scope="module")
def served(models: Path) -> Iterator[str]:
    with conformance_server(models) as server:
        yield f"127.0.0.1:{server.port}"


@pytest.fixture(scope="module")
def channel(served: str) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(served) as opened:
        yield opened


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_the_answer_is_tf_servings(case: Case, channel: grpc.Channel) -> None:
    assert case.run(channel) is None


def test_there_are_enough_cases_of_different_names() -> None:
    assert len({case.name for case in CASES}) == len(CASES) >= 150


def test_a_wrong_answer_is_told(channel: grpc.Channel) -> None:
    asks = 'model_spec { name: "wide" }'
    right = next(case for case in CASES if case.call == "GetModelStatus")
    assert right.run(channel) is None
    told = Case("", "GetModelStatus", asks, "").run(channel)
    assert told is not None and "AVAILABLE" in told
    told = Case("", "GetModelStatus", asks, has=("LOADING",)).run(channel)
    assert told is not None and "expected it to have 'LOADING'" in told
    told = Case("", "GetModelStatus", asks, code=grpc.StatusCode.INTERNAL).run(channel)
    assert told == "status OK, expected INTERNAL"
    told = Case("", "GetModelStatus", "", message="x", code=grpc.StatusCode.OK)
    assert "expected OK" in str(told.run(channel))


def test_the_command_reports_each_case(served: str) -> None:
    result = CliRunner().invoke(main, ["conformance", "--target", served])
    assert result.exit_code == 0
    lines = result.output.splitlines()
    assert lines[-1] == f"{len(CASES)} cases, 0 different."
    assert sum(line.startswith("ok") for line in lines) == len(CASES)


def test_the_command_asks_over_tls_and_rest_too(models: Path, tmp_path: Path) -> None:
    files = ssl_files(tmp_path, mutual=True)
    port = free_port()
    ssl = {"ssl_config_file": str(files.config), "rest_api_port": port}
    with conformance_server(models, **ssl) as server:
        result = CliRunner().invoke(
            main,
            [
                *("conformance", "--target", f"localhost:{server.port}"),
                *("--rest", f"http://127.0.0.1:{port}"),
                *("--tls-roots", str(files.certificate)),
                *("--tls-key", str(files.client_key)),
                *("--tls-certificate", str(files.client_certificate)),
            ],
        )
    count = len(CASES) + len(list(rest_cases.cases()))
    assert result.output.splitlines()[-1] == f"{count} cases, 0 different."


def test_the_command_fails_where_nobody_answers_alike(target: str) -> None:
    result = CliRunner().invoke(main, ["conformance", "--target", target])
    assert result.exit_code == 1
    assert "FAIL Predict without inputs" in result.output
