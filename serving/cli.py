"""`python -m serving`: the server and the client from a command line."""

from __future__ import annotations

import dataclasses
import functools
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from serving.client import terminal
from serving.client.client import RecommenderClient
from serving.client.errors import ServingError
from serving.client.options import attribute_option, history_options
from serving.client.records import Explanation, Scored, Tls
from serving.flags import key_file, tls_options
from uvcan_tf.terminal import attention_file, lost_files
from uvcan_tf.terminal.lazy_group import Lazy, LazyGroup
from uvcan_tf.terminal.quiet import quiet

_TARGET = "localhost:8500"


class _Failure(click.ClickException):
    """One sentence on stderr and exit status 1."""

    def show(self, file: Any = None) -> None:
        click.echo(f"Error: {self.message}", err=True)


def _check(place: str, text: str) -> Lazy:
    return Lazy(f"serving.checks.{place}", text, "serve")


_LAZY = {
    "serve": Lazy("serving.serve:serve", "Serve models as TF Serving does.", "serve"),
    "attacks": _check("attacks:attacks_command", "Send hostile bodies."),
    "conformance": _check(
        "conformance.command:conformance", "Play every wire case against a server."
    ),
    "fuzz": _check("fuzz:fuzz_command", "Send malformed requests."),
    "healthy": _check("healthy:healthy", "Say whether a server serves."),
    "load": _check("load:load", "Measure latency and throughput."),
    "overload": _check("overload:overload_command", "Ask for twice too much."),
    "swaps": _check("swaps:swaps_command", "Swap versions under load."),
}


@click.group(
    cls=LazyGroup,
    lazy=_LAZY,
    context_settings={"help_option_names": ["-h", "--help"]},
)
def main() -> None:
    """Serves the exported model, and asks a server for ranks and recommendations."""


_CLIENT_OPTIONS = (
    click.option("--target", default=_TARGET, show_default=True, help="host:port"),
    click.option("--model-name", default="uvcan", show_default=True),
    click.option(
        "--timeout", default=5.0, show_default=True, help="Deadline in seconds."
    ),
    tls_options,
    click.option(
        "--hash-ids-with",
        "id_key",
        type=click.Path(path_type=Path),
        callback=key_file,
        help="Key file of a model with hashed user ids.",
    ),
    click.option("--json", "as_json", is_flag=True, help="Print JSON."),
)


def _picture(
    context: click.Context, parameter: click.Parameter, path: Path | None
) -> Path | None:
    """A file of a kind that can be written."""
    if path is not None and path.suffix not in attention_file.ENDINGS:
        endings = " or ".join(attention_file.ENDINGS)
        raise click.BadParameter(f"The name should end in {endings}.")
    return path


def _client_command(function: Callable[..., Any]) -> click.Command:
    """A command whose function gets a connected client and `as_json`."""

    @functools.wraps(function)
    def run(
        target: str,
        model_name: str,
        timeout: float,
        tls: Tls | None,
        id_key: bytes | None,
        **arguments: Any,
    ) -> None:
        try:
            with RecommenderClient(
                target,
                model_name=model_name,
                timeout_s=timeout,
                tls=tls,
                id_key=id_key,
            ) as client:
                function(client, **arguments)
        except ServingError as error:
            raise _Failure(str(error)) from error

    for option in reversed(_CLIENT_OPTIONS):
        run = option(run)
    return main.command()(run)


@history_options
@attribute_option
@click.option("--candidates", help="Only of these videos: a,b,c.")
@click.option("--exclude", default="", help="Videos to leave out: a,b,c.")
@click.option("-k", default=10, show_default=True, help="Number of videos.")
@click.option("--user", required=True, help="User id.")
def recommend(
    client: RecommenderClient,
    user: str,
    k: int,
    exclude: str,
    candidates: str | None,
    attributes: dict[str, Any],
    liked: str,
    skipped: str,
    as_json: bool,
) -> None:
    """Prints the user's k best videos out of the whole catalogue."""
    listed = None if candidates is None else _split(candidates)
    told = _split(liked), _split(skipped)
    videos = client.recommend(user, k, _split(exclude), listed, attributes, *told)
    _print_scored(f"Recommended for {user}", videos, as_json)
    if not as_json and any(video.known_user is False for video in videos):
        terminal.show_unknown(Console(), "user", user)


@history_options
@attribute_option
@click.option("--videos", required=True, help="Videos to score: a,b,c.")
@click.option("--user", required=True, help="User id.")
def rank(
    client: RecommenderClient,
    user: str,
    videos: str,
    attributes: dict[str, Any],
    liked: str,
    skipped: str,
    as_json: bool,
) -> None:
    """Prints the given videos, best first."""
    told = _split(liked), _split(skipped)
    scored = client.rank(user, _split(videos), attributes, *told)
    ordered = sorted(scored, key=lambda video: -video.score)
    _print_scored(f"Ranked for {user}", ordered, as_json)


@history_options
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    callback=_picture,
    help="Draw it in this file: .png or .html.",
)
@click.option("--top", default=50, show_default=True, help="Best videos of a user.")
@click.option("--video", help="Video id. [default: the user's best videos]")
@click.option("--user", required=True, help="User id.")
def explain(
    client: RecommenderClient,
    user: str,
    video: str | None,
    top: int,
    out: Path | None,
    liked: str,
    skipped: str,
    as_json: bool,
) -> None:
    """Draws what user and video looked at in each other."""
    told = _split(liked), _split(skipped)
    if video is not None:
        found = [client.explain(user, video, *told)]
    else:
        best = client.recommend(user, top, liked=told[0], skipped=told[1])
        found = [client.explain(user, v.video_id, *told) for v in best]
    if out is not None and found:
        _draw(out, found)
    if as_json:
        content = [dataclasses.asdict(explanation) for explanation in found]
        click.echo(json.dumps(content if video is None else content[0]))
    elif out is None:
        for explanation in found:
            terminal.show_explanation(Console(), explanation)


def _draw(out: Path, found: list[Explanation]) -> None:
    from serving.client import pictures

    try:
        attention_file.write(out, pictures.title(found), pictures.matrices(found))
    except ModuleNotFoundError as error:
        raise _Failure(
            f"A PNG needs the package {error.name}, which pip install 'uvcan-tf[tf]' "
            "brings; a file that ends in .html needs nothing."
        ) from None
    except OSError as error:
        raise _Failure(lost_files.sentence(error)) from None
    click.echo(out, err=True)


for _function in (recommend, rank, explain):
    _client_command(_function)


def _split(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _print_scored(title: str, videos: list[Scored], as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps([dataclasses.asdict(video) for video in videos]))
    else:
        terminal.show_scored(Console(), title, videos)


def run() -> None:
    """The entry point; a closed pipe ends it silently."""
    quiet()
    try:
        main(prog_name="python -m serving")
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)
