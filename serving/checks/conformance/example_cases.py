"""Classify, Regress and MultiInference (contract, section 3)."""

from __future__ import annotations

from collections.abc import Iterator

from serving.checks.conformance.case import Case, served, spec
from serving.server.status import Code

HALF = "half_plus_two"
_INVALID = Code.INVALID_ARGUMENT
_CLASSIFY = "tensorflow/serving/classify"
_REGRESS = "tensorflow/serving/regress"


def example(x: float, of: str = "examples") -> str:
    """An example whose only feature is x."""
    value = f"float_list {{ value: {x} }}"
    return f'{of} {{ features {{ feature {{ key: "x" value {{ {value} }} }} }} }}'


_THREE = f"input {{ example_list {{ {example(0)} {example(2)} {example(-8)} }} }}"
_ONE = f"input {{ example_list {{ {example(4)} }} }}"
_CONTEXT = (
    f"input {{ example_list_with_context {{ examples {{}} {example(2)} "
    f"{example(4, 'context')} }} }}"
)
_EMPTY = {
    "no input": "",
    "no examples": "input { example_list {} }",
    "a context but no examples": (
        f"input {{ example_list_with_context {{ {example(1, 'context')} }} }}"
    ),
}


def cases() -> Iterator[Case]:
    """Right and wrong signatures, inputs and outputs of the three calls."""
    yield from _classify()
    yield from _regress()
    yield from _both()
    yield from _multi_right()
    yield from _multi_wrong()


def _request(signature: str, body: str = _ONE) -> str:
    return f"{spec(HALF, signature=signature)} {body}"


def _refused(call: str, signature: str, message: str) -> Case:
    name = f"{call} refuses {signature}"
    return Case(name, call, _request(signature), code=_INVALID, message=message)


def _classify() -> Iterator[Case]:
    def result(*rows: str) -> str:
        return " ".join(f"classifications {{ {row} }}" for row in rows)

    yield Case(
        "Classify answers one score for each example",
        "Classify",
        _request("classify_x_to_y", _THREE),
        reply=f"{served(HALF, 2, 'classify_x_to_y')} result {{ "
        + result(*(f"classes {{ score: {y} }}" for y in (3, 4, -1)))
        + " }",
    )
    yield Case(
        "Classify answers labels and scores together",
        "Classify",
        _request("classify_labels"),
        reply=f"{served(HALF, 2, 'classify_labels')} result {{ "
        + result(
            'classes { label: "high" score: 5 } classes { label: "low" score: -5 }'
        )
        + " }",
    )
    yield _refused(
        "Classify",
        "classify_vector",
        "Expected Tensor shape: [batch_size num_classes] but got [1]",
    )
    for signature in ("classify_wrong_output", "serving_default"):
        text = (
            r"Expected classification signature outputs to contain at least one of "
            r'"classes" or "scores"\. Signature was: .*'
        )
        inputs = r"No classification inputs found in SignatureDef: .*"
        yield Case(
            f"Classify refuses {signature}",
            "Classify",
            _request(signature),
            code=_INVALID,
            pattern=text if signature != "serving_default" else inputs,
        )


def _regress() -> Iterator[Case]:
    def result(signature: str, *values: float) -> str:
        rows = " ".join(f"regressions {{ value: {value} }}" for value in values)
        return f"{served(HALF, 2, signature)} result {{ {rows} }}"

    for signature in ("regress_x_to_y", "regress_as_matrix"):
        yield Case(
            f"Regress answers one value for each example of {signature}",
            "Regress",
            _request(signature, _THREE),
            reply=result(signature, 3, 4, -1),
        )
    yield Case(
        "Regress lets an example override the context",
        "Regress",
        _request("regress_x_to_y", _CONTEXT),
        reply=result("regress_x_to_y", 5, 4),
    )
    yield _refused(
        "Regress",
        "regress_wrong_type",
        "Expected output Tensor of DT_FLOAT.  Got: DT_INT32",
    )
    yield _refused("Regress", "classify_labels", "Expected one output Tensor.")
    for signature, side in (
        ("regress_wrong_input", "inputs"),
        ("regress_wrong_output", "outputs"),
        ("serving_default", "inputs"),
    ):
        yield Case(
            f"Regress refuses {signature}",
            "Regress",
            _request(signature),
            code=_INVALID,
            pattern=f"No regression {side} found in SignatureDef: .*",
        )


