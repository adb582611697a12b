"""The asyncio twin answers as the client does."""

import asyncio
import inspect

import pytest

from serving.client.aio import AsyncRecommenderClient
from serving.client.client import RecommenderClient
from serving.client.errors import InvalidRequest, ModelNotFound, ServerUnavailable


def test_the_twins_have_the_same_methods() -> None:
    def public(kind: type) -> dict[str, list[str]]:
        return {
            name: list(inspect.signature(member).parameters)
            for name, member in inspect.getmembers(kind, inspect.isfunction)
            if not name.startswith("_") or name == "__init__"
        }

    assert public(AsyncRecommenderClient) == public(RecommenderClient)


def test_the_twins_get_the_same_answers(target: str) -> None:
    async def ask() -> tuple[object, ...]:
        async with AsyncRecommenderClient(target) as client:
            return (
                await client.rank("u1", ["v1", "v2"]),
                await client.rank("u1", []),
                await client.recommend("u1", k=3, exclude=["v7"]),
                await client.explain("u1", "v2"),
                await client.score([{"user_id": "u1", "video_id": "v2"}]),
                await client.status(),
            )

    with RecommenderClient(target) as client:
        assert asyncio.run(ask()) == (
            client.rank("u1", ["v1", "v2"]),
            [],
            client.recommend("u1", k=3, exclude=["v7"]),
            client.explain("u1", "v2"),
            client.score([{"user_id": "u1", "video_id": "v2"}]),
            client.status(),
        )


def test_many_calls_run_at_once(target: str) -> None:
    async def ask() -> list[str]:
        async with AsyncRecommenderClient(target) as client:
            asked = [client.recommend("u1", k=1) for _ in range(50)]
            return [found[0].video_id for found in await asyncio.gather(*asked)]

    assert asyncio.run(ask()) == ["v7"] * 50


def test_failures_are_of_the_same_family(target: str) -> None:
    async def ask(where: str, **options: object) -> None:
        async with AsyncRecommenderClient(where, **options) as client:
            await client.recommend("u1")

    with pytest.raises(ModelNotFound, match=r"Latest\(nope\)"):
        asyncio.run(ask(target, model_name="nope"))
    with pytest.raises(ServerUnavailable, match="No server answers at 127.0.0.1:1"):
        asyncio.run(ask("127.0.0.1:1", retries=1))


def test_a_closed_twin_says_so(target: str) -> None:
    async def ask() -> None:
        client = AsyncRecommenderClient(target)
        await client.close()
        await client.recommend("u1")

    with pytest.raises(InvalidRequest, match="The client is closed"):
        asyncio.run(ask())
