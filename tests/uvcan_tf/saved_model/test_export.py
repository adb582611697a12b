"""Every signature of a saved model against the model in memory and brute force.

Shapes: B users, C candidates, V=11 videos.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

from tests import worlds
from uvcan_tf import features as names
from uvcan_tf.catalogue.catalogue import Catalogue
from uvcan_tf.config import Config
from uvcan_tf.data.dataset import Dataset
from uvcan_tf.evaluation import metrics
from uvcan_tf.evaluation.ranking import SAMPLED, rank_pairs
from uvcan_tf.model.uvcan import UVCAN
from uvcan_tf.saved_model.export import export
from uvcan_tf.training.fit import fit

pytestmark = pytest.mark.slow  # one export serves all, and takes a few seconds

CONFIG = worlds.SMALL_CONFIG
ALL_VIDEOS = [row[names.VIDEO_ID] for row in worlds.VIDEOS]
ALL_USERS = [row[names.USER_ID] for row in worlds.USERS]
STRANGER = "nobody's id"


class Saved(NamedTuple):
    """A loaded model and what it was made from."""

    loaded: Any
    defaults: dict[str, dict[str, Any]]
    model: UVCAN
    dataset: Dataset
    assets: Path

    def call(self, signature: str, **inputs: Any) -> dict[str, Any]:
        """The outputs; inputs left out take their saved defaults, as on a server."""
        function = self.loaded.signatures[signature]
        wanted = function.structured_input_signature[1]
        given = {**self.defaults[signature], **inputs}
        if isinstance(given.get(names.K), int):
            given[names.K] = [given[names.K]]
        outputs = function(
            **{n: tf.constant(given[n], s.dtype) for n, s in wanted.items()}
        )
        return {name: output.numpy() for name, output in outputs.items()}

    def rank(self, users: list[str], videos: list[list[str]]) -> Any:
        return self.call(names.RANK, user_id=users, video_ids=videos)[names.SCORE]

    def recommend(self, users: list[str], **options: Any) -> list[list[str]]:
        found = self.call(names.RECOMMEND, user_id=users, **options)
        return [[v.decode() for v in row] for row in found[names.VIDEO_IDS]]

    def liked(self, user: str) -> set[str]:
        """What the user likes in training."""
        row = ALL_USERS.index(user) + 1
        likes = self.dataset.train.where(self.dataset.train.user == row)
        return {ALL_VIDEOS[video - 1] for video in likes.video}

    def best(self, user: str, without: set[str]) -> list[str]:
        """All videos but some, by the signature `rank`, the best first."""
        scores = self.rank([user], [ALL_VIDEOS])[0]
        order = [ALL_VIDEOS[i] for i in np.argsort(-scores, kind="stable")]
        return [video for video in order if video not in without]


def save(
    model: UVCAN, dataset: Dataset, folder: Path, config: Config = CONFIG
) -> Saved:
    """Exports and loads."""
    export(model, dataset, None, config, folder)
    message = SavedModel()
    message.ParseFromString((folder / "saved_model.pb").read_bytes())
    values = {
        name: {key: tf.make_ndarray(v) for key, v in signature.defaults.items()}
        for name, signature in message.meta_graphs[0].signature_def.items()
    }
    return Saved(
        tf.saved_model.load(str(folder)), values, model, dataset, folder / "assets"
    )


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Saved:
    dataset = worlds.small()
    return save(fit(dataset, CONFIG), dataset, tmp_path_factory.mktemp("export") / "1")


def in_memory(saved: Saved) -> Any:
    """The trained model's probabilities [users, videos]."""
    users = tf.range(1, len(ALL_USERS) + 1)
    videos = tf.tile(tf.range(1, len(ALL_VIDEOS) + 1)[None], [len(ALL_USERS), 1])
    return tf.sigmoid(saved.model.rate(users, videos).logits).numpy()


def test_rank_gives_the_scores_of_the_model_in_memory(saved: Saved) -> None:
    scores = saved.rank(ALL_USERS, [ALL_VIDEOS] * len(ALL_USERS))
    np.testing.assert_allclose(scores, in_memory(saved), atol=1e-5)


