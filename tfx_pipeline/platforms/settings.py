"""What a platform is told about the steps: image, machines, retries and volume."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from uvcan_tf.errors import ConfigError
from uvcan_tf.json_files import read_json
from uvcan_tf.validators import require_choice, require_not_negative, require_positive

KUBEFLOW: Final = "kubeflow"
VERTEX: Final = "vertex"
PLATFORMS: Final = (KUBEFLOW, VERTEX)


@dataclasses.dataclass(frozen=True)
class Machine:
    """What a step may use.

    Args:
      cpus: processors, at most.
      memory_gb: of memory, at most.
      gpus: how many; 0 asks for none.
      gpu_type: as the platform calls it.
    """

    cpus: float = 2.0
    memory_gb: float = 8.0
    gpus: int = 0
    gpu_type: str = "nvidia.com/gpu"

    def __post_init__(self) -> None:
        require_positive("machine.cpus", self.cpus)
        require_positive("machine.memory_gb", self.memory_gb)
        require_not_negative("machine.gpus", self.gpus)


@dataclasses.dataclass(frozen=True)
class PlatformConfig:
    """How the steps run; a JSON file of `--steps` has the same names.

    Args:
      platform: `kubeflow` or `vertex`.
      image: of this project.
      machine: what each step may use that `machines` does not name.
      machines: by the step's name, `Trainer` for example.
      retries: how often a step that failed is started again.
      environment: variables of every step, beside those of the image.
      volume: the claim that is mounted into every step; empty mounts none.
      mount: the folder where it is mounted.
    """

    platform: str = KUBEFLOW
    image: str = "uvcan-tf"
    machine: Machine = Machine()
    machines: Mapping[str, Machine] = dataclasses.field(default_factory=dict)
    retries: int = 2
    environment: Mapping[str, str] = dataclasses.field(default_factory=dict)
    volume: str = "uvcan"
    mount: str = "/mnt/uvcan"

    def __post_init__(self) -> None:
        require_choice("platform", self.platform, PLATFORMS)
        require_not_negative("retries", self.retries)
        for name, value in self.environment.items():
            if not isinstance(value, str):
                raise ConfigError(
                    f"`environment.{name}` should be a string; write it in quotes. "
                    f"Received: {value!r}."
                )

    def machine_of(self, step: str) -> Machine:
        """What a step may use."""
        return self.machines.get(step, self.machine)


def load(file: Path | None, **known: Any) -> PlatformConfig:
    """Reads the file of `--steps`, if there is one; `known` is beside it."""
    if file is None:
        return PlatformConfig(**known)
    content = read_json(file, ConfigError)
    try:
        values = _of(PlatformConfig, content, without=tuple(known))
        machines = values.pop("machines", {})
        if "machine" in values:
            values["machine"] = Machine(**_of(Machine, values["machine"]))
        return PlatformConfig(
            machines={n: Machine(**_of(Machine, m)) for n, m in machines.items()},
            **values,
            **known,
        )
    except ConfigError as error:
        raise ConfigError(f"{file}: {error}") from None


def _of(kind: type[Any], content: Any, without: tuple[str, ...] = ()) -> dict[str, Any]:
    """The content, if all of its names are the dataclass's."""
    names = sorted({f.name for f in dataclasses.fields(kind)} - set(without))
    unknown = sorted(set(content) - set(names)) if isinstance(content, dict) else [""]
    if unknown:
        received = ", ".join(unknown) or repr(content)
        raise ConfigError(
            f"The settings of steps should be an object with {', '.join(names)}. "
            f"Received: {received}. Remove it, or mend its name."
        )
    return dict(content)
