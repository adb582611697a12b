"""The checked-in schemas are the default declaration's."""

from pathlib import Path

import pytest
from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2

from tfx_pipeline import schema
from uvcan_tf import features as names

FOLDER = Path(__file__).parents[2] / "schemas"


@pytest.mark.parametrize("table", [names.INTERACTIONS, names.USERS, names.VIDEOS])
def test_the_checked_in_schema_is_the_generated_one_byte_for_byte(table: str) -> None:
    expected = (FOLDER / f"{table}.pbtxt").read_bytes()
    assert schema.texts(names.PAPER)[table].encode() == expected


def test_no_other_schema_is_checked_in() -> None:
    found = {path.stem for path in FOLDER.glob("*.pbtxt")}
    assert found == {names.INTERACTIONS, names.USERS, names.VIDEOS}


def _parsed(table: str) -> dict[str, schema_pb2.Feature]:
    text = (FOLDER / f"{table}.pbtxt").read_text(encoding="utf-8")
    parsed = text_format.Parse(text, schema_pb2.Schema())
    return {feature.name: feature for feature in parsed.feature}


def test_the_label_is_a_required_zero_or_one() -> None:
    label = _parsed(names.INTERACTIONS)[names.LABEL]
    assert label.type == schema_pb2.INT
    assert (label.int_domain.min, label.int_domain.max) == (0, 1)
    assert label.presence.min_fraction == 1.0


def test_a_dense_feature_has_its_length_wherever_it_is_present() -> None:
    visual = _parsed(names.VIDEOS)["visual"]
    assert visual.type == schema_pb2.FLOAT
    assert (visual.value_count.min, visual.value_count.max) == (1024, 1024)
    assert visual.presence.min_fraction == 0


def test_no_string_has_a_fixed_domain() -> None:
    for table in (names.INTERACTIONS, names.USERS, names.VIDEOS):
        for feature in _parsed(table).values():
            assert not feature.HasField("string_domain")
            assert not feature.HasField("domain")


def test_every_column_of_the_union_may_be_missing() -> None:
    for feature in schema.union(names.PAPER).feature:
        assert not feature.HasField("presence")


def test_another_declaration_has_another_fingerprint() -> None:
    assert schema.fingerprint(names.PAPER) != schema.fingerprint(names.KUAIRAND)