def test_raw_examples_give_the_scores_of_the_model_in_memory(saved: Saved) -> None:
    rows = [{**user, **video} for user in worlds.USERS for video in worlds.VIDEOS]
    examples = [worlds.example(row) for row in rows]
    scores = saved.call(names.SERVING_DEFAULT, examples=examples)[names.SCORE]
    np.testing.assert_allclose(scores, in_memory(saved).reshape(-1), atol=1e-5)


def test_an_example_without_any_feature_has_a_score(saved: Saved) -> None:
    scores = saved.call(names.SERVING_DEFAULT, examples=[b""])[names.SCORE]
    assert scores.shape == (1,)
    assert np.isfinite(scores).all()


def test_the_features_of_an_unknown_user_count(saved: Saved) -> None:
    video = worlds.VIDEOS[0]
    rows = [{names.USER_ID: STRANGER, "gender": g, **video} for g in ("f", "m")]
    examples = [worlds.example(row) for row in rows]
    scores = saved.call(names.SERVING_DEFAULT, examples=examples)[names.SCORE]
    assert scores[0] != scores[1]


@pytest.mark.parametrize("user", ALL_USERS)
def test_recommend_is_the_best_of_what_is_not_liked(saved: Saved, user: str) -> None:
    expected = saved.best(user, without=saved.liked(user))[:3]
    assert saved.recommend([user], k=3) == [expected]


def test_recommend_gives_the_scores_of_rank(saved: Saved) -> None:
    found = saved.call(names.RECOMMEND, user_id=["ann", "bob"], k=4)
    ids = [[v.decode() for v in row] for row in found[names.VIDEO_IDS]]
    ranked = saved.rank(["ann", "bob"], ids)
    np.testing.assert_allclose(found[names.SCORE], ranked, atol=1e-5)


def test_recommend_gives_ten_by_default(saved: Saved) -> None:
    assert len(saved.recommend(["eve"])[0]) == 10


def test_each_user_of_a_batch_gets_the_same_as_alone(saved: Saved) -> None:
    together = saved.recommend(ALL_USERS, k=4)
    assert together == [saved.recommend([user], k=4)[0] for user in ALL_USERS]


def test_a_user_who_runs_out_of_videos_gets_empty_names(saved: Saved) -> None:
    found = saved.call(names.RECOMMEND, user_id=["bob", "eve"], k=1000)
    left = saved.best("bob", without=saved.liked("bob"))
    none = len(ALL_VIDEOS) - len(left)
    bob, eve = [[v.decode() for v in row] for row in found[names.VIDEO_IDS]]
    assert bob == left + [""] * none
    assert np.isneginf(found[names.SCORE][0, len(left) :]).all()
    assert found[names.FOUND].tolist() == [len(left), len(ALL_VIDEOS)]
    assert eve == saved.best("eve", without=set())


def test_excluded_videos_are_left_out_for_their_user_only(saved: Saved) -> None:
    first = saved.recommend(["ann", "eve"], k=2)
    excluded = [first[0], [first[1][0], ""]]
    found = saved.recommend(["ann", "eve"], k=3, exclude_video_ids=excluded)
    liked = saved.liked("ann")
    assert found[0] == saved.best("ann", without=liked | set(first[0]))[:3]
    assert found[1] == saved.best("eve", without={first[1][0]})[:3]


def test_excluding_unknown_videos_changes_nothing(saved: Saved) -> None:
    found = saved.recommend(["ann"], k=3, exclude_video_ids=[[STRANGER, ""]])
    assert found == saved.recommend(["ann"], k=3)


def test_nothing_asked_for_is_nothing_found(saved: Saved) -> None:
    assert saved.recommend(["ann"], k=0) == [[]]


def test_candidates_are_the_only_ones_recommended(saved: Saved) -> None:
    listed = ["v9", "v2", STRANGER, "v2", "", "v4", "v1"]
    found = saved.recommend(["ann"], candidate_video_ids=[listed])[0]
    best = saved.best("ann", without=saved.liked("ann"))
    expected = [video for video in best if video in listed]
    assert found == expected + [""] * (10 - len(expected))


