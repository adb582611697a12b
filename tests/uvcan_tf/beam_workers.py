"""A pipeline whose worker processes never end, for `test_beam_workers`."""

import os
import sys
import time
from pathlib import Path

import apache_beam as beam

from uvcan_tf.beam_workers import WorkerLostError, watched
from uvcan_tf.visual.pipeline import local_runner


def work(number: int, folder: Path) -> None:
    """Gives nothing on, so that the runner waits for an answer and for no data."""
    (folder / f"work-{os.getpid()}").touch()
    time.sleep(600)


def main(folder: Path) -> None:
    try:
        with watched(), beam.Pipeline(argv=local_runner(2)) as pipeline:
            every = pipeline | beam.Create(range(2), reshuffle=True)
            _ = every | "Work" >> beam.Map(work, folder)
    except WorkerLostError as error:
        print(error, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
