"""`scripts/setup` takes the newest stack that a machine runs, or says what it lacks."""

from __future__ import annotations

import dataclasses
import os
import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "setup"
NEW, OLD = "py312-tfx121", "py310-tfx116"
DEBIAN, UBUNTU = "ID=debian\n", "ID=ubuntu\nID_LIKE=debian\n"
FEDORA, ARCH = "ID=fedora\n", "ID=arch\n"


@dataclasses.dataclass(frozen=True)
class Machine:
    """What the script can find out about a machine."""

    glibc: str | None = "2.41"
    pythons: tuple[str, ...] = ()
    without_venv: tuple[str, ...] = ()
    without_headers: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    libgomp: bool = True
    release: str = DEBIAN
    kind: str = "Linux x86_64"


def write(folder: Path, name: str, body: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)


def plan(machine: Machine, folder: Path) -> subprocess.CompletedProcess[str]:
    """Runs the script where nothing but the made-up machine's commands exists."""
    write(folder, "uname", f"echo {machine.kind}")
    write(folder, "ldconfig", "echo libgomp.so.1" if machine.libgomp else "exit 0")
    if machine.glibc is not None:
        write(folder, "getconf", f"echo glibc {machine.glibc}")
    for name in machine.commands:
        write(folder, name, "exit 0")
    for name in machine.pythons:
        lacks = [
            code
            for code, names in (
                ("ensurepip", machine.without_venv),
                ("Python.h", machine.without_headers),
            )
            if name in names
        ]
        cases = " ".join(f"*{code}*) exit 1 ;;" for code in lacks)
        write(folder, name, f'case "$2" in {cases} *) exit 0 ;; esac')
    release = folder / "os-release"
    release.write_text(machine.release)
    bash = shutil.which("bash")
    assert bash is not None
    return subprocess.run(
        [bash, str(SCRIPT), "--plan"],
        env={"PATH": str(folder), "OS_RELEASE": str(release)},
        capture_output=True,
        text=True,
        check=False,
    )


RUNS = {
    "Debian 13": (Machine("2.41", ("python3", "python3.13")), NEW, "3.13", "venv"),
    "Ubuntu 24.04": (Machine("2.39", ("python3.12",)), NEW, "3.12", "venv"),
    "newest first": (
        Machine("2.39", ("python3.10", "python3.12", "python3.13")),
        NEW,
        "3.13",
        "venv",
    ),
    "what is here before what is fetched": (
        Machine("2.39", ("python3.10", "python3.14"), commands=("uv", "c++")),
        OLD,
        "3.10",
        "venv",
    ),
    "only too new a Python": (
        Machine("2.42", ("python3", "python3.14")),
        NEW,
        "3.13",
        "fetched-uv",
    ),
    "uv stands in for venv": (
        Machine(
            "2.41", ("python3.13",), without_venv=("python3.13",), commands=("uv",)
        ),
        NEW,
        "3.13",
        "uv",
    ),
    "Ubuntu 22.04": (
        Machine("2.35", ("python3", "python3.10"), commands=("c++",)),
        OLD,
        "3.10",
        "venv",
    ),
    "too old for the Python that is here": (
        Machine("2.36", ("python3", "python3.13"), commands=("c++",)),
        OLD,
        "3.10",
        "fetched-uv",
    ),
    "uv alone": (Machine("2.41", commands=("uv",)), NEW, "3.13", "uv"),
}


@pytest.mark.parametrize("name", RUNS)
def test_the_newest_stack_that_runs_is_taken(name: str, tmp_path: Path) -> None:
    machine, stack, python, tool = RUNS[name]
    done = plan(machine, tmp_path)
    assert done.stderr == ""
    said = f"setup: requirements/{stack}.txt with python{python} by {tool}.\n"
    assert done.stdout == said


LACKS = {
    "no venv": (
        Machine("2.41", ("python3", "python3.13"), without_venv=("python3.13",)),
        "apt-get install python3.13-venv",
    ),
    "no venv, no libgomp": (
        Machine(
            "2.39",
            ("python3.12",),
            without_venv=("python3.12",),
            libgomp=False,
            release=UBUNTU,
        ),
        "apt-get install python3.12-venv libgomp1",
    ),
    "no compiler for the old stack": (
        Machine("2.35", ("python3.10",), without_headers=("python3.10",)),
        "apt-get install g++ python3.10-dev",
    ),
    "nothing that could fetch a Python": (
        Machine("2.41", libgomp=False),
        "apt-get install python3-venv libgomp1",
    ),
    "Fedora": (
        Machine(
            "2.40",
            ("python3",),
            without_venv=("python3",),
            libgomp=False,
            release=FEDORA,
        ),
        "dnf install python3-pip libgomp",
    ),
    "an old Fedora": (
        Machine(
            "2.38",
            ("python3.10",),
            without_headers=("python3.10",),
            libgomp=False,
            release=FEDORA,
        ),
        "dnf install libgomp gcc-c++ python3.10-devel",
    ),
    "another distribution": (
        Machine("2.41", ("python3.13",), libgomp=False, release=ARCH),
        "your system's packages for what Debian calls libgomp1",
    ),
    "an old glibc": (Machine("2.12", ("python3.10",)), "Received: glibc 2.12"),
    "no glibc": (Machine(None, ("python3.12",)), "Received: none"),
    "another processor": (
        Machine("2.41", ("python3.13",), kind="Linux aarch64"),
        "Received: Linux aarch64",
    ),
}


@pytest.mark.parametrize("name", LACKS)
def test_what_is_missing_is_named_in_one_line(name: str, tmp_path: Path) -> None:
    machine, said = LACKS[name]
    done = plan(machine, tmp_path)
    assert done.returncode == 1
    assert done.stdout == ""
    assert said in done.stderr.replace("sudo ", "")
    assert done.stderr.startswith("setup: ")
    assert done.stderr.count("\n") == 1


def test_sudo_is_asked_for_unless_root_installs(tmp_path: Path) -> None:
    done = plan(Machine(libgomp=False), tmp_path)
    assert ("sudo " in done.stderr) is (os.geteuid() != 0)
