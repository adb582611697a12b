"""A checkpoint before training: what requests tell should be what is trained on."""

# No `from __future__ import annotations`: TFX reads the annotations at run time.

import json
from pathlib import Path

from tfx.components.statistics_gen import stats_artifact_utils
from tfx.dsl.component.experimental.annotations import InputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.types.standard_artifacts import ExampleStatistics

from tfx_pipeline import skew
from tfx_pipeline.gates import stop_or_warn
from uvcan_tf import features as names
from uvcan_tf.errors import DataError, UvcanError


class SkewError(UvcanError):
    """Requests differ from the tables; the message names the feature."""


@component
def SkewGate(
    statistics: InputArtifact[ExampleStatistics],
    declaration: Parameter[str],
    requests: Parameter[str],
    digest: Parameter[str],
    reaction: Parameter[str],
) -> None:
    """Stops or warns where requests tell other things of users than the tables.

    The digest is that of the requests' files: other files are looked at anew.
    """
    users = stats_artifact_utils.load_statistics(statistics, names.USERS).proto()
    features = names.from_json(json.loads(declaration))
    try:
        asked = skew.of_requests(Path(requests), features)
        found = list(skew.differences(users, asked))
    except DataError as error:
        found = [str(error)]
    difference = SkewError(
        f"Requests should tell of users what the tables tell. Received: "
        f"{' '.join(found)} Mend what is trained on or what is asked with, or run "
        "with --skew warn if the difference is meant."
    )
    stop_or_warn(found, reaction, difference)
