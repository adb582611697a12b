"""Tables of public bug reports, where they lie beside the repository.

Each folder of `../shared/cases` is a situation that someone reported of some tool. What
is accepted goes through the first step of the pipeline.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from tfx_pipeline import snapshot
from uvcan_tf import features as names
from uvcan_tf.config import EvaluationConfig
from uvcan_tf.data.cli import data
from uvcan_tf.data.tables import read_tables

CASES = Path(__file__).parents[2].parent / "shared" / "cases"
USED = ""
#: The sentence of a refusal.
CHECKED = {
    "c04_utf16": "text in UTF-16; save it as UTF-8",
    "c08_gz": USED,
    "c11_float_ids_csv": USED,
    "c12_bool_label": USED,
    "c27_pylist_tags": USED,
    "c34_xlsx_as_csv": "an Excel workbook or another zip archive",
    "c35_features_bom": USED,
    "c36_features_latin1": "should be text in UTF-8",
    "c43_ts_float_csv": USED,
    "n12_npz_named_npy": "one array, written by np.save",
    "n20_pandas_to_numpy": USED,
    "p02_polars_array_null": USED,
    "p05_float16": "write the column as float32",
    "p11_decimal0": USED,
    "p21_ts_iso": USED,
    "p34_spark_dir": USED,
    "p37_float64_19digit_both": "which has lost digits",
    "q01_feature_name_with_space": USED,
    "q03_feature_name_leading_underscore": USED,
    "q04_id_with_line_break": "names on one line",
    "q05_column_empty_throughout": USED,
    "q06_multivalued_user_attribute": USED,
    "r01_serving_folder_deleted": USED,
    "r02_trainer_output_deleted": USED,
    "r03_root_with_brackets": USED,
}
CONVERTED = {
    "k02_1k_names": ("kuairand", USED),
    "k05_duration_text": ("kuairand", "should be numbers. Received: '00:08'"),
    "m02_ml10m_half_stars": ("movielens", USED),
    "m04_ml100k_header": ("movielens", "should be numbers. Received: 'rating'"),
}
#: These are about a server or a client and have no tables.
NO_TABLES = {
    "s01_store_without_numbered_version",
    "s03_client_arguments",
    "s05_http_proxy",
}

pytestmark = pytest.mark.skipif(
    not CASES.is_dir(), reason="The reports are not in ../shared/cases"
)


def test_every_report_is_listed() -> None:
    found = {path.name for path in CASES.iterdir() if path.is_dir()}
    assert found <= {*CHECKED, *CONVERTED, *NO_TABLES}


@pytest.mark.parametrize("name", CHECKED)
def test_a_report_is_used_or_one_sentence(name: str) -> None:
    folder = CASES / name
    result = CliRunner().invoke(data, ["check", str(folder)])
    if CHECKED[name]:
        assert result.exit_code == 1
        assert result.stderr.count("\n") == 1
        assert re.search(CHECKED[name], result.stderr), result.stderr
        return
    assert result.exit_code == 0, result.stderr
    first_step(folder)


@pytest.mark.parametrize("name", CONVERTED)
def test_a_report_of_a_converter_is_used_or_one_sentence(
    name: str, tmp_path: Path
) -> None:
    source, sentence = CONVERTED[name]
    out = tmp_path / "out"
    arguments = [source, "--raw", str(CASES / name), "--out", str(out)]
    result = CliRunner().invoke(data, arguments)
    if sentence:
        assert result.exit_code == 1
        assert re.search(sentence, result.stderr), result.stderr
        return
    assert result.exit_code == 0, result.stderr
    read_tables(out, names.of_folder(out))


def test_vectors_out_of_pandas_are_each_videos_own() -> None:
    folder = CASES / "n20_pandas_to_numpy"
    videos = read_tables(folder, names.of_folder(folder)).videos
    found = np.stack(videos["visual"].to_numpy())
    np.testing.assert_array_equal(found, np.load(folder / "visual.npy"))


def test_lists_as_python_prints_them_are_lists() -> None:
    folder = CASES / "c27_pylist_tags"
    videos = read_tables(folder, names.of_folder(folder)).videos
    tags = {tag for row in videos["tags"].to_pylist() for tag in row or []}
    assert tags and not any(mark in tag for tag in tags for mark in "[]'\",")


def first_step(folder: Path) -> None:
    features = names.of_folder(folder)
    tables = read_tables(folder, features)
    for split in snapshot.splits(tables, features, EvaluationConfig()).values():
        assert sum(batch.num_rows for batch in snapshot.shards(split)) > 0
