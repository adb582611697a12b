"""A command's standard error is the user's: native libraries say nothing on it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

CODE = """
from uvcan_tf.terminal.quiet import quiet, quiet_xla
quiet()
quiet_xla()
import sys
import tensorflow as tf
tf.function(tf.exp, jit_compile=True)(tf.zeros([2]))
print("said by the command", file=sys.stderr)
"""


@pytest.mark.slow
@pytest.mark.parametrize("verbose", [False, True])
def test_compiling_says_nothing_unless_asked(verbose: bool) -> None:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("TF_")}
    environment["UVCAN_VERBOSE"] = "1" if verbose else "0"
    done = subprocess.run(
        [sys.executable, "-c", CODE], env=environment, capture_output=True, text=True
    )
    assert done.stderr.endswith("said by the command\n")
    assert (done.stderr == "said by the command\n") is not verbose