def test_an_empty_list_of_candidates_leaves_nothing(saved: Saved) -> None:
    nothing: list[list[str]] = [[], []]
    found = saved.recommend(["ann", "bob"], k=2, candidate_video_ids=nothing)
    assert found == [["", ""], ["", ""]]


def test_excluded_candidates_are_left_out(saved: Saved) -> None:
    found = saved.recommend(
        ["eve"],
        k=2,
        candidate_video_ids=[["v2", "v5"]],
        exclude_video_ids=[["v5", "v5"]],
    )
    assert found == [["v2", ""]]


def test_each_user_has_candidates_of_their_own(saved: Saved) -> None:
    listed = [["v2", "v5"], ["v1", "v0"]]
    found = saved.recommend(["eve", STRANGER], k=2, candidate_video_ids=listed)
    assert [set(row) for row in found] == [set(row) for row in listed]


def test_each_user_asks_for_a_number_of_their_own(saved: Saved) -> None:
    found = saved.call(names.RECOMMEND, user_id=["ann", "eve"], k=[1, 3])
    ids = [[v.decode() for v in row] for row in found[names.VIDEO_IDS]]
    assert ids[0] == [*saved.recommend(["ann"], k=1)[0], "", ""]
    assert ids[1] == saved.recommend(["eve"], k=3)[0]
    assert found[names.FOUND].tolist() == [1, 3]
    assert np.isneginf(found[names.SCORE][0, 1:]).all()


def test_a_user_with_candidates_and_one_without_share_a_batch(saved: Saved) -> None:
    listed = [["", "v2", "v5"], ["", "", ""]]
    found = saved.recommend(["eve", "ann"], k=3, candidate_video_ids=listed)
    alone = saved.recommend(["eve"], k=3, candidate_video_ids=[["v2", "v5"]])
    assert found == [alone[0], saved.recommend(["ann"], k=3)[0]]


def test_every_default_is_of_one_row(saved: Saved) -> None:
    """A server joins calls by the first dimension of every input."""
    optional = {
        signature: {n: np.shape(v) for n, v in saved.defaults[signature].items()}
        for signature in (names.RECOMMEND, names.RANK_BY_ATTRIBUTES)
    }
    told = {"gender": (1,), "place": (1,)}
    lists = {names.EXCLUDE_VIDEO_IDS: (1, 1), names.CANDIDATE_VIDEO_IDS: (1, 1)}
    assert optional[names.RANK_BY_ATTRIBUTES] == told
    assert optional[names.RECOMMEND] == {names.K: (1,), **lists, **told}


def stranger_scores(saved: Saved, **attributes: str) -> Any:
    """Of all videos, from raw examples: the path that needs no table."""
    rows = [{names.USER_ID: STRANGER, **attributes, **row} for row in worlds.VIDEOS]
    examples = [worlds.example(row) for row in rows]
    return saved.call(names.SERVING_DEFAULT, examples=examples)[names.SCORE]


@pytest.mark.parametrize(
    "told", [{"gender": "m"}, {"gender": "f", "place": "north"}, {"place": "south"}]
)
def test_the_attributes_of_a_stranger_are_ranked_by(
    saved: Saved, told: dict[str, str]
) -> None:
    inputs = {name: [value] for name, value in told.items()}
    found = saved.call(
        names.RANK_BY_ATTRIBUTES, user_id=[STRANGER], video_ids=[ALL_VIDEOS], **inputs
    )[names.SCORE]
    expected = stranger_scores(saved, **told)
    np.testing.assert_allclose(found[0], expected, atol=1e-6)
    unknown = saved.rank([STRANGER], [ALL_VIDEOS])
    assert np.abs(found - unknown).min() > 1e-6


