"""HandleReloadConfigRequest: a new list of models, all or nothing.

Unlike TF Serving, a list that cannot be used leaves no trace, and one that names a
folder which does not exist is refused at once; there, the first spoils every later
reload and the second blocks polling and reloads for ever.
"""

from __future__ import annotations

from serving.server.config import models_from
from serving.server.status import invalid_argument
from serving.server.storage import check_base_paths
from serving.server.store import RELOAD_LIMIT_S, ModelStore, index
from serving.wire.protos import model_management_pb2


def reload_config(
    request: model_management_pb2.ReloadConfigRequest,
    store: ModelStore,
    timeout_s: float | None,
) -> model_management_pb2.ReloadConfigResponse:
    """Serves the models of the request; returns when every new one is ready."""
    if request.config.WhichOneof("config") != "model_config_list":
        raise invalid_argument(
            "ServerModelConfig type not supported by HandleReloadConfigRequest. Only "
            "ModelConfigList is currently supported"
        )
    models = models_from(request.config)
    check_base_paths(index(models).values())
    store.apply(models, RELOAD_LIMIT_S if timeout_s is None else timeout_s)
    reply = model_management_pb2.ReloadConfigResponse()
    reply.status.SetInParent()
    return reply
