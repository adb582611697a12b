"""Plays the driver and the launcher of a platform, as the source of Kubeflow has them.

Kubeflow Pipelines (backend/src/v2): the driver resolves the inputs of a task, asks the
cache, and provides addresses for the outputs; an input artifact has the number of its
record as its name, and an empty `instanceSchema`. The launcher copies input artifacts
from the store, fills the placeholders, runs the command in the image, and copies the
outputs to the store. Every container has a file system of its own.

Vertex AI's source is not public. Played is what its reference says: types are kept, and
commands read and write the store themselves. The store is a folder here.
"""

import dataclasses
import hashlib
import json
import os
import re
import shutil
import subprocess
import uuid
from pathlib import Path
from typing import Any

import yaml
from google.protobuf import json_format
from kfp import components
from kfp.pipeline_spec import pipeline_spec_pb2

REPOSITORY = Path(__file__).parents[2]

#: Argo's rule for the names of templates and tasks.
ARGO_NAME = re.compile(r"[a-zA-Z0-9][-a-zA-Z0-9]{0,127}")

BUCKET = "minio://mlpipeline/v2/artifacts"

Json = dict[str, Any]


class Refused(Exception):
    """The platform does not take the file, or has no way to run it."""


class StepFailed(Exception):
    """The command of a step ended with another status than 0."""


def load_kubeflow(file: Path) -> tuple[Json, Json]:
    """The specification and the platform's part, as SDK and API server take them."""
    components.load_component_from_file(str(file))
    specification, *others = yaml.safe_load_all(file.read_text())
    if "pipelineSpec" in specification:
        raise Refused("The file is a pipeline job, not a specification.")
    if specification.get("schemaVersion") != "2.1.0":
        raise Refused(f"schemaVersion {specification.get('schemaVersion')}")
    json_format.ParseDict(specification, pipeline_spec_pb2.PipelineSpec())
    _check_runnable(specification)
    return specification, others[0]["platforms"] if others else {}


def load_vertex(file: Path) -> Json:
    job = json.loads(file.read_text())
    json_format.ParseDict(job, pipeline_spec_pb2.PipelineJob())
    return job["pipelineSpec"]


def _check_runnable(specification: Json) -> None:
    for name in (*specification["root"]["dag"]["tasks"], *specification["components"]):
        if not ARGO_NAME.fullmatch(name):
            raise Refused(f"Argo takes no name like {name}.")
    for label, executor in specification["deploymentSpec"]["executors"].items():
        if "resolver" in executor:
            raise Refused(f"{label}: resolver executors not implemented")