def test_the_attributes_of_a_stranger_are_recommended_by(saved: Saved) -> None:
    scores = stranger_scores(saved, gender="m", place="south")
    expected = [ALL_VIDEOS[i] for i in np.argsort(-scores, kind="stable")]
    told = {"gender": ["m"], "place": ["south"]}
    assert saved.recommend([STRANGER], k=11, **told) == [expected]
    two = saved.recommend([STRANGER], k=2, candidate_video_ids=[ALL_VIDEOS], **told)
    assert two == [expected[:2]]


def test_attributes_count_for_strangers_only(saved: Saved) -> None:
    users, told = ["ann", STRANGER], {"gender": ["m", "m"]}
    found = saved.recommend(users, k=4, **told)
    assert found[0] == saved.recommend(["ann"], k=4)[0]
    assert found[1] == saved.recommend([STRANGER], k=4, gender=["m"])[0]
    both = saved.call(
        names.RANK_BY_ATTRIBUTES, user_id=users, video_ids=[["v1"], ["v1"]], **told
    )
    assert both[names.SCORE][0] == saved.rank(["ann"], [["v1"]])[0]


def test_one_attribute_value_serves_a_whole_batch(saved: Saved) -> None:
    users, videos = [STRANGER, "another"], [["v1"], ["v1"]]
    found = saved.call(
        names.RANK_BY_ATTRIBUTES, user_id=users, video_ids=videos, gender=["m"]
    )
    assert found[names.SCORE][0] == found[names.SCORE][1]
    with pytest.raises(tf.errors.InvalidArgumentError):
        saved.call(
            names.RANK_BY_ATTRIBUTES,
            user_id=["a", "b", "c"],
            video_ids=[[]],
            gender=["m"] * 2,
        )


def test_a_score_is_a_regression_and_two_classes(saved: Saved) -> None:
    examples = [worlds.example(worlds.USERS[0] | video) for video in worlds.VIDEOS]
    expected = saved.call(names.SERVING_DEFAULT, examples=examples)[names.SCORE]
    for signature in (names.CLASSIFY, names.REGRESS):
        found = saved.call(signature, inputs=examples)
        np.testing.assert_allclose(found[names.OUTPUTS], expected, atol=1e-6)
        np.testing.assert_allclose(found[names.SCORES][:, 1], expected, atol=1e-6)
        np.testing.assert_allclose(found[names.SCORES].sum(1), 1, atol=1e-6)
        assert found[names.CLASSES].tolist() == [[b"not_liked", b"liked"]] * 11


def test_an_unknown_user_is_recommended_from_everything(saved: Saved) -> None:
    expected = saved.best(STRANGER, without=set())
    assert saved.recommend([STRANGER], k=1000) == [expected]


def test_unknown_users_and_videos_are_ranked_and_explained(saved: Saved) -> None:
    assert np.isfinite(saved.rank([STRANGER], [[STRANGER, "v1"]])).all()
    told = saved.call(names.EXPLAIN, user_id=[STRANGER], video_id=[STRANGER])
    assert np.isfinite(told[names.SCORE]).all()


def explained(saved: Saved, user: str, video: str) -> dict[str, Any]:
    return saved.call(names.EXPLAIN, user_id=[user], video_id=[video])


def test_explain_names_the_declared_facets(saved: Saved) -> None:
    told = explained(saved, "ann", "v0")
    facets = [v.decode() for v in told[names.VIDEO_FACETS][0]]
    assert tuple(facets) == worlds.FEATURES.video_facets
    facets = [v.decode() for v in told[names.USER_FACETS][0]]
    assert tuple(facets) == worlds.FEATURES.user_facets


@pytest.mark.parametrize("user", ["ann", "cat", "dan"])
@pytest.mark.parametrize("video", ["v0", "v3", "v4"])
def test_explain_spreads_each_hop_over_what_is_there(
    saved: Saved, user: str, video: str
) -> None:
    told = explained(saved, user, video)
    row = worlds.USERS[ALL_USERS.index(user)] | worlds.VIDEOS[ALL_VIDEOS.index(video)]
    for output, facets in (
        (names.VIDEO_ATTENTION, worlds.FEATURES.video_facets),
        (names.USER_ATTENTION, worlds.FEATURES.user_facets),
    ):
        attention = told[output][0]
        assert attention.shape == (CONFIG.model.hops, len(facets))
        np.testing.assert_allclose(attention.sum(-1), 1, atol=1e-5)
        there = [row[name] is not None for name in facets]
        assert ((attention > 0) == there).all()


