"""`kill -9` at random moments: the next run ends as if nothing had happened.

One whole run, stopped for a moment after some of its steps, gives roots as a kill there
would leave them. Every other round begins with a copy of one of them, so that a kill in
the Pusher does not cost another training. `make drills` kills 30 times; the option is
`--kills`.
"""

import dataclasses
import random
import shutil
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from tests.tfx_pipeline.small_runs import Small, check_in_order, weights
from tfx_pipeline import report

pytestmark = [
    pytest.mark.drill,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

#: A phase begins where its name's step has ended, and ends with the next one; the last
#: is what comes after the push.
PHASES = ("", "Transform", "Trainer", "Evaluator", "Pusher")
#: How often each is drawn: training and export take longest.
WEIGHTS = (2, 4, 2, 3, 1)


@dataclasses.dataclass(frozen=True)
class Whole:
    """What a run without a kill gives, and the roots that it had on its way."""

    roots: dict[str, Path]
    began_s: dict[str, float]
    figures: object
    weights: dict[str, npt.NDArray[np.generic]]

    def seconds_of(self, phase: str) -> float:
        """How long the phase took."""
        moments = [*self.began_s.values()]
        place = PHASES.index(phase)
        return moments[place + 1] - moments[place]


def test_a_killed_run_is_finished_by_the_next_one_to_the_bit(
    tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    kills: int = pytestconfig.getoption("--kills")
    moments = random.Random(pytestconfig.getoption("--kills-seed"))
    small, root = Small(tmp_path), tmp_path / "root"
    began = time.monotonic()
    whole = _run_whole(small, root)
    _check(small, root, whole)
    phases: Counter[str] = Counter()
    while phases.total() < kills:
        [phase] = moments.choices(PHASES, WEIGHTS)
        shutil.rmtree(root)
        shutil.copytree(whole.roots[phase], root, symlinks=True)
        for _ in range(min(moments.randint(1, 3), kills - phases.total())):
            if not _killed(small, root, phase, moments.random(), whole):
                break
            phases[phase or "the beginning"] += 1
        status, screen = small.run(root)
        assert status == 0, screen
        _check(small, root, whole)
        took_s = time.monotonic() - began
        print(
            f"\n{phases.total()} kills in {took_s:.0f} s; before them: {dict(phases)}"
        )


def _run_whole(small: Small, root: Path) -> Whole:
    """A run that is stopped after some steps, copied, and goes on."""
    roots = {"": root.with_name("after nothing")}
    roots[""].mkdir()
    process = small.start(root)
    began, copying = time.monotonic(), 0.0
    began_s = {"": 0.0}
    for step in _steps(process):
        if step not in PHASES:
            continue
        process.send_signal(signal.SIGSTOP)
        stopped = time.monotonic()
        began_s[step] = stopped - began - copying
        roots[step] = root.with_name(f"after {step}")
        shutil.copytree(root, roots[step], symlinks=True)
        copying += time.monotonic() - stopped
        process.send_signal(signal.SIGCONT)
    screen, _ = process.communicate()
    assert process.returncode == 0, screen
    began_s["end"] = time.monotonic() - began - copying
    assert tuple(began_s) == (*PHASES, "end")
    return Whole(roots, began_s, *_made(small, root))


def _killed(small: Small, root: Path, phase: str, part: float, whole: Whole) -> bool:
    """Kills a run in a phase, after a part of its time; False if it was faster."""
    process = small.start(root)
    if phase:
        assert phase in _steps(process), "The step before should have come to its end."
    ends = time.monotonic() + part * whole.seconds_of(phase)
    while process.poll() is None and time.monotonic() < ends:
        time.sleep(0.002)
    alive = process.poll() is None
    process.kill()
    screen, _ = process.communicate()
    assert alive or process.returncode == 0, screen
    return alive


def _steps(process: "subprocess.Popen[str]") -> Iterator[str]:
    """The names of steps, as each of them is told to have ended."""
    assert process.stdout is not None
    for line in process.stdout:
        words = line.split()
        if words[-1:] in (["s"], ["cached"]):
            yield words[0]


def _made(
    small: Small, root: Path
) -> tuple[object, dict[str, npt.NDArray[np.generic]]]:
    """The figures, and the weights of what was pushed."""
    found = report.read(small.config(root))
    assert found.pushed is not None
    return found.slices, weights(found.pushed)


def _check(small: Small, root: Path, whole: Whole) -> None:
    """The same figures and weights to the bit, one version, nothing left over."""
    check_in_order(root)
    figures, made = _made(small, root)
    assert figures == whole.figures
    assert made.keys() == whole.weights.keys()
    for name, value in made.items():
        assert _bits(value) == _bits(whole.weights[name]), name


def _bits(values: npt.NDArray[np.generic]) -> object:
    """Of strings the values themselves; an array holds where they are."""
    return values.tolist() if values.dtype == object else values.tobytes()
