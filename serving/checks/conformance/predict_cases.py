"""Predict: signatures, inputs, defaults and filters (section 2)."""

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
SCORE = tensor("score", "DT_FLOAT", [1], "float_val: 15", "outputs")
EMB = tensor("emb", "DT_FLOAT", [1, 2], "float_val: [6, 7]", "outputs")
_A = tensor("a", "DT_INT32", [2], "int_val: [1, 2]")
_B = tensor("b", "DT_INT32", [], "int_val: 10")


def cases() -> Iterator[Case]:
    """Everything that Predict accepts and refuses."""
    yield from _signatures()
    yield from _counts()
    yield from _defaults()
    yield from _broken_tensors()
    yield from _filters()


def wide(body: str, signature: str = "") -> str:
    return f"{spec(WIDE, signature=signature)} {body}"


def refused(name: str, request: str, message: str) -> Case:
    return Case(f"Predict {name}", "Predict", request, code=_INVALID, message=message)


def answered(name: str, request: str, *outputs: str, signature: str = "") -> Case:
    echoed = served(WIDE, 1, signature or "serving_default")
    return Case(f"Predict {name}", "Predict", request, f"{echoed} {' '.join(outputs)}")


def _signatures() -> Iterator[Case]:
    yield answered("names the default signature", wide(_ALL), SCORE, EMB)
    yield Case(
        "Predict of an unknown signature",
        "Predict",
        wide(_ALL, "nosig"),
        code=Code.FAILED_PRECONDITION,
        message='Serving signature key "nosig" not found.',
    )
    yield Case(
        "Predict looks at the signature before the inputs",
        "Predict",
        wide("", "nosig"),
        code=Code.FAILED_PRECONDITION,
        message='Serving signature key "nosig" not found.',
    )
    yield Case(
        "Predict of the initialiser",
        "Predict",
        wide("", "__saved_model_init_op"),
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
    yield refused(
        "misses an input",
        wide(f"{FEATS} {USER}"),
        f"{text}2!=3 len({{feats,user}}) != len({{feats,user,video}}). "
        "Sent extra: {}. Missing but required: {video}.",
    )
    yield refused(
        "without inputs",
        wide(""),
        f"{text}0!=3 len({{}}) != len({{feats,user,video}}). "
        "Sent extra: {}. Missing but required: {feats,user,video}.",
    )
    yield refused(
        "sends an input too many",
        wide(f"{_ALL} {extra}"),
        f"{text}4!=3 len({{feats,user,video,zzz}}) != len({{feats,user,video}}). "
        "Sent extra: {zzz}. Missing but required: {}.",
    )
    yield refused(
        "sends another input than the wanted",
        wide(f"{FEATS} {USER} {extra}"),
        "Signature input alias: video(feed name: serving_default_video:0) not found in "
        "request and no default value provided. Inputs expected to be in the request "
        "{feats,user,zzz}, or default input alias set: ",
    )
    yield refused(
        "sends two of three, one of them wrong",
        wide(f"{FEATS} {extra}"),
        f"{text}2!=3 len({{feats,zzz}}) != len({{feats,user,video}}). "
        "Sent extra: {zzz}. Missing but required: {user,video}.",
    )


def _defaults() -> Iterator[Case]:
    def total(values: str) -> str:
        return tensor("sum", "DT_INT32", [2], f"int_val: {values}", "outputs")

    name = "with_default"
    yield answered(
        "fills an absent input with its default",
        wide(_A, name),
        total("[8, 9]"),
        signature=name,
    )
    yield answered(
        "prefers what was sent to the default",
        wide(f"{_A} {_B}", name),
        total("[11, 12]"),
        signature=name,
    )
    yield refused(
        "misses an input that has no default",
        wide(_B, name),
        "Signature input alias: a(feed name: with_default_a:0) not found in request "
        "and no default value provided. Inputs expected to be in the request {b}, or "
        "default input alias set: b",
    )
    yield refused(
        "names a wrong input beside a default",
        wide(_A + tensor("c", "DT_INT32", [], "int_val: 1"), name),
        "Inputs contains invalid name. Used request inputs: a, request input: a,c",
    )
    yield refused(
        "sends too many beside a default",
        wide(_A + _B + tensor("c", "DT_INT32", [], "int_val: 1"), name),
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
        yield refused(
            f"refuses a tensor with {name}",
            f"{spec(HALF)} {body}",
            "tensor parsing error: x",
        )
    yield refused(
        "counts inputs before it reads them",
        wide(tensor("feats", "DT_INVALID", [1], "")),
        "input size does not match signature: 1!=3 len({feats}) != "
        "len({feats,user,video}). Sent extra: {}. Missing but required: {user,video}.",
    )


def _filters() -> Iterator[Case]:
    def filtered(*names: str) -> str:
        return " ".join(f'output_filter: "{name}"' for name in names)

    yield answered("answers one output", wide(_ALL + filtered("score")), SCORE)
    yield answered(
        "answers both outputs when asked for both",
        wide(_ALL + filtered("score", "emb")),
        SCORE,
        EMB,
    )
    unknown = "output tensor alias not found in signature: "
    known = " Outputs expected to be in the set {emb,score}."
    for name in ("nope", "StatefulPartitionedCall:0"):
        yield refused(
            f"filters for {name}",
            wide(_ALL + filtered("score", name)),
            f"{unknown}{name}{known}",
        )
    yield refused(
        "filters for one output twice",
        wide(_ALL + filtered("score", "score")),
        "duplicate output tensor alias: score",
    )
    yield refused(
        "tells the first wrong name of a filter",
        wide(_ALL + filtered("score", "nope", "score")),
        f"{unknown}nope{known}",
    )
    yield refused(
        "binds inputs before it looks at the filter",
        wide(tensor("feats", "DT_INVALID", [1], "") + USER + VIDEO + filtered("nope")),
        "tensor parsing error: feats",
    )
