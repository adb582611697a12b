"""GetModelMetadata and GetModelStatus."""

from __future__ import annotations

from typing import Final

from serving.server.predict import echo
from serving.server.servable import Servable
from serving.server.status import Code, StatusError, invalid_argument
from serving.server.store import ModelStore
from serving.wire.protos import get_model_metadata_pb2, get_model_status_pb2

SIGNATURE_DEF: Final = "signature_def"


def check_metadata_request(
    request: get_model_metadata_pb2.GetModelMetadataRequest,
) -> None:
    """Refuses unknown metadata fields; this wins over an unknown model."""
    if not request.HasField("model_spec"):
        raise invalid_argument("Missing ModelSpec")
    if not request.metadata_field:
        raise invalid_argument(
            "GetModelMetadataRequest must specify at least one metadata_field"
        )
    for field in request.metadata_field:
        if field != SIGNATURE_DEF:
            raise invalid_argument(f"Metadata field {field} is not supported")


def model_metadata(
    servable: Servable,
) -> get_model_metadata_pb2.GetModelMetadataResponse:
    """All signatures of a version, the initialiser's too."""
    signatures = get_model_metadata_pb2.SignatureDefMap()
    for name, signature in servable.model.signatures.items():
        signatures.signature_def[name].CopyFrom(signature)
    reply = get_model_metadata_pb2.GetModelMetadataResponse()
    echo(reply.model_spec, servable)
    reply.metadata[SIGNATURE_DEF].Pack(signatures)
    return reply


def model_status(
    request: get_model_status_pb2.GetModelStatusRequest, store: ModelStore
) -> get_model_status_pb2.GetModelStatusResponse:
    """What became of a model's versions, newest first; labels are not looked at."""
    if not request.HasField("model_spec"):
        raise invalid_argument("Missing ModelSpec")
    spec = request.model_spec
    entries = store.history.of(spec.name)
    if spec.WhichOneof("version_choice") == "version":
        version = spec.version.value
        if version not in entries:
            raise StatusError(
                Code.NOT_FOUND,
                f"Could not find version {version} of model {spec.name}",
            )
        entries = {version: entries[version]}
    if not entries:
        raise StatusError(
            Code.NOT_FOUND, f"Could not find any versions of model {spec.name}"
        )
    reply = get_model_status_pb2.GetModelStatusResponse()
    for version in sorted(entries, reverse=True):
        entry = entries[version]
        status = reply.model_version_status.add(version=version, state=entry.state)
        status.status.error_code = entry.code.value[0]
        status.status.error_message = entry.message
    return reply
