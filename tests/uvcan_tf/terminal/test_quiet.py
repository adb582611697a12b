"""A command's standard error is the user's: native libraries say nothing on it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

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


# A made-up TensorFlow: what the real one says differs from release to release.
SAYS = """
import os
def say(line):
    os.write(2, line.encode() + b"\\n")
say("WARNING: All log messages before absl::InitializeLog() is called are written")
say("I0000 00:00:1795650060.527970   29725 port.cc:153] oneDNN operations are on.")
say("F0000 00:00:1795650060.527970   29725 cpu.cc:1] This processor has no AVX.")
"""
IMPORTS = """
from uvcan_tf.terminal.quiet import quiet
quiet()
quiet()
import os
import tensorflow
os.write(2, b"I0000 is said after the import\\n")
print(tensorflow.__spec__.name, tensorflow.__file__, tensorflow.__path__)
"""


def run_with(tensorflow: str, folder: Path) -> subprocess.CompletedProcess[str]:
    package = folder / "tensorflow"
    package.mkdir()
    (package / "__init__.py").write_text(tensorflow)
    path = os.pathsep.join([str(folder), str(Path(__file__).parents[3])])
    return subprocess.run(
        [sys.executable, "-c", IMPORTS],
        env={**os.environ, "PYTHONPATH": path, "UVCAN_VERBOSE": "0"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_only_the_start_up_lines_of_the_import_are_left_out(tmp_path: Path) -> None:
    done = run_with(SAYS, tmp_path)
    fatal, after = done.stderr.splitlines()
    assert fatal.startswith("F0000 ")
    assert after == "I0000 is said after the import"
    package = tmp_path / "tensorflow"
    assert done.stdout == f"tensorflow {package / '__init__.py'} ['{package}']\n"


@pytest.mark.parametrize("ending", ["os.abort()", "raise ImportError('no AVX')"])
def test_what_is_said_before_a_failing_import_is_kept(
    ending: str, tmp_path: Path
) -> None:
    done = run_with(f"{SAYS}\n{ending}\n", tmp_path)
    assert done.returncode != 0
    assert "This processor has no AVX." in done.stderr