def _both() -> Iterator[Case]:
    for call, signature in (
        ("Classify", "classify_x_to_y"),
        ("Regress", "regress_x_to_y"),
    ):
        yield _refused(call, "nosig", "No signature was found with the name: nosig")
        for name, body in _EMPTY.items():
            yield Case(
                f"{call} refuses {name}",
                call,
                _request(signature, body),
                code=_INVALID,
                message="Input is empty.",
            )
        yield Case(
            f"{call} looks at the signature before the input",
            call,
            _request("nosig", ""),
            code=_INVALID,
            message="No signature was found with the name: nosig",
        )
        yield Case(
            f"{call} passes on what the parser says",
            call,
            _request(signature, "input { example_list { examples {} } }"),
            code=_INVALID,
            pattern=r".*Feature: x \(data type: float\) is required but could not be "
            r"found\.\n\t \[\[\{\{.*",
        )


def _task(signature: str, method: str, model: str = HALF) -> str:
    return f'tasks {{ {spec(model, signature=signature)} method_name: "{method}" }}'


def _multi_right() -> Iterator[Case]:
    pair = _task("regress_as_matrix", _REGRESS) + _task("classify_shared", _CLASSIFY)
    yield Case(
        "MultiInference answers the tasks in their order",
        "MultiInference",
        f"{pair} {_ONE}",
        reply=f"results {{ {served(HALF, 2, 'regress_as_matrix')} "
        "regression_result { regressions { value: 5 } } } "
        f"results {{ {served(HALF, 2, 'classify_shared')} "
        "classification_result { classifications { classes { score: 5 } } } }",
    )
    two = _task("regress_x_to_y", _REGRESS) + _task("classify_x_to_y", _CLASSIFY)
    yield Case(
        "MultiInference feeds the input to signatures of two tensors",
        "MultiInference",
        f"{two} {_ONE}",
        reply=f"results {{ {served(HALF, 2, 'regress_x_to_y')} "
        "regression_result { regressions { value: 5 } } } "
        f"results {{ {served(HALF, 2, 'classify_x_to_y')} "
        "classification_result { classifications { classes { score: 5 } } } }",
    )
    yield Case(
        "MultiInference answers a single task",
        "MultiInference",
        f"{_task('regress_x_to_y', _REGRESS)} {_ONE}",
        reply=f"results {{ {served(HALF, 2, 'regress_x_to_y')} "
        "regression_result { regressions { value: 5 } } }",
    )


def _multi_wrong() -> Iterator[Case]:
    good = _task("regress_x_to_y", _REGRESS)
    wrong = {
        "no tasks": ("", "ModelSpec has no name specified."),
        "a second task without a name": (
            good + _task("classify_x_to_y", _CLASSIFY, ""),
            "Found ModelSpec with an empty model name.",
        ),
        "tasks of two models": (
            good + _task("serving_default", _CLASSIFY, "wide"),
            "All ModelSpecs in a MultiInferenceRequest must access the same model "
            "name.",
        ),
        "one signature twice": (
            good + good,
            "Duplicate evaluation of signature: regress_x_to_y",
        ),
        "an unknown signature": (
            _task("nosig", _REGRESS),
            "Requested signature not found in model graph: nosig",
        ),
    }
    for name, (tasks, message) in wrong.items():
        yield Case(
            f"MultiInference refuses {name}",
            "MultiInference",
            f"{tasks} {_ONE}",
            code=_INVALID,
            message=message,
        )
    yield from _multi_others(good)


def _multi_others(good: str) -> Iterator[Case]:
    predict = "tensorflow/serving/predict"
    wrong = {
        "refuses an empty input": (good, _INVALID, "Input is empty."),
        "knows only classify and regress": (
            f"{_task('serving_default', predict)} {_ONE}",
            Code.UNIMPLEMENTED,
            f"Unsupported signature method_name: {predict}",
        ),
        "of an unknown model": (
            f"{_task('x', _REGRESS, 'nope')} {_ONE}",
            Code.NOT_FOUND,
            "Servable not found for request: Latest(nope)",
        ),
    }
    for name, (body, code, message) in wrong.items():
        title = f"MultiInference {name}"
        yield Case(title, "MultiInference", body, code=code, message=message)
