"""Hashes are HMAC-SHA-256, and keys are not to be guessed."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from uvcan_tf.errors import ConfigError
from uvcan_tf.hashed_ids import checked_key, hashed, read_key

KEY = b"0123456789abcdef"


def test_a_hash_is_what_openssl_computes() -> None:
    command = ["openssl", "dgst", "-sha256", "-hmac", KEY.decode()]
    result = subprocess.run(command, input="Zoë".encode(), capture_output=True)
    assert result.stdout.decode().split()[-1][:32] == hashed("Zoë", KEY)


def test_another_key_gives_another_hash() -> None:
    assert hashed("ann", KEY) != hashed("ann", KEY[::-1])


def test_a_key_file_may_end_in_a_line_break(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(KEY + b"\n")
    assert read_key(tmp_path / "key") == KEY


def test_a_short_key_is_refused(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(KEY[1:])
    with pytest.raises(ConfigError, match=r"at least 16 .* Received: 15 bytes"):
        read_key(tmp_path / "key")


def test_a_key_that_is_no_bytes_is_refused() -> None:
    with pytest.raises(ConfigError, match="Received: str"):
        checked_key("a text of more than sixteen")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nowhere should be a file"):
        read_key(tmp_path / "nowhere")
