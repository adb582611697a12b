"""One declaration: checked when it is made, the same after its JSON file."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from uvcan_tf import features as names
from uvcan_tf.features import (
    KUAIRAND,
    MOVIELENS,
    PAPER,
    Categorical,
    DeclarationError,
    Dense,
    Features,
    Numeric,
    from_json,
    load,
    of_folder,
)

GENDER, AUTHOR = Categorical("gender"), Categorical("author")
TAGS, LOOK = Categorical("tags", multivalued=True), Dense("look", 3)
RESERVED = [
    "user_id",
    "video_id",
    "label",
    "timestamp",
    "popularity",
    "held_out_video_ids",
    "k",
    "video_ids",
    "exclude_video_ids",
    "candidate_video_ids",
    "liked_videos",
    "liked_video_ids",
    "skipped_video_ids",
]


def test_facets_are_the_identity_then_the_features_in_order() -> None:
    assert PAPER.video_facets == ("video_id", "author_id", "music_id", "tags", "visual")
    assert PAPER.user_facets == ("user_id", "gender", "location")


def test_light_video_features_have_no_vectors() -> None:
    features = Features((GENDER,), (LOOK, AUTHOR, TAGS))
    assert features.light_video == (AUTHOR, TAGS)
    assert Features((), (LOOK,)).light_video == ()


def test_metric_outputs_are_named_by_their_cutoff() -> None:
    assert (names.hr_at(10), names.ndcg_at(5)) == ("hr_at_10", "ndcg_at_5")


@pytest.mark.parametrize("name", RESERVED)
@pytest.mark.parametrize("side", ["user", "video"])
def test_a_reserved_name_is_refused_with_the_reserved_ones(
    side: str, name: str
) -> None:
    declared: dict[str, Any] = {"user": (), "video": ()}
    declared[side] = (Categorical(name),)
    with pytest.raises(DeclarationError, match=f"'{name}' uses a reserved name") as got:
        Features(**declared)
    assert ", ".join(sorted(RESERVED)) in str(got.value)


@pytest.mark.parametrize(
    ("user", "video"),
    [
        ((GENDER, GENDER), ()),
        ((), (AUTHOR, AUTHOR)),
        ((GENDER,), (Dense("gender", 2),)),
    ],
)
def test_a_name_is_declared_once(user: Any, video: Any) -> None:
    with pytest.raises(DeclarationError, match="is declared twice.* rename one column"):
        Features(user, video)


@pytest.mark.parametrize("length", [0, -3, 2.0, "3", None, True])
def test_the_length_of_a_vector_is_a_positive_int(length: Any) -> None:
    sentence = f"'look': `length` should be a positive int. Received: length={length!r}"
    with pytest.raises(DeclarationError, match=sentence):
        Dense("look", length)


@pytest.mark.parametrize("name", ["look", "gender", "nothing", None])
def test_popularity_is_of_the_video_or_of_a_category_of_it(name: str) -> None:
    with pytest.raises(
        DeclarationError, match=f"one of author, tags, video_id. Received: {name!r}"
    ):
        Features((GENDER,), (AUTHOR, TAGS, LOOK), popularity_of=name)


@pytest.mark.parametrize("name", ["video_id", "author", "tags"])
def test_popularity_may_be_of_these(name: str) -> None:
    features = Features((GENDER,), (AUTHOR, TAGS, LOOK), popularity_of=name)
    assert features.popularity_of == name


@pytest.mark.parametrize("name", ["author", "age", "look"])
def test_slices_are_of_names_of_users(name: str) -> None:
    user = (GENDER, Numeric("age", "buckets", 3), LOOK)
    with pytest.raises(DeclarationError, match=rf"values are names. .*\['{name}'\]"):
        Features(user, (AUTHOR,), slices=("gender", name))


def test_numbers_are_declared_by_what_becomes_of_them() -> None:
    entries = [
        {"name": "age", "numeric": "buckets", "count": 10},
        {"name": "income", "numeric": "standardized"},
    ]
    found = from_json({"user": entries, "video": []})
    assert found.user == (
        Numeric("age", "buckets", 10),
        Numeric("income", "standardized"),
    )


@pytest.mark.parametrize("count", [None, 1, 0, 1001, 2.0, "3", True])
def test_buckets_are_counted(count: Any) -> None:
    sentence = f"'age': `count` should be an int from 2 to 1000, .*count={count!r}"
    with pytest.raises(DeclarationError, match=sentence):
        from_json(
            {
                "user": [{"name": "age", "numeric": "buckets", "count": count}],
                "video": [],
            }
        )


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        ({"numeric": "bins"}, "'buckets' or 'standardized'. Received: numeric='bins'"),
        ({"numeric": "standardized", "count": 3}, "no buckets; leave `count` out"),
        ({"numeric": "buckets", "length": 3}, "one of `multivalued`, `length` and"),
    ],
)
def test_other_declarations_of_a_number_are_refused(entry: Any, sentence: str) -> None:
    with pytest.raises(DeclarationError, match=sentence):
        from_json({"user": [{"name": "age", **entry}], "video": []})


@pytest.mark.parametrize(
    "features",
    [
        PAPER,
        KUAIRAND,
        MOVIELENS,
        Features((), ()),
        Features(
            (Categorical("home city"), Categorical("Home City")),
            (Categorical("größe", multivalued=True), Dense("a/b", 3)),
            "größe",
            ("Home City",),
        ),
        Features((GENDER,), (AUTHOR, TAGS, LOOK), "tags", ("gender",)),
        Features((Numeric("age", "buckets", 7), LOOK), (Numeric("s", "standardized"),)),
    ],
)
def test_a_declaration_survives_its_json(features: Features) -> None:
    assert from_json(json.loads(json.dumps(features.to_json()))) == features


def test_plain_names_are_single_categories() -> None:
    found = from_json({"user": ["gender"], "video": [{"name": "author"}]})
    assert found == Features((GENDER,), (AUTHOR,))


@pytest.mark.parametrize(
    "content",
    [[], 3, None, {}, {"user": []}, {"user": [], "video": [], "vidoe": []}],
)
def test_a_declaration_has_the_known_keys(content: Any) -> None:
    with pytest.raises(DeclarationError, match="`user` and `video` are required"):
        from_json(content)


@pytest.mark.parametrize(
    "entry",
    [3, None, [], {}, {"name": 3}, {"length": 3}, {"name": "a", "width": 3}]
    + [{"name": "a", "length": 3, "multivalued": True}],
)
def test_an_entry_is_a_name_or_an_object(entry: Any) -> None:
    with pytest.raises(DeclarationError, match="Each `video` feature should be a colu"):
        from_json({"user": [], "video": [entry]})


@pytest.mark.parametrize("key", ["user", "video", "slices"])
@pytest.mark.parametrize("value", [3, "gender", None, {"name": "gender"}])
def test_these_keys_hold_lists(key: str, value: Any) -> None:
    content = {"user": ["gender"], "video": ["author"], key: value}
    with pytest.raises(DeclarationError, match=f"`{key}` should be a list. Received: "):
        from_json(content)


@pytest.mark.parametrize("value", [1, "false", None])
def test_multivalued_is_true_or_false(value: Any) -> None:
    entry = {"name": "tags", "multivalued": value}
    with pytest.raises(DeclarationError, match="Each `video` feature should be"):
        from_json({"user": [], "video": [entry]})


def test_users_may_have_vectors() -> None:
    found = from_json({"user": [{"name": "look", "length": 3}], "video": []})
    assert (found.user, found.light_user) == ((LOOK,), ())


def test_a_folder_without_a_declaration_has_the_papers(tmp_path: Path) -> None:
    assert of_folder(tmp_path) == PAPER


def test_a_folder_with_a_declaration_has_its_own(tmp_path: Path) -> None:
    content = json.dumps(MOVIELENS.to_json())
    (tmp_path / names.FEATURES_FILE).write_text(content)
    assert of_folder(tmp_path) == MOVIELENS


def test_a_file_that_is_absent_is_named(tmp_path: Path) -> None:
    with pytest.raises(DeclarationError, match="other.json does not exist"):
        load(tmp_path / "other.json")


def test_broken_json_is_located(tmp_path: Path) -> None:
    path = tmp_path / names.FEATURES_FILE
    path.write_text('{"user": [],\n "video": ]}')
    with pytest.raises(DeclarationError, match="features.json .*line 2, column 11"):
        load(path)


def test_a_bad_declaration_is_told_with_its_file(tmp_path: Path) -> None:
    path = tmp_path / names.FEATURES_FILE
    path.write_text('{"user": ["label"], "video": []}')
    with pytest.raises(DeclarationError, match="features.json: Feature 'label' uses"):
        load(path)


def test_the_declaration_needs_no_third_party() -> None:
    code = (
        "import sys, uvcan_tf.features; "
        "print({'tensorflow', 'numpy', 'pyarrow', 'pandas'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "set()"


@pytest.mark.parametrize("name", ["", " ", None, 3, "\ud800"])
def test_a_feature_is_called_like_a_column(name: Any) -> None:
    with pytest.raises(DeclarationError, match="name of a feature should be that of a"):
        Categorical(name)
