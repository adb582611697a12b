"""Predict: signatures, inputs, defaults, filters, the runtime's words (section 2)."""

from __future__ import annotations

from collections.abc import Iterator

from serving.checks.conformance.case import Case, served, spec, tensor
from serving.server.status import Code

HALF = "half_plus_two"
WIDE = "wide"
_INVALID = Code.INVALID_ARGUMENT

FEATS = tensor("feats", "DT_FLOAT", [1, 4], "float_val: [1, 2, 3, 4]")
USER = tensor("user", "DT_INT64", [1], "int64_val: 5")
VIDEO = tensor("video", "DT_INT64", [1], "int64_val: 3")
_ALL = f"{FEATS} {USER} {VIDEO}"
_SCORE = tensor("score", "DT_FLOAT", [1], "float_val: 15", "outputs")
_EMB = tensor("emb", "DT_FLOAT", [1, 2], "float_val: [6, 7]", "outputs")
_A = tensor("a", "DT_INT32", [2], "int_val: [1, 2]")
_B = tensor("b", "DT_INT32", [], "int_val: 10")


def cases() -> Iterator[Case]:
    """Everything that Predict accepts and refuses."""
    yield from _signatures()
    yield from _counts()
    yield from _defaults()
    yield from _broken_tensors()
    yield from _filters()
    yield from _runtime()


def _wide(body: str, signature: str = "") -> str:
    return f"{spec(WIDE, signature=signature)} {body}"


def _refused(name: str, request: str, message: str) -> Case:
    return Case(f"Predict {name}", "Predict", request, code=_INVALID, message=message)


def _answered(name: str, request: str, *outputs: str, signature: str = "") -> Case:
    echoed = served(WIDE, 1, signature or "serving_default")
    return Case(f"Predict {name}", "Predict", request, f"{echoed} {' '.join(outputs)}")


def _signatures() -> Iterator[Case]:
    yield _answered("names the default signature", _wide(_ALL), _SCORE, _EMB)
    yield Case(
        "Predict of an unknown signature",
        "Predict",
        _wide(_ALL, "nosig"),
        code=Code.FAILED_PRECONDITION,
        message='Serving signature key "nosig" not found.',
    )
    yield Case(
        "Predict looks at the signature before the inputs",
        "Predict",
        _wide("", "nosig"),
        code=Code.FAILED_PRECONDITION,
        message='Serving signature key "nosig" not found.',
    )
    yield Case(
        "Predict of the initialiser",
        "Predict",
        _wide("", "__saved_model_init_op"),
        code=Code.OUT_OF_RANGE,
        message="Node 'NoOp' (type: 'NoOp', num of outputs: 0) does not have output 0",
    )
    example = r"\n\017\n\r\n\001x\022\010\022\006\n\004\000\000\200@"  # x = 4
    for signature, key in (
        ("regress_x_to_y", "outputs"),
        ("classify_x_to_y", "scores"),
    ):
        shape = [1] if key == "outputs" else [1, 1]
        yield Case(
            f"Predict works on {signature}",
            "Predict",
            f"{spec(HALF, signature=signature)} "
            + tensor("inputs", "DT_STRING", [1], f'string_val: "{example}"'),
            served(HALF, 2, signature)
            + tensor(key, "DT_FLOAT", shape, "float_val: 5", "outputs"),
        )


def _counts() -> Iterator[Case]:
    text = "input size does not match signature: "
    extra = tensor("zzz", "DT_INT64", [1], "int64_val: 3")
    yield _refused(
        "misses an input",
        _wide(f"{FEATS} {USER}"),
        f"{text}2!=3 len({{feats,user}}) != len({{feats,user,video}}). "
        "Sent extra: {}. Missing but required: {video}.",
    )
    yield _refused(
        "without inputs",
        _wide(""),
        f"{text}0!=3 len({{}}) != len({{feats,user,video}}). "
        "Sent extra: {}. Missing but required: {feats,user,video}.",
    )
    yield _refused(
        "sends an input too many",
        _wide(f"{_ALL} {extra}"),
        f"{text}4!=3 len({{feats,user,video,zzz}}) != len({{feats,user,video}}). "
        "Sent extra: {zzz}. Missing but required: {}.",
    )
    yield _refused(
        "sends another input than the wanted",
        _wide(f"{FEATS} {USER} {extra}"),
        "Signature input alias: video(feed name: serving_default_video:0) not found in "
        "request and no default value provided. Inputs expected to be in the request "
        "{feats,user,zzz}, or default input alias set: ",
    )
    yield _refused(
        "sends two of three, one of them wrong",
        _wide(f"{FEATS} {extra}"),
        f"{text}2!=3 len({{feats,zzz}}) != len({{feats,user,video}}). "
        "Sent extra: {zzz}. Missing but required: {user,video}.",
    )


