"""Where versions lie on disk, and which of them a policy wants."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final, TypeAlias

from serving.server.status import Code, StatusError, invalid_argument
from serving.wire.protos import file_system_storage_path_source_pb2

Policy: TypeAlias = Any  # FileSystemStoragePathSourceConfig.ServableVersionPolicy
PB_FILE: Final = "saved_model.pb"
_INDEX: Final = Path("variables") / "variables.index"


def latest_policy() -> Policy:
    """The policy of a model that sets none."""
    source = file_system_storage_path_source_pb2.FileSystemStoragePathSourceConfig
    return source.ServableVersionPolicy()


@dataclasses.dataclass(frozen=True)
class ModelConfig:
    """One model of the store.

    Args:
      name: under which requests ask for it.
      base_path: folder of the version folders.
      policy: which versions to serve; the latest when unset.
      labels: names of versions.
    """

    name: str
    base_path: Path
    policy: Policy = dataclasses.field(default_factory=latest_policy)
    labels: Mapping[str, int] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.base_path.is_absolute():
            path = str(self.base_path) if self.base_path.parts else ""
            raise invalid_argument(
                f"Expected model {self.name} to have an absolute path or URI; got "
                f"base_path()={path}"
            )


def check_base_paths(configs: Iterable[ModelConfig]) -> None:
    """Refuses a reload that names a folder which does not exist."""
    for config in configs:
        if not _is_folder(config.base_path):
            raise StatusError(
                Code.NOT_FOUND,
                f"Could not find base path {config.base_path} for servable "
                f"{config.name}",
            )


def waiting_for(config: ModelConfig) -> str:
    """What is looked for at a base path, and what was found."""
    base = config.base_path
    try:
        found = _found(base)
    except OSError as error:  # it may be gone since the first look
        found = f"nothing, for it cannot be read ({error.strerror})"
    return (
        f"Model {config.name} waits for a version: {base} should hold a folder whose "
        f"name is a whole number, such as 1, with a whole SavedModel in it. "
        f"Found: {found or 'an empty folder'}."
    )


def _found(base: Path) -> str:
    if not _is_folder(base):
        return "nothing, for there is no such folder"
    if (base / PB_FILE).exists():
        return f"{PB_FILE}, so this is a version itself; give the folder above it"
    paths = sorted(base.iterdir())
    shown = ", ".join(_shown(path) for path in paths[:10])
    return shown + (", ..." if len(paths) > 10 else "")


def wanted_versions(config: ModelConfig) -> dict[int, Path] | None:
    """Folders of the versions to serve; None where the base path cannot be read.

    A version that is not whole is none. Unlike this, TF Serving tries to load it, and
    does not start although an older version is whole.
    """
    try:
        numbered = _numbered(config.base_path)
        found = {v: folder for v, folder in numbered.items() if is_whole(folder)}
    except OSError:
        return None
    kind = config.policy.WhichOneof("policy_choice")
    if kind == "all":
        return found
    if kind == "specific":
        return {v: found[v] for v in config.policy.specific.versions if v in found}
    count = config.policy.latest.num_versions or 1
    return {version: found[version] for version in sorted(found)[-count:]}


def incomplete_versions(config: ModelConfig) -> list[str]:
    """A sentence for each version that nobody takes, because it is not whole."""
    try:
        folders = list(_numbered(config.base_path).values())
        return [
            f"{folder} is not taken, for {lacks}. Copy a version beside the others "
            "under a name that is no number, then rename it."
            for folder in folders
            if (lacks := _lacks(folder))
        ]
    except OSError:
        return []


def is_whole(folder: Path) -> bool:
    """Whether a folder can be a version: the pipeline's Pusher has the same rule."""
    return not _lacks(folder)


def _lacks(folder: Path) -> str:
    if not (folder / PB_FILE).is_file():
        return f"it has no {PB_FILE}"
    if (folder / _INDEX.parent).is_dir() and not (folder / _INDEX).is_file():
        return f"it has no {_INDEX}"
    return ""


def _is_folder(path: Path) -> bool:
    """Whether it can be looked into; of a name that is too long, Python raises."""
    try:
        return path.is_dir()
    except OSError:
        return False


def _shown(path: Path) -> str:
    lacks = "" if _number(path) is None else _lacks(path)
    return f"{path.name} ({lacks})" if lacks else path.name


def _numbered(base_path: Path) -> dict[int, Path]:
    """Every child whose name is a number; other names are being written."""
    children = sorted(base_path.iterdir())
    return {n: child for child in children if (n := _number(child)) is not None}


def _number(path: Path) -> int | None:
    digits = path.name.removeprefix("-")
    if digits.isascii() and digits.isdigit() and int(digits) < 2**63:
        return int(path.name)
    return None
