"""Predict: types, shapes and the runtime's words (section 2)."""

from __future__ import annotations

from collections.abc import Iterator

from serving.checks.conformance.case import Case, tensor
from serving.checks.conformance.predict_cases import (
    EMB,
    FEATS,
    SCORE,
    USER,
    VIDEO,
    answered,
    refused,
    wide,
)
from serving.server.status import Code

_INVALID = Code.INVALID_ARGUMENT


def cases() -> Iterator[Case]:
    """What only the run itself checks, or does not check."""
    yield from _types()
    yield from _shapes()


def _types() -> Iterator[Case]:
    def typed(name: str, dtype: str, field: str) -> str:
        return tensor(name, dtype, [1], f"{field}: 3")

    wrong = {
        "feats": (0, "float", typed("feats", "DT_DOUBLE", "double_val"), "double"),
        "user": (1, "int64", typed("user", "DT_INT32", "int_val"), "int32"),
        "video": (2, "int64", typed("video", "DT_INT32", "int_val"), "int32"),
    }
    right = {"feats": FEATS, "user": USER, "video": VIDEO}
    for name, (index, expected, body, found) in wrong.items():
        others = " ".join(right[other] for other in right if other != name)
        yield refused(
            f"sends {found} for {name}",
            wide(f"{others} {body}"),
            f"Expects arg[{index}] to be {expected} but {found} is provided",
        )


def _shapes() -> Iterator[Case]:
    narrow = tensor("feats", "DT_FLOAT", [2, 3], "float_val: [1, 2, 3, 4, 5, 6]")
    yield answered(
        "does not enforce the signature's shapes",
        wide(f"{narrow} {USER} {VIDEO}"),
        tensor("score", "DT_FLOAT", [2], "float_val: [11, 20]", "outputs"),
        EMB,
    )
    many = tensor("video", "DT_INT64", [3], "int64_val: [0, 1, 2]")
    yield answered(
        "does not enforce one batch size",
        wide(f"{FEATS} {USER} {many}"),
        SCORE,
        tensor("emb", "DT_FLOAT", [3, 2], "float_val: [0, 1, 2, 3, 4, 5]", "outputs"),
    )
    nothing = "".join(
        tensor(name, dtype, shape, "")
        for name, dtype, shape in (
            ("feats", "DT_FLOAT", [0, 4]),
            ("user", "DT_INT64", [0]),
            ("video", "DT_INT64", [0]),
        )
    )
    yield answered(
        "answers an empty batch with empty outputs",
        wide(nothing),
        tensor("score", "DT_FLOAT", [0], "", "outputs"),
        tensor("emb", "DT_FLOAT", [0, 2], "", "outputs"),
    )
    far = tensor("video", "DT_INT64", [1], "int64_val: 400")
    yield Case(
        "Predict passes on what an op says",
        "Predict",
        wide(f"{FEATS} {USER} {far}"),
        code=_INVALID,
        pattern=r"indices\[0\] = 400 is not in \[0, 10\)\n\t "
        r"\[\[\{\{function_node __inference_.*\}\}\{\{node Gather.*\}\}\]\]",
    )
