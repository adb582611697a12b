"""The JSON that a request may hold, row by row of the parser's grammar."""

import json
import math
import random
from pathlib import Path
from typing import Any

import pytest

from serving.checks.conformance import rest_cases
from serving.server.api import Api
from serving.server.lifecycle import Loading
from serving.server.metrics import Metrics
from serving.server.rest.calls import RestCalls
from serving.server.rest.document import parse
from serving.server.savedmodel import SavedModel
from serving.server.status import Code, StatusError
from serving.server.storage import ModelConfig
from serving.server.store import ModelStore


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b'{"a": 1}', 1),
        (b'\xef\xbb\xbf {"a": 1}', 1),
        (b'{"a": 1, "a": 2}', 1),
        (b'{"a": -0}', 0),
        (b'{"a": 18446744073709551615}', 2**64 - 1),
        (b'{"a": 18446744073709551616}', 2.0**64),
        (b'{"a": -9223372036854775808}', -(2**63)),
        (b'{"a": -9223372036854775809}', -(2.0**63)),
        (b'{"a": 1e-400}', 0.0),
        (b'{"a": Inf}', math.inf),
        (b'{"a": -Inf}', -math.inf),
        (b'{"a": -Infinity}', -math.inf),
        (b'{"a": ["Inf", Inf]}', ["Inf", math.inf]),
        (b'{"a": "\xff"}', "\udcff"),
        (b'{"a": "\\ud83d\\ude00"}', "\U0001f600"),
        (b'{"a": "\\\\ud83d"}', "\\ud83d"),
    ],
)
def test_what_the_grammar_has_is_read(text: bytes, value: Any) -> None:
    found = parse(text)["a"]
    assert found == value and type(found) is type(value)


def test_no_number_is_read() -> None:
    for text in (b'{"a": NaN}', b'{"a": -NaN}'):
        assert math.isnan(parse(text)["a"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "The document is empty"),
        (b"  ", "The document is empty."),
        (b"[1]", "Is not object"),
        (b"{", "Missing a name for object member."),
        (b"{a: 1}", "Missing a name for object member."),
        (b'{"a": 1,}', "Missing a name for object member."),
        (b'{"a" 1}', "Missing a colon after a name of object member."),
        (b'{"a": 1 "b": 2}', "Missing a comma or } after an object member."),
        (b'{"a": [{}, 1 2]}', "Missing a comma or ] after an array element."),
        (b'{"a": ["}", {"b": 1 2}]}', "Missing a comma or } after an object member."),
        (b'{"a": [1,]}', "Invalid value."),
        (b'{"a": tru}', "Invalid value."),
        (b'{"a": "x', "Missing a closing quotation mark in string."),
        (b'{"a": "\x01"}', "Invalid encoding in string."),
        (b'{"a": "\\q"}', "Invalid escape character in string."),
        (b'{"a": "\\u12"}', "Incorrect hex digit after \\u escape in string."),
        (b'{"a": "\\ud83d"}', "The surrogate pair in string is invalid."),
        (b'{"a": "\\ude00"}', "The surrogate pair in string is invalid."),
        (b'{"a": 1} x', "The document root must not be followed by other values."),
        (b'{"a": 1e400}', "Number too big to be stored in double."),
        (b'{"a": ' + b"9" * 5000 + b"}", "Number too big to be stored in double."),
        ('{"a": 1}'.encode("utf-16"), "Invalid value."),
        (b'{"a": ' + b"[" * 100_000, "JSON Parse error: "),
    ],
)
def test_what_the_grammar_lacks_is_told(text: bytes, message: str) -> None:
    with pytest.raises(StatusError) as caught:
        parse(text)
    assert caught.value.code == Code.INVALID_ARGUMENT
    assert message in caught.value.message


PIECES = [
    *(b"[", b"]", b"{", b"}", b",", b":", b'"', b"\\", b"\\ud800", b"\xff", b"\x00"),
    *(b"null", b"true", b"NaN", b"1e999", b"-", b"0.5", b"9" * 30, b"-" + b"9" * 5000),
    *(b'{"b64": "?"}', b'{"b64": "\xc3\xa9"}', b'"x"', b"[" * 40 + b"1" + b"]" * 40),
    *(b"[" * 3000, b'"instances"', b'"inputs"', b'"signature_name"', b"[[], [1]]"),
]


def _mutated(body: bytes, chance: random.Random) -> bytes:
    for _ in range(chance.randint(1, 3)):
        start = chance.randint(0, len(body))
        end = min(len(body), start + chance.choice([0, 0, 1, 2, 8]))
        body = body[:start] + chance.choice(PIECES) + body[end:]
    return body


def test_no_body_ends_in_an_internal_error(models: Path) -> None:
    store = ModelStore(Loading(SavedModel), poll_s=0)
    names = ("half_plus_two", "wide")
    store.apply([ModelConfig(name, models / name) for name in names])
    calls = RestCalls(Api(store, Metrics()), timeout_s=5)
    asked = [
        (case.path, case.document)
        for case in rest_cases.cases()
        if case.document is not None and not case.headers
    ]
    chance = random.Random(7)
    codes: set[Code] = set()
    for _ in range(3000):
        path, document = chance.choice(asked)
        body = document if isinstance(document, bytes) else json.dumps(document)
        body = _mutated(body.encode() if isinstance(body, str) else body, chance)
        try:
            calls.answer("POST", path, body).encode("utf-8", "surrogateescape")
        except StatusError as error:
            error.message.encode("utf-8", "surrogateescape")
            codes.add(error.code)
            assert error.code not in (Code.INTERNAL, Code.UNKNOWN), (path, body, error)
    store.stop()
    assert Code.INVALID_ARGUMENT in codes
