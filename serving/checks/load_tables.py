"""The figures of `python -m serving load` as Markdown tables, for the documentation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

_ALONE: Final = "no server"
_IN_TURN: Final = "in turn"
_REST: Final = "REST"

Figures = Mapping[str, Any]  # one row of the JSON file


def load_tables(rows: Sequence[Figures]) -> str:
    """A table of latencies, and one of batching where both servers were asked.

    Args:
      rows: of the JSON file.
    """
    off = _by_cell(row for row in rows if "batching" not in row)
    on = _by_cell(row for row in rows if "batching" in row)
    tables = [_latencies(off)]
    if on:
        tables.append(_batching(off, on))
    return "\n".join(tables)


def _by_cell(rows: Iterable[Figures]) -> dict[tuple[str, str], Figures]:
    return {
        (row["call"], row["clients"]): row for row in rows if row["clients"] != _IN_TURN
    }


def _latencies(off: Mapping[tuple[str, str], Figures]) -> str:
    """p50 / p95 / p99 in milliseconds, and calls per second, by number of clients."""
    calls = dict.fromkeys(call for call, _ in off)
    clients = dict.fromkeys(clients for _, clients in off)
    body = [
        [f"`{call}`", *(_cell(off.get((call, count))) for count in clients)]
        for call in calls
    ]
    return _markdown(["call", *map(_heading, clients)], body)


def _batching(
    off: Mapping[tuple[str, str], Figures], on: Mapping[tuple[str, str], Figures]
) -> str:
    """Calls per second of the server that joins calls, beside those of the other."""
    body = []
    for (call, clients), joined in on.items():
        single = off[call, clients]
        rates = [single["per_second"], joined["per_second"]]
        middles = [single["p50_ms"], joined["p50_ms"]]
        body.append(
            [
                *(f"`{call}`", clients),
                *(f"{rate:,.0f}" for rate in rates),
                f"{rates[1] / rates[0]:.2f}",
                *(f"{middle:.3g}" for middle in middles),
            ]
        )
    header = ["call", "clients", "calls/s, batching off", "on", "on / off"]
    return _markdown([*header, "p50 in ms, off", "on"], body)


def _heading(clients: str) -> str:
    if clients == _ALONE:
        return clients
    if clients == _REST:
        return "1 client, REST"
    return f"{clients} client" + "s" * (clients != "1")


def _cell(row: Figures | None) -> str:
    if row is None:
        return ""
    figures = [_short(row[f"{name}_ms"]) for name in ("p50", "p95", "p99")]
    refused = sum(row.get("refused", {}).values())
    told = f", {refused:,} refused" if refused else ""
    return f"{' / '.join(figures)}, {row['per_second']:,.0f}/s{told}"


def _short(milliseconds: float) -> str:
    """Two figures below 10, and whole numbers above."""
    if milliseconds < 1:
        return f"{milliseconds:.2f}"
    return f"{milliseconds:.1f}" if milliseconds < 10 else f"{milliseconds:,.0f}"


def _markdown(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
