"""Calls of one client take turns over the addresses of its target."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from serving.client.aio import AsyncRecommenderClient
from serving.client.client import RecommenderClient
from serving.server.app import Server
from tests.serving.conftest import options, save_toy, until


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Server]]:
    """Two servers; the scores of the second are 100 more."""
    base = tmp_path_factory.mktemp("several")
    with ExitStack() as stack:
        found = []
        for offset in (0, 100):
            save_toy(base / str(offset) / "1", float(offset))
            choice = options(base / str(offset), "uvcan")
            found.append(stack.enter_context(Server(choice)))
        yield found


def target_of(servers: list[Server]) -> str:
    return "ipv4:" + ",".join(f"127.0.0.1:{server.port}" for server in servers)


def test_both_servers_answer_one_client(servers: list[Server]) -> None:
    with RecommenderClient(target_of(servers)) as client:

        def offsets() -> set[float]:
            return {client.rank("u1", ["v1"])[0].score // 100 for _ in range(8)}

        until(lambda: offsets() == {0, 1})  # once both are connected


def test_both_servers_answer_one_asyncio_client(servers: list[Server]) -> None:
    async def ask() -> set[float]:
        found: set[float] = set()
        async with AsyncRecommenderClient(target_of(servers)) as client:
            while len(found) < 2:
                [video] = await client.rank("u1", ["v1"])
                found.add(video.score // 100)
        return found

    assert asyncio.run(asyncio.wait_for(ask(), 20)) == {0, 1}