def test_explain_gives_the_score_of_rank(saved: Saved) -> None:
    told = saved.call(names.EXPLAIN, user_id=["ann", "bob"], video_id=["v2", "v7"])
    ranked = saved.rank(["ann", "bob"], [["v2"], ["v7"]])
    np.testing.assert_allclose(told[names.SCORE], ranked[:, 0], atol=1e-5)


def held_out_examples(dataset: Dataset) -> list[bytes]:
    rows = []
    for user, video in zip(dataset.test.user, dataset.test.video, strict=True):
        others = dataset.test.video[dataset.test.user == user]
        rows.append(
            {
                names.USER_ID: ALL_USERS[user - 1],
                names.VIDEO_ID: ALL_VIDEOS[video - 1],
                names.HELD_OUT: [ALL_VIDEOS[other - 1] for other in others],
            }
        )
    return [worlds.example(row) for row in rows]


def evaluated(saved: Saved) -> dict[str, Any]:
    examples = held_out_examples(saved.dataset)
    return saved.call(names.EVALUATE, examples=examples)


def test_evaluate_ranks_as_the_library_does(saved: Saved) -> None:
    ranked = rank_pairs(
        Catalogue(saved.model), saved.dataset, CONFIG.evaluation, (SAMPLED,)
    ).by_protocol[SAMPLED]
    found = evaluated(saved)
    np.testing.assert_allclose(found[names.SAMPLED_RANK], ranked.rank)
    expected = metrics.auc(ranked.rank, ranked.rivals)
    np.testing.assert_allclose(found[names.AUC], expected, atol=1e-6)


def test_evaluate_measures_as_the_metrics_do(saved: Saved) -> None:
    found = evaluated(saved)
    rank = found[names.SAMPLED_RANK].astype(np.float64)
    for k in CONFIG.evaluation.cutoffs:
        np.testing.assert_allclose(found[names.hr_at(k)], metrics.hit_ratio(rank, k))
        expected = metrics.ndcg(rank, k)
        np.testing.assert_allclose(found[names.ndcg_at(k)], expected, atol=1e-6)


def test_a_pair_is_ranked_alike_in_any_company(saved: Saved) -> None:
    examples = held_out_examples(saved.dataset)
    order = np.random.default_rng(5).permutation(len(examples))
    shuffled = saved.call(names.EVALUATE, examples=[examples[i] for i in order])
    alone = [saved.call(names.EVALUATE, examples=[example]) for example in examples]
    for name in METRICS:
        expected = np.concatenate([outputs[name] for outputs in alone])
        np.testing.assert_allclose(shuffled[name], expected[order], rtol=1e-6)


def test_each_row_tells_its_own_held_out_videos(saved: Saved) -> None:
    rivals = [["v2", "v5", "v7"], ["v3"], []]
    rows = [
        {
            names.USER_ID: STRANGER,
            names.VIDEO_ID: "v0",
            names.HELD_OUT: [video for video in ALL_VIDEOS if video not in others],
        }
        for others in rivals
    ]
    found = saved.call(names.EVALUATE, examples=[worlds.example(row) for row in rows])
    for rank, others in zip(found[names.SAMPLED_RANK], rivals, strict=True):
        own, *theirs = saved.rank([STRANGER], [["v0", *others]])[0]
        assert rank == 1 + sum(score > own for score in theirs)


def test_evaluate_of_no_rows_gives_none(saved: Saved) -> None:
    found = saved.call(names.EVALUATE, examples=np.empty(0, object))
    assert {output.shape for output in found.values()} == {(0,)}


def test_evaluate_of_unknown_ids_gives_a_rank(saved: Saved) -> None:
    row = {names.USER_ID: STRANGER, names.VIDEO_ID: STRANGER}
    found = saved.call(names.EVALUATE, examples=[worlds.example(row)])
    assert 1 <= found[names.SAMPLED_RANK][0] <= 1 + len(ALL_VIDEOS)