@dataclasses.dataclass
class Cluster:
    """One installation: a store, a cache, and records of artifacts.

    Attributes:
      folder: holds the store, and the file systems of the containers.
      specification: of the pipeline.
      kubeflow: whether it is Kubeflow's; else it is Vertex AI's.
      cache: what each step gave, by the key of the cache.
      records: how many artifacts were recorded.
    """

    folder: Path
    specification: Json
    kubeflow: bool = True
    cache: dict[str, Json] = dataclasses.field(default_factory=dict)
    records: int = 0

    def run(self, **parameters: Any) -> "Run":
        """Runs every task, or reuses what it gave before."""
        known = self.specification["root"]["inputDefinitions"]["parameters"]
        unknown = set(parameters) - set(known)
        assert not unknown, f"no such parameter: {unknown}"
        given = {name: found.get("defaultValue") for name, found in known.items()}
        run = Run(uuid.uuid4().hex[:8], {**given, **parameters})
        tasks = dict(self.specification["root"]["dag"]["tasks"])
        while tasks:
            ready = [n for n, t in tasks.items() if not _waits_for(t) & set(tasks)]
            assert ready, "The tasks wait for each other."
            for name in sorted(ready):
                self._drive(name, tasks.pop(name), run)
        return run

    def _drive(self, name: str, task: Json, run: "Run") -> None:
        component = self.specification["components"][task["componentRef"]["name"]]
        label = component["executorLabel"]
        executor = self.specification["deploymentSpec"]["executors"][label]
        container = executor["container"]
        inputs = self._inputs(task, component, run)
        key = _key(inputs, component, container)
        reused = task.get("cachingOptions", {}).get("enableCache") and key in self.cache
        if reused:
            run.outputs[name] = self.cache[key]
            run.reused.append(name)
            return
        place = f"{name}/{uuid.uuid4().hex[:8]}"
        outputs = self._provide(component, place, run)
        run.outputs[name] = self._launch(name, container, component, inputs, outputs)
        run.ran.append(name)
        self.cache[key] = run.outputs[name]

    def _inputs(self, task: Json, component: Json, run: "Run") -> Json:
        found: Json = {"parameterValues": {}, "artifacts": {}}
        given = task.get("inputs", {})
        for key, source in given.get("parameters", {}).items():
            assert key in component["inputDefinitions"]["parameters"], key
            found["parameterValues"][key] = _parameter(source, run)
        for key, source in given.get("artifacts", {}).items():
            produced = source["taskOutputArtifact"]
            artifact = run.outputs[produced["producerTask"]]["artifacts"][
                produced["outputArtifactKey"]
            ]
            if self.kubeflow:
                artifact = {**artifact, "type": {"instanceSchema": ""}}
            found["artifacts"][key] = {"artifacts": [artifact]}
        return found

    def _provide(self, component: Json, place: str, run: "Run") -> Json:
        """Addresses of the outputs, under the root of the task."""
        top = BUCKET if self.kubeflow else str(self.folder / "bucket")
        root = f"{top}/uvcan/{run.id}/{place}"
        described = component.get("outputDefinitions", {})
        return {
            "artifacts": {
                name: {
                    "artifacts": [
                        {"name": name, "uri": f"{root}/{name}"}
                        | {"type": found["artifactType"], "metadata": {}}
                    ]
                }
                for name, found in described.get("artifacts", {}).items()
            },
            "parameters": {
                name: {"outputFile": str(self.folder / "outputs" / place / name)}
                for name in described.get("parameters", {})
            },
            "outputFile": str(self.local(root, place) / "output_metadata.json"),
        }

    def local(self, address: str, container: str = "") -> Path:
        """Where a container, or the store, has what an address holds."""
        if not self.kubeflow:
            return Path(address)
        top = self.folder / ("containers/" + container if container else "store")
        return top / "minio" / address.removeprefix("minio://")

    def _launch(
        self, name: str, container: Json, component: Json, inputs: Json, outputs: Json
    ) -> Json:
        alone = outputs["outputFile"].split("/uvcan/")[-1].split("/", 1)[1]
        own = alone.removesuffix("/output_metadata.json")
        for found in inputs["artifacts"].values():
            for artifact in found["artifacts"]:
                self._copy(artifact["uri"], own, back=False)
        for path in (
            Path(outputs["outputFile"]),
            *(Path(found["outputFile"]) for found in outputs["parameters"].values()),
        ):
            path.parent.mkdir(parents=True, exist_ok=True)
        content = {"inputs": inputs, "outputs": outputs}
        command = _filled((*container["command"], *container["args"]), content)
        _execute(name, command, container, self.folder / "containers" / own)
        return self._publish(component, content, own)

    def _publish(self, component: Json, content: Json, own: str) -> Json:
        """Records the outputs; the launcher reads what it does not know strictly."""
        outputs = content["outputs"]
        written = Path(outputs["outputFile"])
        told = json.loads(written.read_text()) if written.exists() else {}
        json_format.ParseDict(told, pipeline_spec_pb2.ExecutorOutput())
        found: Json = {"artifacts": {}, "parameters": {}}
        for name, listed in outputs["artifacts"].items():
            artifact = dict(listed["artifacts"][0])
            for said in told.get("artifacts", {}).get(name, {}).get("artifacts", []):
                artifact["uri"] = said.get("uri") or artifact["uri"]
                artifact["metadata"] = {
                    key: _recorded(value)
                    for key, value in said.get("metadata", {}).items()
                }
            self._copy(artifact["uri"], own, back=True)
            self.records += 1
            prefix = "" if self.kubeflow else "projects/1/artifacts/"
            found["artifacts"][name] = {**artifact, "name": f"{prefix}{self.records}"}
        for name, place in outputs["parameters"].items():
            values = told.get("parameterValues", {})
            file = Path(place["outputFile"])
            found["parameters"][name] = (
                values[name] if name in values else file.read_text()
            )
        return found

    def _copy(self, address: str, container: str, back: bool) -> None:
        if not self.kubeflow:
            return
        assert address.startswith("minio://"), f"not an address of the store: {address}"
        ends = [self.local(address), self.local(address, container)]
        source, target = reversed(ends) if back else ends
        if source.is_dir():
            shutil.copytree(source, target, dirs_exist_ok=True)
        elif source.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target)


