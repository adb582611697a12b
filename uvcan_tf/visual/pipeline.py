"""The Beam pipeline: videos in, activations in a store out."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions

from uvcan_tf.beam_workers import watched
from uvcan_tf.errors import DataError
from uvcan_tf.terminal.progress import Progress, progress
from uvcan_tf.visual.embed import embedded
from uvcan_tf.visual.network import Network, network
from uvcan_tf.visual.store import Store
from uvcan_tf.visual.videos import Video
from uvcan_tf.visual.weights import read_weights

__all__ = ["embed_all", "local_runner"]

#: Videos of one file of the store: what a kill can cost each worker.
_GROUP: Final = 16
_RUNNER: Final = "apache_beam.runners.portability.fn_api_runner.FnApiRunner"


def local_runner(workers: int) -> list[str]:
    """Beam on this machine: in this process, or in several others."""
    mode = "in_memory" if workers == 1 else "multi_processing"
    return [
        f"--runner={_RUNNER}",
        f"--direct_running_mode={mode}",
        f"--direct_num_workers={workers}",
    ]


def embed_all(
    videos: Sequence[Video], weights: Path, store: Store, beam_args: Sequence[str]
) -> None:
    """Embeds the videos that the store does not have yet.

    Args:
      videos: all of them.
      weights: a file of the network's weights that every worker can read.
      store: a folder that every worker can write to.
      beam_args: of the Beam runner.

    Raises:
      DataError: the runner ended without having done all.
      WorkerLostError: a worker process of the local runner died.
    """
    groups = _pending(videos, store)
    if not groups:
        return
    total = sum(map(len, groups))
    options = PipelineOptions(list(beam_args))
    with (
        progress(f"Embedding {total:,} videos", total) as bar,
        _shown(groups, store, bar),
        watched(),
        beam.Pipeline(options=options) as pipeline,
    ):
        every = pipeline | "Videos" >> beam.Create(groups, reshuffle=True)
        _ = every | "Embed" >> beam.ParDo(_Embed(str(weights), str(store.folder)))
    left = sum(map(len, _pending(videos, store)))
    if left:
        raise DataError(
            f"The Beam runner should have embedded {total} videos. Received: {left} "
            "are left; run the command again, which goes on from there."
        )


def _pending(videos: Sequence[Video], store: Store) -> list[list[Video]]:
    """Groups of videos to embed; after a kill, those that were not finished."""
    kept = store.kept(videos)
    new = [video for video in videos if video.id not in kept]
    return [new[at : at + _GROUP] for at in range(0, len(new), _GROUP)]


class _Embed(beam.DoFn):
    """Embeds a group of videos and keeps it; gives nothing on."""

    def __init__(self, weights: str, folder: str) -> None:
        self._weights, self._folder = weights, folder
        self._network: Network | None = None

    def setup(self) -> None:
        self._network = network(read_weights(Path(self._weights)))

    def process(self, group: Sequence[Video]) -> None:
        assert self._network is not None
        Store(Path(self._folder)).write(embedded(group, self._network))


@contextlib.contextmanager
def _shown(
    groups: Sequence[Sequence[Video]], store: Store, bar: Progress
) -> Iterator[None]:
    """Advances the bar as files of groups appear, whatever process wrote them."""
    left = {store.path_of(group): len(group) for group in groups}
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(1):
            for path in [path for path in left if path.exists()]:
                bar.advance(left.pop(path))

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
