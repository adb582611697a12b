"""What the REST API answers (contract, section 9): a path, a body, and the reply."""

from __future__ import annotations

from typing import Any, Final

ROWS: Final = {"instances": [1.0, 4]}
_INFINITY: Final = float("inf")

RIGHT: Final[dict[str, tuple[str, Any, Any]]] = {
    "a row of a bare list": (
        "half_plus_two:predict",
        ROWS,
        {"predictions": [3.5, 5.0]},
    ),
    "a row of objects": (
        "half_plus_two/versions/1:predict",
        {"instances": [{"x": 1.0}]},
        {"predictions": [2.5]},
    ),
    "another version": (
        "half_plus_two/versions/2:predict",
        ROWS,
        {"predictions": [3.5, 5.0]},
    ),
    "a label": (
        "half_plus_two/labels/stable:predict",
        {"inputs": [2.0]},
        {"outputs": [3.0]},
    ),
    "another label": (
        "half_plus_two/labels/canary:predict",
        {"inputs": [2.0]},
        {"outputs": [4.0]},
    ),
    "a name in percents": (
        "half%5Fplus_two:predict",
        {"inputs": [2.0]},
        {"outputs": [4.0]},
    ),
    "unknown keys of the document": (
        "half_plus_two:predict",
        {"inputs": [2.0], "who": "me"},
        {"outputs": [4.0]},
    ),
    "several outputs by row": (
        "wide:predict",
        {"instances": [{"feats": [1, 2, 3, 4], "user": 5, "video": 3}]},
        {"predictions": [{"score": 15.0, "emb": [6.0, 7.0]}]},
    ),
    "several outputs by column, more names than wanted": (
        "wide:predict",
        {"inputs": {"feats": [[1, 2, 3, 4]], "user": [5], "video": [3], "z": 1}},
        {"outputs": {"score": [15.0], "emb": [[6.0, 7.0]]}},
    ),
    "base64 strings": (
        "wide:predict",
        {"signature_name": "echo_string", "inputs": {"x": [{"b64": "YWI="}, "c"]}},
        {"outputs": ["ab", "c"]},
    ),
    "base64 strings by row": (
        "wide:predict",
        {"signature_name": "echo_string", "instances": [{"b64": "YWI="}, "c"]},
        {"predictions": ["ab", "c"]},
    ),
    "strings beyond ASCII": (
        "wide:predict",
        {"signature_name": "strings", "inputs": "日本"},
        {"outputs": {"text": "日本", "length": 6}},
    ),
    "short decimals": (
        "wide:predict",
        {"signature_name": "echo_float32", "inputs": [0.1, 16777217.0]},
        {"outputs": [0.1, 16777216.0]},
    ),
    "infinite numbers": (
        "wide:predict",
        {"signature_name": "echo_float32", "inputs": [_INFINITY, -_INFINITY]},
        {"outputs": [_INFINITY, -_INFINITY]},
    ),
    "a scalar": (
        "wide:predict",
        {"signature_name": "echo_int64", "inputs": 2**53},
        {"outputs": 2**53},
    ),
    "a matrix by row": (
        "wide:predict",
        {"signature_name": "echo_int32", "instances": [[1, 2], [3, 4]]},
        {"predictions": [[1, 2], [3, 4]]},
    ),
    "truths": (
        "wide:predict",
        {"signature_name": "echo_bool", "instances": [True, False]},
        {"predictions": [True, False]},
    ),
    "doubles": (
        "wide:predict",
        {"signature_name": "echo_float64", "inputs": [0.1, 1e300]},
        {"outputs": [0.1, 1e300]},
    ),
    "an input that has a default": (
        "wide:predict",
        {"signature_name": "with_default", "inputs": {"a": [1, 2], "b": 3}},
        {"outputs": [4, 5]},
    ),
    "classify": (
        "half_plus_two:classify",
        {"signature_name": "classify_labels", "examples": [{"x": 4.0}]},
        {"results": [[["high", 5.0], ["low", -5.0]]]},
    ),
    "classify without labels": (
        "half_plus_two:classify",
        {"signature_name": "classify_x_to_y", "examples": [{"x": 2.0}, {"x": 4.0}]},
        {"results": [[["", 4.0]], [["", 5.0]]]},
    ),
    "regress": (
        "half_plus_two/versions/1:regress",
        {"signature_name": "regress_x_to_y", "examples": [{"x": 2.0}]},
        {"results": [3.0]},
    ),
    "regress with a context": (
        "half_plus_two:regress",
        {
            "signature_name": "regress_x_to_y",
            "context": {"x": 2.0},
            "examples": [{}, {"x": [4.0]}],
        },
        {"results": [4.0, 5.0]},
    ),
}
for _kind in ("int8", "int16", "int32", "int64", "uint8", "uint32", "uint64"):
    RIGHT[f"numbers of {_kind}"] = (
        "wide:predict",
        {"signature_name": f"echo_{_kind}", "inputs": [[0, 7], [1, 100]]},
        {"outputs": [[0, 7], [1, 100]]},
    )
