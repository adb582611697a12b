"""Where versions lie on disk, and which of them a policy wants."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from serving.server.status import Code, StatusError, invalid_argument
from serving.wire.protos import file_system_storage_path_source_pb2

Policy: TypeAlias = Any  # FileSystemStoragePathSourceConfig.ServableVersionPolicy


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
        if not config.base_path.is_dir():
            raise StatusError(
                Code.NOT_FOUND,
                f"Could not find base path {config.base_path} for servable "
                f"{config.name}",
            )


def waiting_for(config: ModelConfig) -> str:
    """What is looked for at a base path, and what was found."""
    base = config.base_path
    if not base.is_dir():
        found = "nothing, for there is no such folder"
    elif (base / "saved_model.pb").exists():
        found = "saved_model.pb, so this is a version itself; give the folder above it"
    else:
        names = sorted(path.name for path in base.iterdir())
        found = ", ".join(names[:10]) + (", ..." if len(names) > 10 else "")
    return (
        f"Model {config.name} waits for a version: {base} should hold a folder whose "
        f"name is a whole number, such as 1. Found: {found or 'an empty folder'}."
    )


def wanted_versions(config: ModelConfig) -> dict[int, Path] | None:
    """Folders of the versions to serve; None where the base path cannot be read."""
    try:
        found = _versions(config.base_path)
    except OSError:
        return None
    kind = config.policy.WhichOneof("policy_choice")
    if kind == "all":
        return found
    if kind == "specific":
        return {v: found[v] for v in config.policy.specific.versions if v in found}
    count = config.policy.latest.num_versions or 1
    return {version: found[version] for version in sorted(found)[-count:]}


def _versions(base_path: Path) -> dict[int, Path]:
    """Every child whose name is a number; other names are being written."""
    found: dict[int, Path] = {}
    for child in sorted(base_path.iterdir()):
        digits = child.name.removeprefix("-")
        if digits.isascii() and digits.isdigit() and abs(int(child.name)) < 2**63:
            found[int(child.name)] = child
    return found
