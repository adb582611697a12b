"""Every servable type there and back, in either encoding, and the odd ones."""

from __future__ import annotations

from collections.abc import Iterator

from serving.checks.conformance.case import Case, served, spec, tensor

_WIDE = "wide"
_TYPES = {  # name: (enum, typed values as replied, the same as little-endian content)
    "float32": ("DT_FLOAT", "float_val: [1.5, -2]", r"\000\000\300?\000\000\000\300"),
    "float64": (
        "DT_DOUBLE",
        "double_val: [1.5, -2]",
        r"\000\000\000\000\000\000\370?\000\000\000\000\000\000\000\300",
    ),
    "float16": ("DT_HALF", "half_val: [15872, 49152]", r"\000>\000\300"),
    "int8": ("DT_INT8", "int_val: [5, -3]", r"\005\375"),
    "int16": ("DT_INT16", "int_val: [5, -3]", r"\005\000\375\377"),
    "int32": ("DT_INT32", "int_val: [5, -3]", r"\005\000\000\000\375\377\377\377"),
    "int64": (
        "DT_INT64",
        "int64_val: [5, -3]",
        r"\005\000\000\000\000\000\000\000\375\377\377\377\377\377\377\377",
    ),
    "uint8": ("DT_UINT8", "int_val: [5, 253]", r"\005\375"),
    "uint16": ("DT_UINT16", "int_val: [5, 65533]", r"\005\000\375\377"),
    "uint32": (
        "DT_UINT32",
        "uint32_val: [5, 4294967293]",
        r"\005\000\000\000\375\377\377\377",
    ),
    "uint64": (
        "DT_UINT64",
        "uint64_val: [5, 18446744073709551613]",
        r"\005\000\000\000\000\000\000\000\375\377\377\377\377\377\377\377",
    ),
    "bool": ("DT_BOOL", "bool_val: [true, false]", r"\001\000"),
    "complex64": (
        "DT_COMPLEX64",
        "scomplex_val: [1.5, -2, 0, 1.5]",
        r"\000\000\300?\000\000\000\300\000\000\000\000\000\000\300?",
    ),
    "complex128": (
        "DT_COMPLEX128",
        "dcomplex_val: [1.5, -2, 0, 1.5]",
        r"\000\000\000\000\000\000\370?\000\000\000\000\000\000\000\300"
        r"\000\000\000\000\000\000\000\000\000\000\000\000\000\000\370?",
    ),
    "string": ("DT_STRING", 'string_val: ["ab", "c\\377"]', r"\002\002abc\377"),
}


def cases() -> Iterator[Case]:
    """Echoes: what goes in must come out, in typed fields."""
    for name, (enum, typed, content) in _TYPES.items():
        yield _echo(f"{name} in typed fields", name, enum, [2], typed, typed)
        packed = f'tensor_content: "{content}"'
        yield _echo(f"{name} as content", name, enum, [2], packed, typed)
    yield from _shapes()
    yield from _lenient()


def _shapes() -> Iterator[Case]:
    values = "float_val: [1, 2, 3, 4, 5, 6]"
    yield _echo("a matrix", "float32", "DT_FLOAT", [2, 3], values, values)
    yield _echo("a cube", "float32", "DT_FLOAT", [1, 6, 1], values, values)
    yield _echo("a scalar", "float32", "DT_FLOAT", [], "float_val: 7", "float_val: 7")
    yield _echo("an empty vector", "int32", "DT_INT32", [0], "", "")
    yield _echo("an empty matrix", "float32", "DT_FLOAT", [0, 3], "", "")
    yield _echo(
        "a scalar string", "string", "DT_STRING", [], *(2 * ['string_val: "x"'])
    )
    odd = "float_val: [nan, inf, -inf]"
    yield _echo("numbers that are none", "float32", "DT_FLOAT", [3], odd, odd)


def _lenient() -> Iterator[Case]:
    yield _echo(
        "too few values by repeating the last",
        *("float32", "DT_FLOAT", [4], "float_val: [1, 2]", "float_val: [1, 2, 2, 2]"),
    )
    yield _echo(
        "one value as all",
        *("int64", "DT_INT64", [3], "int64_val: 9", "int64_val: [9, 9, 9]"),
    )
    yield _echo(
        "no values as zeros",
        *("int32", "DT_INT32", [3], "", "int_val: [0, 0, 0]"),
    )
    yield _echo(
        "no strings as empty ones",
        *("string", "DT_STRING", [2], "", 'string_val: ["", ""]'),
    )
    yield _echo(
        "too many values by cutting them",
        *("float32", "DT_FLOAT", [2], "float_val: [1, 2, 3]", "float_val: [1, 2]"),
    )
    unknown = (
        'inputs { key: "x" value { dtype: DT_FLOAT tensor_shape { unknown_rank: true } '
        "float_val: 3 } }"
    )
    yield Case(
        "Predict reads an unknown rank as a scalar",
        "Predict",
        f"{spec(_WIDE, signature='echo_float32')} {unknown}",
        served(_WIDE, 1, "echo_float32")
        + tensor("y", "DT_FLOAT", [], "float_val: 3", "outputs"),
    )
    yield Case(
        "Predict reads an absent shape as a scalar",
        "Predict",
        f"{spec(_WIDE, signature='echo_float32')} "
        'inputs { key: "x" value { dtype: DT_FLOAT float_val: 3 } }',
        served(_WIDE, 1, "echo_float32")
        + tensor("y", "DT_FLOAT", [], "float_val: 3", "outputs"),
    )


def _echo(
    claim: str, name: str, enum: str, shape: list[int], sent: str, replied: str
) -> Case:
    signature = f"echo_{name}"
    return Case(
        f"Predict reads {claim}",
        "Predict",
        f"{spec(_WIDE, signature=signature)} {tensor('x', enum, shape, sent)}",
        served(_WIDE, 1, signature) + tensor("y", enum, shape, replied, "outputs"),
    )
