"""A checkpoint between the stock components: a world that changed much stops here."""

# No `from __future__ import annotations`: TFX reads the annotations at run time.

from tfx.components.statistics_gen import stats_artifact_utils
from tfx.dsl.component.experimental.annotations import InputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.types.standard_artifacts import ExampleStatistics

from tfx_pipeline import drift
from tfx_pipeline.gates import stop_or_warn
from uvcan_tf.errors import UvcanError


class DriftError(UvcanError):
    """The data changed more than it may; the message names split and feature."""


@component
def DriftGate(
    statistics: InputArtifact[ExampleStatistics],
    accepted: Parameter[str],
    reaction: Parameter[str],
) -> None:
    """Stops or warns; data that it lets through is what the next run is compared with.

    The folder `accepted` holds the statistics that were let through last.
    """
    now = {
        split: stats_artifact_utils.load_statistics(statistics, split).proto()
        for split in drift.COMPARED
    }
    found = list(drift.changes(drift.read(accepted), now))
    difference = DriftError(
        f"The tables should be like those of the last run. Received: "
        f"{' '.join(found)} Mend the tables, or run with --drift warn if the "
        "change is meant."
    )
    stop_or_warn(found, reaction, difference)
    drift.accept(accepted, now)
