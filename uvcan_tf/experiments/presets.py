"""Settings of UVCAN that have a name.

Run either alone by `python -m uvcan_tf experiment table3 --data TABLES --methods ...`
with the name that the function gives.
"""

from __future__ import annotations

from uvcan_tf.config import Config


def paper() -> Config:
    """UVCAN as the paper has it.

    Command: python -m uvcan_tf experiment table3 --data TABLES
      --methods 'UVCAN(paper)'
    Duration, expected metric: experiments/<data>/uvcan-paper.json, from the last run.
    """
    return Config()
