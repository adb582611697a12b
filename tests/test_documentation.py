"""What the documentation says can be done, can be done."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import pytest

from uvcan_tf.__main__ import group

ROOT = Path(__file__).parents[1]
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "CHANGELOG.md",
    *sorted((ROOT / "docs").glob("*.md")),
]
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]+\]\(([^)\s]+)\)")


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def blocks(page: Path, *kinds: str) -> list[str]:
    """The content of a page's fenced blocks of these kinds, in order."""
    found = _BLOCK.findall(page.read_text(encoding="utf-8"))
    return [content for kind, content in found if kind in kinds]


def prose(page: Path) -> str:
    return _BLOCK.sub("", page.read_text(encoding="utf-8"))


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives to a page's headings."""
    headings = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {
        re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        for heading in headings
    }


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 170


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_link_leads_somewhere(page: Path) -> None:
    broken = []
    for link in _LINK.findall(prose(page)):
        if link.startswith("https://"):
            continue
        place, _, anchor = link.partition("#")
        target = (page.parent / place).resolve() if place else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert broken == []


def test_every_page_is_reached_from_the_readme() -> None:
    linked = set(_LINK.findall((ROOT / "README.md").read_text(encoding="utf-8")))
    assert {name(page) for page in PAGES[1:]} <= {x.split("#")[0] for x in linked}


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_file_that_is_named_exists(page: Path) -> None:
    ours = r"`((?:uvcan_tf|serving|tfx_pipeline|benchmarks|configs|tests)/[\w./-]+)`"
    named = re.findall(ours, prose(page))
    assert [path for path in named if not (ROOT / path).exists()] == []


def commands(page: Path) -> Iterator[str]:
    """Lines of blocks that call one of our commands."""
    for block in blocks(page, "sh", "text", "console"):
        for line in block.splitlines():
            line = line.removeprefix("$ ").partition(" # ")[0].rstrip(" &\\")
            if line.startswith(("uvcan ", "make ")):
                yield line


def misunderstood(line: str) -> str | None:
    """What the root command does not know in a line, if anything."""
    words = [word for word in shlex.split(line) if word not in ("[--config", "FILE]")]
    command: click.Command | None = group
    context = click.Context(group)
    for word in words[1:]:
        if word.startswith("-"):
            known = {o for p in command.params for o in p.opts} if command else set()
            if word not in known:
                return f"{word} of {line}"
        elif isinstance(command, click.Group):
            command = command.get_command(context, word.split("|")[0])
            if command is None:
                return f"{word} of {line}"
    return None


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_command_that_is_named_exists(page: Path) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    wrong: list[str | None] = []
    for line in commands(page):
        if line.startswith("make "):
            targets = [word for word in line.split()[1:] if "=" not in word]
            wrong += [t for t in targets if not re.search(f"^{t}:", makefile, re.M)]
        else:
            wrong.append(misunderstood(line))
    assert [entry for entry in wrong if entry] == []


@pytest.fixture
def shell(tmp_path: Path) -> dict[str, str]:
    """An environment in which `uvcan` is this checkout's, on a port of its own."""
    shim = tmp_path / "bin" / "uvcan"
    shim.parent.mkdir()
    shim.write_text(
        "#!/usr/bin/env bash\n"
        f"uvcan=({sys.executable} -m uvcan_tf)\n"
        f"log={tmp_path}/server.log\n"
        'case "$1" in\n'
        "serve) shift\n"
        '  exec "${uvcan[@]}" serve --host 127.0.0.1 --port 0 "$@" >"$log" ;;\n'
        "recommend|rank|explain)\n"
        '  port=$(sed -nE "s/.*on .*:([0-9]+)\\.$/\\1/p" "$log")\n'
        '  exec "${uvcan[@]}" "$@" --target "127.0.0.1:$port" ;;\n'
        '*) exec "${uvcan[@]}" "$@" ;;\n'
        "esac\n"
    )
    shim.chmod(0o755)
    (tmp_path / "configs").symlink_to(ROOT / "configs")
    path = f"{shim.parent}:{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT), "COLUMNS": "100"}


def run(code: str, folder: Path, environment: dict[str, str]) -> str:
    """Standard output and error of a shell's block, which must succeed."""
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", code],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.mark.slow
def test_own_tables_can_be_followed(tmp_path: Path, shell: dict[str, str]) -> None:
    page = ROOT / "docs" / "own-tables.md"
    *making, mending = blocks(page, "sh")
    [failing] = blocks(page, "console")
    for block in making:
        run(block, tmp_path, shell)
    command, _, expected = failing.removeprefix("$ ").partition("\n")
    said = run(f"{command} || echo status $?", tmp_path, shell)
    assert said == f"{expected}status 1\n"
    said = run(mending, tmp_path, shell)
    assert [line.rstrip() for line in said.splitlines()] == (
        blocks(page, "text")[0].splitlines()
    )


@contextmanager
def background(code: str, folder: Path, environment: dict[str, str]) -> Iterator[None]:
    """Runs a block that serves, until it is no longer needed."""
    process = subprocess.Popen(
        ["bash", "-c", f"exec {code.rstrip().rstrip('&')}"],
        cwd=folder,
        env=environment,
    )
    try:
        log = folder / "server.log"
        ends = time.monotonic() + 300
        while not (log.exists() and "Serving gRPC on" in log.read_text()):
            assert process.poll() is None and time.monotonic() < ends
            time.sleep(0.2)
        yield
    finally:
        process.terminate()
        process.wait()


@pytest.mark.slow
@pytest.mark.readme
def test_the_quick_start_can_be_followed(tmp_path: Path, shell: dict[str, str]) -> None:
    """All commands of the README in order, then its Python and that of the page."""
    made, ran, serving, *asking = blocks(ROOT / "README.md", "sh")
    said = run(made, tmp_path, shell)
    assert said in (ROOT / "README.md").read_text(encoding="utf-8")
    assert "Blessed. Pushed to" in run(ran, tmp_path, shell)
    with background(serving, tmp_path, shell):
        for block in asking:
            run(block, tmp_path, shell)
        log = (tmp_path / "server.log").read_text()
        [port] = re.findall(r"on .*:(\d+)\.", log)
        for page in (ROOT / "README.md", ROOT / "docs" / "python.md"):
            for block in blocks(page, "python"):
                code = block.replace("localhost:8500", f"127.0.0.1:{port}")
                code = code.replace("timeout_s=5.0", "timeout_s=60")  # a busy machine
                script = tmp_path / "block.py"
                script.write_text(code)
                run(f"{sys.executable} block.py", tmp_path, shell)