METRICS = {"sampled_rank", "auc", "hr_at_1", "hr_at_3", "ndcg_at_1", "ndcg_at_3"}


@pytest.mark.parametrize("told", [{}, {"gender": ["f"]}])
def test_an_answer_says_which_ids_the_tables_had(saved: Saved, told: Any) -> None:
    users = [STRANGER, ALL_USERS[0]]
    found = saved.call(names.RECOMMEND, user_id=users, **told)
    assert found[names.KNOWN_USER].tolist() == [False, True]
    videos = [ALL_VIDEOS[0], "no such video"]
    found = saved.call(names.EXPLAIN, user_id=users, video_id=videos)
    assert found[names.KNOWN_USER].tolist() == [False, True]
    assert found[names.KNOWN_VIDEO].tolist() == [True, False]


EXPLANATION = {
    "video_attention": "float32",
    "user_attention": "float32",
    "video_facets": "string",
    "user_facets": "string",
    "score": "float32",
    "known_user": "bool",
    "known_video": "bool",
}
USER, VIDEOS = {"user_id": "string"}, {"video_ids": "string"}
EXAMPLES, SCORE = {"examples": "string"}, {"score": "float32"}
TOLD = {"gender": "string", "place": "string"}
FORMS = (
    {"inputs": "string"},
    {"outputs": "float32", "scores": "float32", "classes": "string"},
)
SIGNATURES = {
    "serving_default": (EXAMPLES, SCORE),
    "classify": FORMS,
    "regress": FORMS,
    "rank": (USER | VIDEOS, SCORE),
    "rank_by_attributes": (USER | VIDEOS | TOLD, SCORE),
    "recommend": (
        USER
        | {"k": "int32", "exclude_video_ids": "string", "candidate_video_ids": "string"}
        | TOLD,
        VIDEOS | SCORE | {"found": "int32", "known_user": "bool"},
    ),
    "explain": (USER | {"video_id": "string"}, EXPLANATION),
    "evaluate": (EXAMPLES, dict.fromkeys(METRICS, "float32")),
}


def test_there_are_eight_signatures(saved: Saved) -> None:
    assert set(saved.loaded.signatures) == set(SIGNATURES)


@pytest.mark.parametrize("signature", SIGNATURES)
def test_names_and_types_of_a_signature_do_not_change(
    saved: Saved, signature: str
) -> None:
    function = saved.loaded.signatures[signature]
    inputs = function.structured_input_signature[1]
    outputs = function.structured_outputs
    found = tuple(
        {name: spec.dtype.name for name, spec in specs.items()}
        for specs in (inputs, outputs)
    )
    assert found == SIGNATURES[signature]


def test_ids_and_vocabularies_are_assets(saved: Saved) -> None:
    texts = {p.name: p.read_text().splitlines() for p in saved.assets.iterdir()}
    assert ALL_USERS in texts.values() and ALL_VIDEOS in texts.values()
    for vocabulary in saved.dataset.vocabularies.values():
        assert list(vocabulary) in texts.values()


def test_nothing_of_the_training_is_saved(saved: Saved) -> None:
    variables = tf.train.list_variables(
        str(saved.assets.parent / "variables/variables")
    )
    names_of = " ".join(name for name, _ in variables)
    assert not any(word in names_of for word in ("optimizer", "Adam", "momentum"))


def test_video_att_is_explained_without_user_attention(tmp_path: Path) -> None:
    config = dataclasses.replace(
        CONFIG, model=dataclasses.replace(CONFIG.model, video_attention_only=True)
    )
    dataset = worlds.small()
    model = UVCAN(dataset, config)
    model.rate(tf.constant([1]), tf.constant([[1]]))
    told = explained(save(model, dataset, tmp_path / "1"), "ann", "v0")
    assert told[names.USER_ATTENTION].shape == (1, 0, 3)
    assert told[names.VIDEO_ATTENTION].shape == (1, 2, 4)
