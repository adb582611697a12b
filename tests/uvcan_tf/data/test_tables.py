"""Every bad table stops with one sentence; every good one has one form."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import hypothesis
import hypothesis.extra.numpy as arrays
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from uvcan_tf import features as names
from uvcan_tf.data.tables import Tables, read_tables, write_tables
from uvcan_tf.errors import DataError
from uvcan_tf.features import Categorical, Dense, Features

FEATURES = Features(
    user=(Categorical("gender"),),
    video=(
        Categorical("author"),
        Categorical("tags", multivalued=True),
        Dense("look", 3),
    ),
)
USERS = "user_id,gender,nickname\n1,f,Ann\n2,,Bo\n"
VIDEOS = "video_id,author,tags\n10,a,x|y\n20,,\n30,b,x\n"
INTERACTIONS = "user_id,video_id,label,timestamp\n1,10,1,7\n1,20,0,8\n2,30,1,9\n"
LOOK = np.array([[1, 2, 3], [0, 0, 0], [4, 5, 6]], np.float32)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "users.csv").write_text(USERS)
    (tmp_path / "videos.csv").write_text(VIDEOS)
    (tmp_path / "interactions.csv").write_text(INTERACTIONS)
    np.save(tmp_path / "look.npy", LOOK)
    return tmp_path


def as_parquet(folder: Path, name: str, **columns: object) -> None:
    (folder / f"{name}.csv").unlink()
    pq.write_table(pa.table(columns), folder / f"{name}.parquet")


def refused(folder: Path, sentence: str) -> None:
    with pytest.raises(DataError, match=sentence) as error:
        read_tables(folder, FEATURES)
    assert "\n" not in str(error.value)


def test_a_csv_becomes_the_canonical_columns(folder: Path) -> None:
    tables = read_tables(folder, FEATURES)
    assert tables.users.to_pydict() == {"user_id": ["1", "2"], "gender": ["f", None]}
    assert tables.videos.to_pydict() == {
        "video_id": ["10", "20", "30"],
        "author": ["a", None, "b"],
        "tags": [["x", "y"], None, ["x"]],
        "look": [[1, 2, 3], None, [4, 5, 6]],
    }
    assert tables.interactions.to_pydict() == {
        "user_id": ["1", "1", "2"],
        "video_id": ["10", "20", "30"],
        "label": [1, 0, 1],
        "timestamp": [7000, 8000, 9000],
    }
    assert [str(t) for t in tables.videos.schema.types] == [
        "string",
        "string",
        "list<item: string>",
        "fixed_size_list<item: float>[3]",
    ]
    assert tables.interactions.schema.field("label").type == pa.int8()


def test_parquet_of_other_types_gives_the_same_tables(folder: Path) -> None:
    expected = read_tables(folder, FEATURES)
    as_parquet(
        folder,
        "users",
        gender=pa.array(["f", None]).dictionary_encode(),
        user_id=[1, 2],
    )
    as_parquet(
        folder,
        "videos",
        video_id=pa.array([10, 20, 30], pa.int16()),
        author=["a", "", "b"],
        tags=[["x", "y"], [], ["x", None]],
        look=[[1.0, 2.0, 3.0], None, [4.0, 5.0, 6.0]],
    )
    as_parquet(
        folder,
        "interactions",
        user_id=[1.0, 1.0, 2.0],
        video_id=[10, 20, 30],
        label=[True, False, True],
        timestamp=pa.array([7, 8, 9], pa.timestamp("s")),
    )
    (folder / "look.npy").unlink()
    assert read_tables(folder, FEATURES) == expected


def test_a_list_of_whole_numbers_becomes_strings(folder: Path) -> None:
    as_parquet(
        folder,
        "videos",
        video_id=[10, 20, 30],
        author=[1, 2, 3],
        tags=[[4, 5], None, [6]],
    )
    videos = read_tables(folder, FEATURES).videos
    assert videos["tags"].to_pylist() == [["4", "5"], None, ["6"]]
    assert videos["author"].to_pylist() == ["1", "2", "3"]


def test_an_id_with_gaps_never_ends_in_a_point_zero(folder: Path) -> None:
    author = pa.array([9155697141.0, None, float("nan")])
    as_parquet(
        folder, "videos", video_id=[10, 20, 30], author=author, tags=["x", "y", None]
    )
    authors = read_tables(folder, FEATURES).videos["author"].to_pylist()
    assert authors == ["9155697141", None, None]


def test_without_a_label_every_interaction_is_liked(folder: Path) -> None:
    (folder / "interactions.csv").write_text("user_id,video_id\n1,10\n2,20\n")
    interactions = read_tables(folder, FEATURES).interactions
    assert interactions["label"].to_pylist() == [1, 1]
    assert names.TIMESTAMP not in interactions.column_names


def test_the_vectors_of_an_npy_are_mapped_not_copied(folder: Path) -> None:
    videos = read_tables(folder, FEATURES).videos
    on_disk = np.load(folder / "look.npy", mmap_mode="r+")
    on_disk[2, 1] = 55
    on_disk.flush()
    assert videos["look"].to_pylist() == [[1, 2, 3], None, [4, 55, 6]]


def test_written_tables_are_read_back_equal(folder: Path, tmp_path: Path) -> None:
    tables = read_tables(folder, FEATURES)
    write_tables(tmp_path / "out", tables, FEATURES)
    assert read_tables(tmp_path / "out", FEATURES) == tables
    assert names.of_folder(tmp_path / "out") == FEATURES


def test_a_failed_write_leaves_nothing(folder: Path, tmp_path: Path) -> None:
    tables = read_tables(folder, FEATURES)
    broken = Tables(tables.users, tables.videos, pa.table({"x": [None]}).to_batches())
    with pytest.raises(AttributeError):
        write_tables(tmp_path / "out", broken, FEATURES)
    assert not (tmp_path / "out").exists()


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    refused(tmp_path / "nowhere", "nowhere does not exist")


def test_a_missing_file_names_what_was_tried_and_what_is_there(folder: Path) -> None:
    (folder / "users.csv").unlink()
    refused(
        folder,
        "'users' is missing: .* users.csv, .* Received: interactions.csv",
    )


def test_two_formats_of_one_table_are_refused(folder: Path) -> None:
    (folder / "users.parquet").write_text("")
    refused(folder, "has both users.parquet and users.csv; remove")


def test_a_missing_column_lists_those_received(folder: Path) -> None:
    (folder / "users.csv").write_text("user_id,sex\n1,f\n")
    refused(folder, "users.csv .* column gender. Received: user_id, sex")


def test_a_missing_vector_column_is_named(folder: Path) -> None:
    (folder / "look.npy").unlink()
    refused(folder, "videos.csv should have the column look")


def test_an_unreadable_csv_names_the_line(folder: Path) -> None:
    (folder / "users.csv").write_text("user_id,gender\n1,f\n2\n")
    refused(folder, "users.csv is not a readable CSV file: .*line 3.*Expected 2")


def test_text_that_is_not_utf8_names_the_line(folder: Path) -> None:
    (folder / "users.csv").write_bytes(b"user_id,gender\n1,\xff\n")
    refused(folder, "users.csv is not a readable CSV file: .*line 2.*UTF8")


def test_a_damaged_parquet_file_is_named(folder: Path) -> None:
    (folder / "users.csv").unlink()
    (folder / "users.parquet").write_bytes(b"PAR1 nothing")
    refused(folder, "users.parquet is not a readable Parquet file")


@pytest.mark.parametrize("text", ["user_id,gender\n", ""])
def test_an_empty_table_is_refused(folder: Path, text: str) -> None:
    (folder / "users.csv").write_text(text)
    refused(folder, "at least one row|Received: no columns")


def test_repeated_ids_are_counted_and_the_first_named(folder: Path) -> None:
    rows = "".join(f"{i},f\n" for i in [1, 2, 1, 2, 2, 3, 3, 4, 4])
    (folder / "users.csv").write_text("user_id,gender\n" + rows)
    refused(folder, "users should .* 5 repeated, first: 1, 2, 2, 3, 4.")


def test_an_empty_id_names_its_row(folder: Path) -> None:
    (folder / "users.csv").write_text("user_id,gender\n1,f\n,m\n")
    refused(folder, "users.csv, column 'user_id' .* empty one in row 2, 1 such")


def test_repeated_pairs_are_counted_and_the_first_named(folder: Path) -> None:
    (folder / "interactions.csv").write_text("user_id,video_id\n1,10\n2,10\n1,10\n")
    refused(folder, r"pair .* 1 repeated, first: \(1, 10\)")


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ("7,10\n8,10\n7,20\n", "names 2 user_ids that users lacks, in 3 rows.* 7, 8"),
        ("1,70\n1,10\n", "names 1 video_ids that videos lacks, in 1 rows.* First: 70"),
    ],
)
def test_an_unknown_reference_is_counted_and_named(
    folder: Path, rows: str, sentence: str
) -> None:
    (folder / "interactions.csv").write_text("user_id,video_id\n" + rows)
    refused(folder, sentence)


@pytest.mark.parametrize(("value", "shown"), [("2", "'2'"), ("", "None"), ("y", "'y'")])
def test_a_label_is_0_or_1(folder: Path, value: str, shown: str) -> None:
    text = f"user_id,video_id,label\n1,10,1\n1,20,{value}\n"
    (folder / "interactions.csv").write_text(text)
    refused(folder, f"column 'label' should be 0 or 1. Received: {shown} in row 2")


def test_a_timestamp_that_is_none_is_left_out_with_a_note(folder: Path) -> None:
    text = "user_id,video_id,timestamp\n1,10,5\n1,20,noon\n"
    (folder / "interactions.csv").write_text(text)
    tables = read_tables(folder, FEATURES)
    assert names.TIMESTAMP not in tables.interactions.column_names
    [note] = tables.notes
    assert "column 'timestamp' should be" in note
    assert note.endswith(
        "Received: 'noon' in row 2, 1 such rows. The column is left out."
    )


@pytest.mark.parametrize(
    ("look", "sentence"),
    [
        ([[1.0, 2.0], None, [1.0] * 3], "length 3. Received: 2 for '10', 1 such"),
        ([[1.0] * 3, [1.0, float("nan"), 1.0], None], "infinity in the vector of '20'"),
        ([[1.0] * 3, None, [1.0, 1.0, float("inf")]], "infinity in the vector of '30'"),
        ([[1.0] * 3, None, [1.0, 1.0, None]], "infinity in the vector of '30'"),
        ([1.0, 2.0, 3.0], "should be a list column"),
        ([["a"] * 3, None, None], "should hold numbers"),
    ],
)
def test_a_bad_vector_names_its_row(
    folder: Path, look: list[object], sentence: str
) -> None:
    as_parquet(
        folder,
        "videos",
        video_id=[10, 20, 30],
        author=["a"] * 3,
        tags=["x"] * 3,
        look=look,
    )
    refused(folder, sentence)


@pytest.mark.parametrize(
    ("vectors", "sentence"),
    [
        (LOOK[:2], r"look.npy should be numbers of shape \[3, 3\].* float32 \[2, 3\]"),
        (LOOK.astype(bool), "Received: bool"),
        (LOOK + np.float32(np.nan), "vector of '10'"),
    ],
)
def test_a_bad_npy_is_refused(
    folder: Path, vectors: npt.NDArray[Any], sentence: str
) -> None:
    np.save(folder / "look.npy", vectors)
    refused(folder, sentence)


def test_a_truncated_npy_is_refused(folder: Path) -> None:
    path = folder / "look.npy"
    path.write_bytes(path.read_bytes()[:-4])
    refused(folder, "look.npy is not a readable NumPy file")


class Harmless(pa.PyExtensionType):  # type: ignore[misc]
    """A type whose reader, before pyarrow 14.0.1, calls what the file names."""

    def __init__(self, mark: str) -> None:
        self.mark = mark
        super().__init__(pa.string())

    def __reduce__(self) -> Any:
        return Path.touch, (Path(self.mark),)


# Such a type is what runs code; newer pyarrow says itself that nobody should use it.
@pytest.mark.filterwarnings("ignore:pyarrow.PyExtensionType:FutureWarning")
def test_a_parquet_file_runs_no_code(folder: Path) -> None:
    mark = folder / "was_here"
    column = pa.ExtensionArray.from_storage(Harmless(str(mark)), pa.array(["f", "m"]))
    as_parquet(folder, "users", user_id=[1, 2], gender=column)
    refused(folder, "users.parquet is not a readable Parquet file: Disallowed")
    assert not mark.exists()


REALS = (
    arrays.integer_dtypes()
    | arrays.unsigned_integer_dtypes()
    | (arrays.floating_dtypes(sizes=(16, 32, 64)))
)
VECTORS = REALS.flatmap(
    lambda kind: arrays.arrays(
        kind,
        (3, 3),
        elements=arrays.from_dtype(kind, allow_nan=False, allow_infinity=False)
        if kind.kind != "f"
        else arrays.from_dtype(
            kind, min_value=-1000, max_value=1000, allow_subnormal=False
        ),
    )
)


@hypothesis.given(vectors=VECTORS, order=hypothesis.strategies.sampled_from("CF"))
@hypothesis.settings(
    suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture],
)
def test_vectors_read_back_equal_in_any_layout_and_type(
    folder: Path, vectors: npt.NDArray[Any], order: Any
) -> None:
    np.save(folder / "look.npy", np.asarray(vectors, order=order))
    read = read_tables(folder, FEATURES).videos["look"].to_pylist()
    found = np.array([row or [0, 0, 0] for row in read])
    np.testing.assert_array_equal(found, vectors.astype(np.float32))


def test_an_archive_of_arrays_is_no_array(folder: Path) -> None:
    np.savez(folder / "look", LOOK)
    (folder / "look.npz").replace(folder / "look.npy")
    refused(folder, "look.npy should be one array, written by np.save. Received: a")


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_a_float_id_that_lost_digits_is_refused(folder: Path, kind: Any) -> None:
    first = float(2 ** (np.finfo(kind).nmant + 1))
    as_parquet(folder, "users", user_id=np.array([1, first], kind), gender=["f", "m"])
    with pytest.raises(DataError, match="names"):  # the number itself is exact
        read_tables(folder, FEATURES)
    users = pa.table({"user_id": np.array([1, 2 * first], kind), "gender": ["f", "m"]})
    pq.write_table(users, folder / "users.parquet")
    refused(folder, "'user_id' should be whole numbers or text. Received: .* in row 2")


def test_a_float_id_that_lost_digits_is_refused_in_a_csv(folder: Path) -> None:
    (folder / "users.csv").write_text("user_id,gender\n1.0,f\n7.13681350739915e+18,m\n")
    refused(folder, "'user_id' should be whole numbers or text. Received: double")


def test_whole_floats_of_a_csv_are_the_ids_that_they_mean(folder: Path) -> None:
    (folder / "users.csv").write_text("user_id,gender\n1.0,f\n2.0,\n")
    assert read_tables(folder, FEATURES).users["user_id"].to_pylist() == ["1", "2"]


@pytest.mark.parametrize("texts", [["1.10", "2.0"], ["1.0", "x"], ["12e4a", "1e1"]])
def test_text_that_is_no_whole_float_stays_as_it_is(
    folder: Path, texts: list[str]
) -> None:
    as_parquet(folder, "users", user_id=[1, 2], gender=texts)
    assert read_tables(folder, FEATURES).users["gender"].to_pylist() == texts
