"""The tables tell what the rows hold."""

from typing import Any

from serving.checks.load_tables import load_tables


def row(clients: str, p50_ms: float, per_second: float, **more: Any) -> dict[str, Any]:
    times = {"p50_ms": p50_ms, "p95_ms": 2 * p50_ms, "p99_ms": 1234.4}
    return {
        **{"call": "rank 1", "clients": clients, "per_second": per_second},
        **times,
        **more,
    }


def test_each_cell_has_its_percentiles_and_its_rate() -> None:
    rows = [row("no server", 0.247, 3898.4), row("in turn", 9, 9), row("1", 5.04, 2.4)]
    assert load_tables(rows) == (
        "| call | no server | 1 client |\n"
        "| --- | --- | --- |\n"
        "| `rank 1` | 0.25 / 0.49 / 1,234, 3,898/s | 5.0 / 10 / 1,234, 2/s |\n"
    )


def test_batching_stands_beside_the_same_calls_without_it() -> None:
    rows = [
        row("8", 4, 2000, refused={"UNAVAILABLE": 3, "INTERNAL": 1}),
        row("8", 6, 1500, batching="on"),
    ]
    one, other = load_tables(rows).split("\n\n")
    assert "2,000/s, 4 refused |" in one
    assert other.splitlines()[-1] == "| `rank 1` | 8 | 2,000 | 1,500 | 0.75 | 4 | 6 |"