def _defaults() -> Iterator[Case]:
    def total(values: str) -> str:
        return tensor("sum", "DT_INT32", [2], f"int_val: {values}", "outputs")

    name = "with_default"
    yield _answered(
        "fills an absent input with its default",
        _wide(_A, name),
        total("[8, 9]"),
        signature=name,
    )
    yield _answered(
        "prefers what was sent to the default",
        _wide(f"{_A} {_B}", name),
        total("[11, 12]"),
        signature=name,
    )
    yield _refused(
        "misses an input that has no default",
        _wide(_B, name),
        "Signature input alias: a(feed name: with_default_a:0) not found in request "
        "and no default value provided. Inputs expected to be in the request {b}, or "
        "default input alias set: b",
    )
    yield _refused(
        "names a wrong input beside a default",
        _wide(_A + tensor("c", "DT_INT32", [], "int_val: 1"), name),
        "Inputs contains invalid name. Used request inputs: a, request input: a,c",
    )
    yield _refused(
        "sends too many beside a default",
        _wide(_A + _B + tensor("c", "DT_INT32", [], "int_val: 1"), name),
        "input size does not match signature: 3!=2 len({a,b,c}) != len({a,b}). "
        "Sent extra: {c}. Missing but required: {}.",
    )


def _broken_tensors() -> Iterator[Case]:
    broken = {
        "no dtype": tensor("x", "DT_INVALID", [1], ""),
        "a negative size": tensor("x", "DT_FLOAT", [-1], "float_val: 1"),
        "content too short": tensor("x", "DT_FLOAT", [1], 'tensor_content: "abc"'),
        "content too long": tensor("x", "DT_FLOAT", [1], 'tensor_content: "abcde"'),
    }
    for name, body in broken.items():
        yield _refused(
            f"refuses a tensor with {name}",
            f"{spec(HALF)} {body}",
            "tensor parsing error: x",
        )
    yield _refused(
        "counts inputs before it reads them",
        _wide(tensor("feats", "DT_INVALID", [1], "")),
        "input size does not match signature: 1!=3 len({feats}) != "
        "len({feats,user,video}). Sent extra: {}. Missing but required: {user,video}.",
    )


def _filters() -> Iterator[Case]:
    def filtered(*names: str) -> str:
        return " ".join(f'output_filter: "{name}"' for name in names)

    yield _answered("answers one output", _wide(_ALL + filtered("score")), _SCORE)
    yield _answered(
        "answers both outputs when asked for both",
        _wide(_ALL + filtered("score", "emb")),
        _SCORE,
        _EMB,
    )
    unknown = "output tensor alias not found in signature: "
    known = " Outputs expected to be in the set {emb,score}."
    for name in ("nope", "StatefulPartitionedCall:0"):
        yield _refused(
            f"filters for {name}",
            _wide(_ALL + filtered("score", name)),
            f"{unknown}{name}{known}",
        )
    yield _refused(
        "filters for one output twice",
        _wide(_ALL + filtered("score", "score")),
        "duplicate output tensor alias: score",
    )
    yield _refused(
        "tells the first wrong name of a filter",
        _wide(_ALL + filtered("score", "nope", "score")),
        f"{unknown}nope{known}",
    )
    yield _refused(
        "binds inputs before it looks at the filter",
        _wide(tensor("feats", "DT_INVALID", [1], "") + USER + VIDEO + filtered("nope")),
        "tensor parsing error: feats",
    )


def _runtime() -> Iterator[Case]:
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
        yield _refused(
            f"sends {found} for {name}",
            _wide(f"{others} {body}"),
            f"Expects arg[{index}] to be {expected} but {found} is provided",
        )
    narrow = tensor("feats", "DT_FLOAT", [2, 3], "float_val: [1, 2, 3, 4, 5, 6]")
    yield _answered(
        "does not enforce the signature's shapes",
        _wide(f"{narrow} {USER} {VIDEO}"),
        tensor("score", "DT_FLOAT", [2], "float_val: [11, 20]", "outputs"),
        _EMB,
    )
    many = tensor("video", "DT_INT64", [3], "int64_val: [0, 1, 2]")
    yield _answered(
        "does not enforce one batch size",
        _wide(f"{FEATS} {USER} {many}"),
        _SCORE,
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
    yield _answered(
        "answers an empty batch with empty outputs",
        _wide(nothing),
        tensor("score", "DT_FLOAT", [0], "", "outputs"),
        tensor("emb", "DT_FLOAT", [0, 2], "", "outputs"),
    )
    far = tensor("video", "DT_INT64", [1], "int64_val: 400")
    yield Case(
        "Predict passes on what an op says",
        "Predict",
        _wide(f"{FEATS} {USER} {far}"),
        code=_INVALID,
        pattern=r"indices\[0\] = 400 is not in \[0, 10\)\n\t "
        r"\[\[\{\{function_node __inference_.*\}\}\{\{node Gather.*\}\}\]\]",
    )
