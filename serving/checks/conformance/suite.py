"""All wire cases, and their verdicts."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

import grpc

from serving.checks.conformance import (
    batching_cases,
    example_cases,
    predict_cases,
    rest_cases,
    runtime_cases,
    service_cases,
    spec_cases,
    tensor_cases,
)
from serving.checks.conformance.batching_case import Batching, BatchingCase
from serving.checks.conformance.case import Case
from serving.checks.conformance.rest_case import RestCase


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What became of a case; `difference` is None when the answer was right."""

    case: Case | RestCase | BatchingCase
    difference: str | None


def all_cases() -> list[Case]:
    """Every case, in the order of the contract."""
    parts = (
        spec_cases,
        predict_cases,
        runtime_cases,
        tensor_cases,
        example_cases,
        service_cases,
    )
    return [case for part in parts for case in part.cases()]


def run_all(channel: grpc.Channel, rest_url: str | None = None) -> Iterator[Verdict]:
    """Runs every case against a server; those of REST where its URL is given."""
    for case in all_cases():
        yield Verdict(case, case.run(channel))
    if rest_url:
        for rest_case in rest_cases.cases():
            yield Verdict(rest_case, rest_case.run(rest_url))


def run_batching(
    channel: grpc.Channel, model: str, users: Sequence[str]
) -> Iterator[Verdict]:
    """Runs the cases of batching against an exported model; see `Batching`."""
    batching = Batching(channel, model, users)
    for case in batching_cases.cases():
        yield Verdict(case, case.run(batching))
