"""Times RecBole's NeuMF; runs in an environment of its own, which has RecBole.

Usage: python recbole_neumf.py FOLDER NAME NEGATIVES EPOCHS [PAIRS]
FOLDER/NAME/NAME.inter holds the pairs; prints examples a second of the fastest epoch.
With so many PAIRS a step the network has 32 factors, as UVCAN beside it; without, all
sizes are RecBole's own.
"""

import logging
import sys
import time

import torch
from recbole.config import Config
from recbole.data import create_dataset, data_preparation
from recbole.model.general_recommender.neumf import NeuMF
from recbole.trainer import Trainer

_load = torch.load
torch.load = lambda *args, **kwargs: _load(*args, **{**kwargs, "weights_only": False})


def main(folder: str, name: str, negatives: int, epochs: int, *pairs: int) -> None:
    logging.disable(logging.CRITICAL)
    settings = {
        "data_path": folder,
        "load_col": {"inter": ["user_id", "item_id"]},
        "train_neg_sample_args": {
            "distribution": "uniform",
            "sample_num": negatives,
            "dynamic": False,
            "candidate_num": 0,
        },
        "eval_args": {
            "split": {"RS": [0.98, 0.01, 0.01]},
            "group_by": "user",
            "order": "RO",
            "mode": "uni100",
        },
        "use_gpu": False,
        "device": "cpu",
        "show_progress": False,
        "seed": 1,
    }
    if pairs:
        settings |= {
            "train_batch_size": pairs[0] * (1 + negatives),
            "mf_embedding_size": 32,
            "mlp_embedding_size": 32,
            "mlp_hidden_size": [64, 32, 16],
            "dropout_prob": 0.0,
        }
    sys.argv = sys.argv[:1]
    config = Config(model="NeuMF", dataset=name, config_dict=settings)
    train, _, _ = data_preparation(config, create_dataset(config))
    trainer = Trainer(config, NeuMF(config, train.dataset))
    times = []
    for epoch in range(epochs):
        start = time.perf_counter()
        trainer._train_epoch(train, epoch, show_progress=False)
        times.append(time.perf_counter() - start)
    print(len(train.dataset) * (1 + negatives) / min(times))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:]))
