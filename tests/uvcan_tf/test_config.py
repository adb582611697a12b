"""Every setting is checked where it enters, and survives its JSON file."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from uvcan_tf.config import (
    Config,
    ConfigError,
    EvaluationConfig,
    HistorySettings,
    ModelConfig,
    TrainingConfig,
    from_json,
    load,
)

SECTIONS = {
    "model": ModelConfig,
    "training": TrainingConfig,
    "evaluation": EvaluationConfig,
}
POSITIVE_INTS = [
    ("model", "factors"),
    ("model", "hops"),
    ("training", "batch_size"),
    ("training", "negatives"),
    ("training", "epochs"),
    ("training", "patience"),
    ("training", "validation_users"),
    ("evaluation", "sampled_negatives"),
]
RANGES = [
    ("model", "initial_stddev", 0, 10),
    ("model", "id_dropout", 0, 1),
    ("training", "learning_rate", 1e-8, 10),
    ("training", "l2", 0, 1000),
    ("training", "validation_fraction", 0, 0.5),
    ("evaluation", "held_out_fraction", 0.001, 0.9),
]


@pytest.mark.parametrize(("section", "name"), POSITIVE_INTS)
@pytest.mark.parametrize("value", [0, -3, 2.0, True, "5", None])
def test_a_count_is_a_positive_int(section: str, name: str, value: Any) -> None:
    sentence = (
        f"`{section}.{name}` should be a positive int. Received: {name}={value!r}."
    )
    with pytest.raises(ConfigError, match=f"^{re.escape(sentence)}$"):
        SECTIONS[section](**{name: value})


@pytest.mark.parametrize("value", [0, -3, 2.0, True, "5"])
def test_users_of_a_step_are_a_count_or_left_open(value: Any) -> None:
    assert HistorySettings(users=None).users is None
    sentence = f"`history.users` should be a positive int. Received: users={value!r}."
    with pytest.raises(ConfigError, match=f"^{re.escape(sentence)}$"):
        HistorySettings(users=value)


@pytest.mark.parametrize(("section", "name"), POSITIVE_INTS)
def test_one_is_a_count(section: str, name: str) -> None:
    assert getattr(SECTIONS[section](**{name: 1}), name) == 1


@pytest.mark.parametrize(("section", "name", "low", "high"), RANGES)
def test_a_number_stays_in_its_range(
    section: str, name: str, low: float, high: float
) -> None:
    sentence = rf"^`{section}\.{name}` should be a number from .* Received: {name}="
    for value in (low - 1, high * 1.01 + 1, float("nan"), "0.5", True, None):
        with pytest.raises(ConfigError, match=sentence):
            SECTIONS[section](**{name: value})
    for value in (low, high):
        assert getattr(SECTIONS[section](**{name: value}), name) == value


@pytest.mark.parametrize("section", ["training", "evaluation"])
def test_a_seed_is_a_whole_number_of_31_bits(section: str) -> None:
    sentence = rf"^`{section}\.seed` should be an int from 0 to 2147483647\. Received: "
    for value in (-1, 2**31, 1.5, True, "1", None):
        with pytest.raises(ConfigError, match=sentence + f"seed={value!r}"):
            SECTIONS[section](seed=value)
    for value in (0, 2**31 - 1):
        assert SECTIONS[section](seed=value).seed == value


@pytest.mark.parametrize("value", [0, "false", None])
@pytest.mark.parametrize(
    ("section", "name"), [("model", "video_attention_only"), ("training", "softmax")]
)
def test_a_switch_is_true_or_false(section: str, name: str, value: Any) -> None:
    sentence = f"`{section}.{name}` should be true or false. Received: {name}={value!r}"
    with pytest.raises(ConfigError, match=sentence):
        SECTIONS[section](**{name: value})


@pytest.mark.parametrize(
    ("section", "name"), [("model", "hidden"), ("evaluation", "cutoffs")]
)
def test_every_entry_of_a_list_is_a_positive_int(section: str, name: str) -> None:
    with pytest.raises(ConfigError, match=f"positive int. Received: {name}=0"):
        SECTIONS[section](**{name: (7, 0, 3)})


@pytest.mark.parametrize(
    ("section", "name"), [("model", "hidden"), ("evaluation", "cutoffs")]
)
def test_a_single_number_is_no_list(section: str, name: str) -> None:
    with pytest.raises(ConfigError, match=rf"{section}\.{name}.* Received: {name}=7"):
        from_json({section: {name: 7}})


@pytest.mark.parametrize(
    ("factors", "hidden", "widths"),
    [(16, (), (32, 16, 8)), (1, (), (2, 1, 1)), (16, (7, 5), (7, 5))],
)
def test_the_default_tower_is_that_of_ncf(
    factors: int, hidden: tuple[int, ...], widths: tuple[int, ...]
) -> None:
    assert ModelConfig(factors=factors, hidden=hidden).hidden_widths == widths


def test_settings_survive_their_json() -> None:
    config = Config(
        ModelConfig(factors=7, hidden=(5, 3), video_attention_only=True),
        TrainingConfig(learning_rate=0.01, epochs=2, seed=11),
        EvaluationConfig(held_out_fraction=0.3, cutoffs=(2, 3)),
    )
    assert from_json(json.loads(json.dumps(config.to_json()))) == config


def test_absent_settings_keep_their_defaults() -> None:
    assert from_json({}) == Config()
    assert from_json({"model": {"factors": 5}}) == Config(ModelConfig(factors=5))


def test_an_unknown_section_is_refused_with_the_known_ones() -> None:
    with pytest.raises(
        ConfigError, match="no section modle. Known: model, training, evaluation"
    ):
        from_json({"modle": {}})


def test_an_unknown_setting_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="`model` has no setting factor. .*factors"):
        from_json({"model": {"factor": 5}})


@pytest.mark.parametrize("content", [[], 3, "model", None])
def test_a_config_is_an_object(content: Any) -> None:
    with pytest.raises(ConfigError, match="should be an object"):
        from_json(content)


@pytest.mark.parametrize("content", [[], 3, "factors", None])
def test_a_section_is_an_object(content: Any) -> None:
    with pytest.raises(ConfigError, match="`model` should be an object"):
        from_json({"model": content})


def test_a_file_gives_its_settings(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    config = Config(ModelConfig(hops=3))
    path.write_text(json.dumps(config.to_json()))
    assert load(path) == config


def test_a_file_that_is_absent_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="config.json does not exist"):
        load(tmp_path / "config.json")


def test_broken_json_is_located(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text('{\n  "model": {"hops": }\n}')
    with pytest.raises(ConfigError, match="config.json .*line 2, column 21"):
        load(path)


def test_a_bad_setting_is_told_with_its_file(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text('{"model": {"hops": 0}}')
    with pytest.raises(ConfigError, match=r"config\.json: `model\.hops` should be"):
        load(path)


@pytest.mark.parametrize(
    ("weight", "last", "without", "expected"),
    [
        (0.0, None, None, (False, False)),
        (0.5, None, None, (True, True)),
        (0.5, False, None, (False, False)),
        (0.0, True, None, (True, True)),
        (0.5, None, False, (True, False)),
        (0.0, None, True, (False, True)),
    ],
)
def test_skipped_impressions_go_last_and_unrecommended_where_a_prior_knows_them(
    weight: float, last: object, without: object, expected: tuple[bool, bool]
) -> None:
    found = from_json(
        {
            "prior": {"impression_weight": weight},
            "evaluation": {"skipped_impressions_last": last},
            "recommendation": {"without_skipped_impressions": without},
        }
    )
    for same in (found, found.spelled_out()):
        assert same.ranks_skipped_impressions_last is expected[0]
        assert same.recommends_without_skipped_impressions is expected[1]
    chosen = found.spelled_out().evaluation.skipped_impressions_last
    assert chosen is expected[0]


@pytest.mark.parametrize(
    ("section", "name"),
    [
        ("evaluation", "skipped_impressions_last"),
        ("recommendation", "without_skipped_impressions"),
    ],
)
def test_what_needs_the_lists_of_users_is_refused_without_them(
    section: str, name: str
) -> None:
    content: dict[str, dict[str, bool]] = {"recommendation": {"remembers_likes": False}}
    content.setdefault(section, {})[name] = True
    with pytest.raises(ConfigError, match=rf"`{section}\.{name}` should be false"):
        from_json(content)


@pytest.mark.parametrize("value", [0, -3, 2.0, True, "5"])
def test_candidates_are_a_count_or_left_open(value: Any) -> None:
    content = {"history": {}, "recommendation": {"candidates": value}}
    with pytest.raises(ConfigError, match=r"`recommendation.candidates` should be a p"):
        from_json(content)
    assert Config().recommendation.candidates is None


@pytest.mark.parametrize("sections", [{}, {"history": {"product": False}}])
def test_candidates_are_refused_without_a_product(sections: dict[str, Any]) -> None:
    sentence = (
        "`recommendation.candidates` should be null for a model without a product by "
        "which to find them. Received: candidates=1000. Leave it out, or add the "
        "section `prior`, or `history` with its `product`."
    )
    content = {"recommendation": {"candidates": 1000}, **sections}
    with pytest.raises(ConfigError, match=f"^{re.escape(sentence)}$"):
        from_json(content)


@pytest.mark.parametrize("device", ["GPU", "tpu", None, 0])
def test_a_model_is_served_on_a_cpu_or_a_gpu(device: Any) -> None:
    with pytest.raises(
        ConfigError, match=r"^`recommendation\.device` should be one of"
    ):
        from_json({"recommendation": {"device": device}})
    assert Config().recommendation.device == "cpu"


@pytest.mark.parametrize("section", ["prior", "history"])
def test_candidates_are_found_by_either_product(section: str) -> None:
    found = from_json({"recommendation": {"candidates": 1000}, section: {}})
    assert found.recommendation.candidates == 1000


def test_without_the_lists_of_users_no_default_needs_them() -> None:
    content = {
        "prior": {"impression_weight": 0.5},
        "recommendation": {"remembers_likes": False},
    }
    found = from_json(content).spelled_out()
    assert not found.ranks_skipped_impressions_last
    assert not found.recommends_without_skipped_impressions
    assert not found.recommendation.remembers_likes


@pytest.mark.parametrize(
    ("section", "name"),
    [
        ("evaluation", "skipped_impressions_last"),
        ("recommendation", "remembers_likes"),
        ("recommendation", "without_skipped_impressions"),
    ],
)
def test_whether_to_skip_is_true_or_false(section: str, name: str) -> None:
    with pytest.raises(ConfigError, match=rf"`{section}\.{name}` should be true"):
        from_json({section: {name: "yes"}})
