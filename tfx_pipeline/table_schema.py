"""The node that makes a table's schema from the declaration: no file to be kept."""

# No `from __future__ import annotations`: TFX reads the annotations at run time.

import json
import os

from tfx.dsl.component.experimental.annotations import OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.dsl.io import fileio
from tfx.types.standard_artifacts import Schema

from tfx_pipeline.schema import texts
from uvcan_tf import features as names

#: What the stock components look for.
_FILE = "schema.pbtxt"


@component
def TableSchema(
    declaration: Parameter[str], table: Parameter[str], schema: OutputArtifact[Schema]
) -> None:
    """Writes the schema of a table, or the union; the declaration is JSON."""
    text = texts(names.from_json(json.loads(declaration)))[table]
    fileio.makedirs(schema.uri)
    with fileio.open(os.path.join(schema.uri, _FILE), "w") as file:
        file.write(text)
