"""Which version answers, and what its reply says of it (contract, section 1)."""

from __future__ import annotations

from collections.abc import Iterator

from serving.checks.conformance.case import Case, served, spec, tensor
from serving.checks.conformance.example_cases import example
from serving.server.status import Code

HALF = "half_plus_two"
_FIELD = 'metadata_field: "signature_def"'
_X = tensor("x", "DT_FLOAT", [1], "float_val: 4")
_INPUT = f"input {{ example_list {{ {example(4.0)} }} }}"
_CALLS = {  # what each call sends besides its model_spec, and a signature to ask for
    "Predict": (_X, "serving_default"),
    "Classify": (_INPUT, "classify_x_to_y"),
    "Regress": (_INPUT, "regress_x_to_y"),
    "GetModelMetadata": (_FIELD, ""),
}
_REFUSED = {
    "without a model_spec": ("", Code.INVALID_ARGUMENT, "Missing ModelSpec"),
    "with an empty model_spec": (
        spec(),
        Code.INVALID_ARGUMENT,
        "ModelSpec has no name specified.",
    ),
    "with a version but no name": (
        spec(more="version { value: 1 }"),
        Code.INVALID_ARGUMENT,
        "ModelSpec has no name specified.",
    ),
    "for an unknown model": (
        spec("nope"),
        Code.NOT_FOUND,
        "Servable not found for request: Latest(nope)",
    ),
    "for an unknown version": (
        spec(HALF, "version { value: 99 }"),
        Code.NOT_FOUND,
        f"Servable not found for request: Specific({HALF}, 99)",
    ),
    "for version 0": (
        spec(HALF, "version {}"),
        Code.NOT_FOUND,
        f"Servable not found for request: Specific({HALF}, 0)",
    ),
    "for a version of an unknown model": (
        spec("nope", "version { value: 1 }"),
        Code.NOT_FOUND,
        "Servable not found for request: Specific(nope, 1)",
    ),
    "for an unknown label": (
        spec(HALF, 'version_label: "beta"'),
        Code.INVALID_ARGUMENT,
        "Unrecognized servable version label: beta",
    ),
    "for a label of an unknown model": (
        spec("nope", 'version_label: "stable"'),
        Code.INVALID_ARGUMENT,
        "Unrecognized servable version label: stable",
    ),
}
_CHOICES = {
    "no version": ("", 2),
    "version 1": ("version { value: 1 }", 1),
    "version 2": ("version { value: 2 }", 2),
    "label stable": ('version_label: "stable"', 1),
    "label canary": ('version_label: "canary"', 2),
}


def cases() -> Iterator[Case]:
    """Every way to name a version, for every call that takes one."""
    for call, (body, signature) in _CALLS.items():
        for name, (model_spec, code, message) in _REFUSED.items():
            yield Case(
                f"{call} {name}",
                call,
                f"{model_spec} {body}",
                code=code,
                message=message,
            )
        for name, (choice, version) in _CHOICES.items():
            yield Case(
                f"{call} with {name} is answered by version {version}",
                call,
                f"{spec(HALF, choice, signature)} {body}",
                reply=_reply(call, version, signature),
                has=(f"version {{ value: {version} }}",),
            )


def _reply(call: str, version: int, signature: str) -> str | None:
    """y = 4 / 2 + 2 in version 1, + 3 in version 2."""
    y = 3 + version
    echoed = served(HALF, version, signature)
    if call == "Predict":
        return echoed + tensor("y", "DT_FLOAT", [1], f"float_val: {y}", "outputs")
    if call == "Classify":
        return f"{echoed} result {{ classifications {{ classes {{ score: {y} }} }} }}"
    if call == "Regress":
        return f"{echoed} result {{ regressions {{ value: {y} }} }}"
    return None
