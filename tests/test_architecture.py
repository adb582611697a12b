"""The arrows between the packages, and the house rules that a machine can check."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from uvcan_tf import features

ROOT = Path(__file__).parent.parent
PACKAGES = ("uvcan_tf", "tfx_pipeline", "serving")
LONGEST_FUNCTION = 40
LONGEST_FILE = 250
FORBIDDEN_IN_LIBRARY = {"tfx", "apache_beam", "grpc", "tfx_pipeline", "serving"}
#: The library's one pipeline, and who watches its workers.
OF_BEAM = ("uvcan_tf/visual/pipeline.py", "uvcan_tf/beam_workers.py")
OF_LIBRARY_IN_SERVING = {
    "uvcan_tf.compat",
    "uvcan_tf.features",
    "uvcan_tf.hashed_ids",
    "uvcan_tf.terminal",
}
#: The shelves of the library from the ground up: a module imports its own shelf, and
#: lower floors only.
FLOORS = (
    ("compat", "errors", "safe_names", "terminal", "threads"),
    ("beam_workers", "feature_kinds", "hashed_ids", "json_files", "validators"),
    (
        "evaluation_settings",
        "history_settings",
        "ials_settings",
        "training_settings",
        "features",
    ),
    ("config", "network"),
    ("data", "presets", "search_spaces"),
    ("catalogue", "evaluation", "factorization", "visual"),
    ("model",),
    ("saved_model", "training"),
    ("api", "baselines", "search"),
    ("cli", "experiments"),
)
MAY_SPELL = (
    "uvcan_tf/features.py",
    "uvcan_tf/data/",  # converters name other people's columns
    "uvcan_tf/__init__.py",  # public names
    "uvcan_tf/api.py",  # and
    "uvcan_tf/__main__.py",  # commands are words, too
    "serving/checks/conformance/",  # brings models of its own
)


def modules(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(path: Path) -> Iterator[str]:
    """Dotted names of what a module imports anywhere, `from a import b` as a.b."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def place(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("package", PACKAGES)
def test_imports_are_absolute(package: str) -> None:
    relative = [
        place(path)
        for path in modules(package)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ImportFrom) and node.level
    ]
    assert relative == []


def test_the_library_stands_below_everything() -> None:
    offenders = {
        (place(path), name)
        for path in modules("uvcan_tf")
        for name in imports(path)
        if name.split(".")[0] in FORBIDDEN_IN_LIBRARY
    }
    # A public name, imported when it is first asked for; here for type checkers only.
    lazy = ("uvcan_tf/__init__.py", "serving.client.client.RecommenderClient")
    beam = {(file, name) for file, name in offenders if file in OF_BEAM}
    assert {name.split(".")[0] for _, name in beam} == {"apache_beam"}
    assert offenders - beam == {lazy}


def test_the_library_names_what_stands_above_it_in_two_places() -> None:
    """As strings, imported when asked for: a command, and a public name."""
    naming = {
        place(path)
        for path in modules("uvcan_tf")
        for text, _ in spelled(path)
        if text.startswith(("serving.", "tfx_pipeline."))
    }
    assert naming == {"uvcan_tf/__init__.py", "uvcan_tf/__main__.py"}


def test_serving_knows_only_the_names_of_the_library() -> None:
    offenders = {
        (place(path), name)
        for path in modules("serving")
        for name in imports(path)
        if name.startswith("uvcan_tf.")
        and not name.startswith(tuple(OF_LIBRARY_IN_SERVING))
    }
    assert offenders == set()


def test_serving_and_the_pipeline_do_not_know_each_other() -> None:
    offenders = {
        (place(path), name)
        for package, other in (("serving", "tfx_pipeline"), ("tfx_pipeline", "serving"))
        for path in modules(package)
        for name in imports(path)
        if name.split(".")[0] == other
    }
    assert offenders == set()


def shelf(name: str) -> str:
    return name.split(".")[1]


def test_no_shelf_of_the_library_leans_on_a_higher_one() -> None:
    floors = {name: floor for floor, names in enumerate(FLOORS) for name in names}
    above = [
        (place(path), name)
        for path in modules("uvcan_tf")
        if (own := shelf(place(path).removesuffix(".py").replace("/", "."))) in floors
        for name in imports(path)
        if name.startswith("uvcan_tf.") and shelf(name) in floors
        if shelf(name) != own and floors[shelf(name)] >= floors[own]
    ]
    assert above == []


def test_every_shelf_of_the_library_has_a_floor() -> None:
    known = {name for names in FLOORS for name in names}
    found = {path.stem for path in (ROOT / "uvcan_tf").glob("*.py")}
    found |= {path.parent.name for path in (ROOT / "uvcan_tf").glob("*/__init__.py")}
    assert found - known == {"__init__", "__main__"}


@pytest.mark.parametrize("package", ["tfx_pipeline", "serving"])
def test_experiments_are_above_what_is_used_every_day(package: str) -> None:
    offenders = [
        (place(path), name)
        for path in modules(package)
        for name in imports(path)
        if name.startswith("uvcan_tf.experiments")
    ]
    assert offenders == []


def spelled(path: Path) -> Iterator[tuple[str, int]]:
    """String constants of a module, with their lines."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value, node.lineno


def names_of_features() -> set[str]:
    declared = {f.name for f in (*features.PAPER.user, *features.PAPER.video)}
    signatures = {
        features.SERVING_DEFAULT,
        features.RANK,
        features.RECOMMEND,
        features.EXPLAIN,
        features.EVALUATE,
    }
    return declared | signatures | {features.USER_ID, features.VIDEO_ID}


@pytest.mark.parametrize("package", PACKAGES)
def test_names_are_spelled_in_one_place(package: str) -> None:
    offenders = [
        f"{place(path)}:{line}: {text}"
        for path in modules(package)
        if not place(path).startswith(MAY_SPELL)
        for text, line in spelled(path)
        if text in names_of_features()
    ]
    assert offenders == []


@pytest.mark.parametrize("package", PACKAGES)
def test_a_function_fits_a_screen(package: str) -> None:
    long = [
        f"{place(path)}:{node.lineno}: {node.name}"
        for path in modules(package)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno >= LONGEST_FUNCTION
    ]
    assert long == []


@pytest.mark.parametrize("package", PACKAGES)
def test_a_file_answers_one_question(package: str) -> None:
    lines = {place(p): len(p.read_text().splitlines()) for p in modules(package)}
    assert {name: count for name, count in lines.items() if count > LONGEST_FILE} == {}
