"""A trained model as a SavedModel, ready for TensorFlow Serving."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import tensorflow as tf
from tensorflow.core.protobuf import meta_graph_pb2, saved_model_pb2
from tensorflow.python.saved_model import fingerprinting_utils

from uvcan_tf import features as names
from uvcan_tf.config import Config
from uvcan_tf.data.dataset import Dataset
from uvcan_tf.data.encoding import Encoded, Raw, encode
from uvcan_tf.evaluation.saved_scorer import CONFIG_FILE
from uvcan_tf.model.uvcan import UVCAN
from uvcan_tf.saved_model import candidate_recall
from uvcan_tf.saved_model.asset_lookup import AssetLookup
from uvcan_tf.saved_model.mean_signature import projections
from uvcan_tf.saved_model.recommender import Recommender
from uvcan_tf.saved_model.request_users import Transform
from uvcan_tf.saved_model.warm_up import method_of, write_requests
from uvcan_tf.visual.pca import Pca

_FORMS: Final = {
    names.CLASSIFY: (names.CLASSES, names.SCORES),
    names.REGRESS: (names.OUTPUTS,),
}


def export(
    model: UVCAN,
    dataset: Dataset,
    transform: Transform | None,
    config: Config,
    folder: Path,
    pcas: Mapping[str, Pca] | None = None,
) -> None:
    """Writes the SavedModel with its vocabularies and its warm-up requests.

    Args:
      model: as trained.
      dataset: all training pairs, the validation ones included: `recommend` leaves
        them out.
      transform: a trackable that encodes raw features as `encoding.encode` does; by
        the dataset's own vocabularies when None.
      config: `evaluation` fixes the protocol of the signature `evaluate`,
        `recommendation` what `recommend` leaves out and how many videos it rates; see
        `candidate_recall` for what it then finds. It is kept in the SavedModel.
      folder: created.
      pcas: what made vectors of activations, by feature; see `mean_signature`.
    """
    pcas = pcas or {}
    with tempfile.TemporaryDirectory() as scratch:
        lookups = Path(scratch)
        transform = transform or LookupTransform(dataset, lookups)
        module = Recommender(model, dataset, transform, config, lookups)
        module.projections = projections(pcas, dataset.features)
        signatures = module.signatures() | {
            name: projection.signature
            for name, projection in module.projections.items()
        }
        tf.saved_model.save(module, str(folder), signatures=signatures)
        candidate_recall.write(module.best, dataset, config.evaluation.seed, folder)
    _give_forms(folder)
    write_requests(dataset, folder, pcas, module.histories)
    content = json.dumps(config.spelled_out().to_json(), indent=2)
    (folder / CONFIG_FILE).write_text(content + "\n", encoding="utf-8")


class LookupTransform(tf.Module):
    """The transform of a model trained without a pipeline.

    Args:
      dataset: for its vocabularies and scales.
      folder: where they are written, until the model is saved.
    """

    def __init__(self, dataset: Dataset, folder: Path) -> None:
        super().__init__()
        self._features = features = dataset.features
        self._scales = dict(dataset.scales)
        named = (*features.light_user, *features.light_video)
        self._lookup = AssetLookup(
            {
                **{f.name: dataset.vocabularies[f.name] for f in named},
                names.USER_ID: dataset.users.ids,
                names.VIDEO_ID: dataset.videos.ids,
            },
            folder,
        )

    def __call__(self, raw: Raw) -> Encoded:
        return encode(self._features, raw, self._lookup, self._scales)


def _give_forms(folder: Path) -> None:
    """Makes `classify` and `regress` what the calls of those names accept.

    TensorFlow saves every signature as a `predict` one with tensors of its own;
    MultiInference runs several only where they share their input.
    """
    path = folder / "saved_model.pb"
    saved = saved_model_pb2.SavedModel.FromString(path.read_bytes())
    [meta] = saved.meta_graphs
    shared = meta_graph_pb2.SignatureDef()
    shared.CopyFrom(meta.signature_def[names.CLASSIFY])
    for name, outputs in _FORMS.items():
        signature = meta.signature_def[name]
        signature.CopyFrom(shared)
        signature.method_name = method_of(name)
        for output in shared.outputs.keys() - set(outputs):
            del signature.outputs[output]
    path.write_bytes(saved.SerializeToString(deterministic=True))
    fingerprinting_utils.write_fingerprint(str(folder))