@dataclasses.dataclass
class Run:
    """What a run was given, and what became of its tasks."""

    id: str
    parameters: Json
    outputs: dict[str, Json] = dataclasses.field(default_factory=dict)
    ran: list[str] = dataclasses.field(default_factory=list)
    reused: list[str] = dataclasses.field(default_factory=list)


def _waits_for(task: Json) -> set[str]:
    given = task.get("inputs", {})
    sources = [
        *given.get("parameters", {}).values(),
        *given.get("artifacts", {}).values(),
    ]
    producers = {
        found["producerTask"]
        for source in sources
        for kind, found in source.items()
        if kind.startswith("taskOutput")
    }
    return producers | set(task.get("dependentTasks", []))


def _parameter(source: Json, run: Run) -> Any:
    if "componentInputParameter" in source:
        return run.parameters[source["componentInputParameter"]]
    if "taskOutputParameter" in source:
        produced = source["taskOutputParameter"]
        outputs = run.outputs[produced["producerTask"]]["parameters"]
        return outputs[produced["outputParameterKey"]]
    return source["runtimeValue"]["constant"]


def _key(inputs: Json, component: Json, container: Json) -> str:
    """Of the cache: names of artifacts, parameters, outputs' types, command, image."""
    content = {
        "artifacts": {
            key: [artifact["name"] for artifact in found["artifacts"]]
            for key, found in inputs["artifacts"].items()
        },
        "parameters": inputs["parameterValues"],
        "outputs": component.get("outputDefinitions", {}),
        "command": [*container["command"], *container["args"], container["image"]],
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _filled(command: tuple[str, ...], content: Json) -> list[str]:
    whole = json.dumps(content)
    placeholders = {
        f"{{{{$.inputs.parameters['{name}']}}}}": str(value)
        for name, value in content["inputs"]["parameterValues"].items()
    }
    filled = []
    for part in command:
        part = part.replace("{{$}}", whole)
        for placeholder, value in placeholders.items():
            part = part.replace(placeholder, value)
        assert "{{$" not in part, part
        filled.append(part)
    return filled


def _recorded(value: Any) -> Any:
    """A property as ML Metadata gives it back to the next driver."""
    if isinstance(value, bool):
        return float(value)
    if isinstance(value, list):
        return {"list": value}
    if isinstance(value, dict):
        return {"struct": value}
    assert value is not None, "unknown/unsupported value type"
    return value


def image_environment() -> dict[str, str]:
    """The variables that the Dockerfile sets, with this checkout and its packages."""
    text = (REPOSITORY / "Dockerfile").read_text()
    pairs = re.findall(r"(\w+)=(\S+)", " ".join(re.findall(r"^ENV (.*)$", text, re.M)))
    packages = str(REPOSITORY / ".venv")
    values = {
        name: value.replace("/opt/venv", packages).replace("$PATH", "/usr/bin:/bin")
        for name, value in pairs
    }
    return {"HOME": "/nonexistent", "PYTHONPATH": str(REPOSITORY), **values}


def _execute(name: str, command: list[str], container: Json, own: Path) -> None:
    """Runs the command as the container would: elsewhere, with the image's variables.

    `UVCAN_COPIES_IN` stands for the root of the container's own file system.
    """
    elsewhere = own / "working_directory"
    elsewhere.mkdir(parents=True, exist_ok=True)
    environment = image_environment() | {"UVCAN_COPIES_IN": str(own)}
    environment |= {pair["name"]: pair["value"] for pair in container.get("env", [])}
    with (own / "log.txt").open("w") as log:
        ended = subprocess.run(
            command, cwd=elsewhere, env=environment, stdout=log, stderr=log
        )
    if ended.returncode:
        text = (own / "log.txt").read_text()
        raise StepFailed(f"{name}: {text[-3000:]}")
    if os.environ.get("UVCAN_SHOW_STEPS"):
        print(name, flush=True)
