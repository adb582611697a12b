"""A JSON file that a person wrote is read, or refused in one sentence."""

from __future__ import annotations

import codecs
from pathlib import Path

import pytest

from uvcan_tf import config
from uvcan_tf.errors import ConfigError, DeclarationError, UvcanError
from uvcan_tf.features import load
from uvcan_tf.json_files import read_json

REFUSED = {
    b'{"a": "cat\xe9gorie"}': "should be text in UTF-8; .* byte 0xe9 at position 10",
    b'{"a": \n ]}': "should be JSON; line 2, column 2: ",
    b"": "should be JSON; line 1, column 1: ",
    b"[" * 100_000: "nested too deeply",
}


def test_a_byte_order_mark_is_no_content(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(codecs.BOM_UTF8 + '{"größe": 3}'.encode())
    assert read_json(path, ConfigError) == {"größe": 3}


@pytest.mark.parametrize(("content", "sentence"), REFUSED.items())
@pytest.mark.parametrize("error", [ConfigError, DeclarationError])
def test_what_is_not_json_in_utf_8_is_refused(
    tmp_path: Path, content: bytes, sentence: str, error: type[UvcanError]
) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(content)
    with pytest.raises(error, match=f"a.json.* {sentence}"):
        read_json(path, error)


def test_a_folder_is_refused_by_either_reader(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        config.load(tmp_path)
    with pytest.raises(DeclarationError, match="cannot be read: Is a directory"):
        load(tmp_path)
