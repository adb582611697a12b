"""A table is found and read however its writer stored it, or said not to be one."""

from __future__ import annotations

import base64
import gzip
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from uvcan_tf.data.files import find_table, read_columns
from uvcan_tf.errors import DataError

CSV = "user_id,größe\nu1,m\nu2,\n"
ROWS = {"user_id": ["u1", "u2"], "größe": ["m", None]}
READ = {
    "plain": CSV.encode(),
    "with a byte order mark": CSV.encode("utf-8-sig"),
    "with Windows line ends": CSV.replace("\n", "\r\n").encode(),
    "without a last line end": CSV.strip().encode(),
    "with empty lines": b"\n" + CSV.encode() + b"\n\n",
    "with semicolons": CSV.replace(",", ";").encode(),
    "with tabs": CSV.replace(",", "\t").encode(),
    "in quotes": b'"user_id","gr\xc3\xb6\xc3\x9fe"\n"u1","m"\n"u2",""\n',
    "compressed": gzip.compress(CSV.encode()),
}
REFUSED = {
    "UTF-16": (CSV.encode("utf-16"), "text in UTF-16; save it as UTF-8"),
    "UTF-16 without a mark": (CSV.encode("utf-16-le"), "zero bytes, as UTF-16 has"),
    "a workbook": (b"PK\x03\x04\0\0", "an Excel workbook or another zip archive"),
    "an old workbook": (b"\xd0\xcf\x11\xe0\0", "an Excel workbook; export"),
    "Parquet": (b"PAR1\0", "a Parquet file; call it .parquet"),
    "Latin-1": ("user_id,größe\nu1,ä\n".encode("latin-1"), "column größe"),
    "Latin-1 below": (CSV.encode() + b"u3,\xe4\n", "line 4.*UTF8"),
    "cut gzip": (gzip.compress(CSV.encode())[:-9], "not a readable CSV file"),
    "a short row": (CSV.encode() + b"u3\n", "line 4: Expected 2 columns, got 1"),
    "nothing": (b"", "Received: no columns"),
}


def read(path: Path) -> dict[str, list[object]]:
    found: dict[str, list[object]] = read_columns(path, list(ROWS), []).to_pydict()
    return found


def refused(path: Path, sentence: str) -> None:
    with pytest.raises(DataError, match=sentence) as error:
        read(path)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("content", READ.values(), ids=READ)
def test_every_csv_in_utf_8_is_read(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "users.csv").write_bytes(content)
    assert read(find_table(tmp_path, "users")) == ROWS


@pytest.mark.parametrize(("content", "sentence"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_csv_is_named(tmp_path: Path, content: bytes, sentence: str) -> None:
    (tmp_path / "users.csv").write_bytes(content)
    refused(tmp_path / "users.csv", sentence)


def test_a_csv_called_gz_is_found(tmp_path: Path) -> None:
    (tmp_path / "users.csv.gz").write_bytes(gzip.compress(CSV.encode()))
    assert read(find_table(tmp_path, "users")) == ROWS


def test_a_row_longer_than_a_megabyte_is_read(tmp_path: Path) -> None:
    long = "x" * (3 << 20)
    (tmp_path / "users.csv").write_text(f"user_id,größe\nu1,{long}\nu2,m\n")
    assert read(tmp_path / "users.csv")["größe"] == [long, "m"]


@pytest.mark.parametrize("name", ["users.parquet", "users"])
def test_part_files_are_one_table(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    folder.mkdir()
    (folder / "_SUCCESS").touch()
    (folder / ".part-0.parquet.crc").touch()
    first = {"user_id": ["u1"], "größe": ["m"]}
    pq.write_table(pa.table(first), folder / "part-0.parquet")
    last = {"größe": pa.nulls(1), "user_id": ["u2"]}
    pq.write_table(pa.table(last), folder / "part-1.parquet")
    assert read(find_table(tmp_path, "users")) == ROWS


def test_parts_of_csv_are_one_table(tmp_path: Path) -> None:
    (tmp_path / "users.csv").mkdir()
    for number, row in enumerate(["u1,m", "u2,"]):
        (tmp_path / "users.csv" / f"{number}.csv").write_text(f"user_id,größe\n{row}\n")
    assert read(find_table(tmp_path, "users")) == ROWS


def test_parts_that_differ_are_refused(tmp_path: Path) -> None:
    for number, values in enumerate([["a"], [["b"]]]):
        table = pa.table({"user_id": ["u1"], "größe": values})
        pq.write_table(table, tmp_path / f"{number}.parquet")
    refused(tmp_path, r"'größe' is list<\w+: string> in 1.parquet, and string before")
    (tmp_path / "1.parquet").unlink()
    (tmp_path / "1.csv").write_text("user_id\nu1\n")
    refused(tmp_path, "1.csv should have the column größe. Received: user_id")


def test_an_optional_column_is_in_all_parts_or_in_none(tmp_path: Path) -> None:
    """A part without labels would turn what was only shown into likes."""
    for number, header in enumerate(["user_id", "user_id,label"]):
        part = tmp_path / f"span-{number}" / "part-0.csv"
        part.parent.mkdir()
        part.write_text(f"{header}\nu1,0\n" if number else f"{header}\nu1\n")
    with pytest.raises(
        DataError, match="span-0/part-0.csv should have the column label."
    ):
        read_columns(tmp_path, ["user_id"], ["label"])


def test_an_unreadable_part_is_called_by_its_day(tmp_path: Path) -> None:
    for number, content in enumerate([b"user_id\nu1\n", b"user_id\n\xe4\n"]):
        part = tmp_path / f"span-{number}" / "part-0.csv"
        part.parent.mkdir()
        part.write_bytes(content)
    with pytest.raises(DataError, match="^span-1/part-0.csv is not a readable CSV"):
        read_columns(tmp_path, ["user_id"], [])


def test_a_missing_table_is_told_with_what_is_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="Received: an empty folder"):
        find_table(tmp_path, "users")
    (tmp_path / "Users.xlsx").touch()
    (tmp_path / "users.parquet").mkdir()
    with pytest.raises(DataError, match="Received: Users.xlsx, users.parquet/"):
        find_table(tmp_path, "users")


def test_fixed_size_lists_with_nulls_are_read(tmp_path: Path) -> None:
    """Other writers write them; Arrow before version 13 neither does nor reads them."""
    schema = pa.schema({"video_id": pa.string(), "look": pa.list_(pa.float32(), 2)})
    plain = pa.table(
        {"video_id": ["a", "b", "c"], "look": [[1.0, 2.0], None, [3.0, 4.0]]},
        metadata={"OTHER:schema": base64.b64encode(schema.serialize())},
    )
    path = tmp_path / "videos.parquet"
    pq.write_table(plain, path)
    content = path.read_bytes().replace(b"ARROW:schema", b"PLAIN:schema")
    path.write_bytes(content.replace(b"OTHER:schema", b"ARROW:schema"))
    with pytest.raises(pa.ArrowInvalid, match="all lists to be of size=2"):
        pq.read_table(path)
    found = read_columns(path, ["video_id", "look"], [])
    assert found["look"].to_pylist() == [[1, 2], None, [3, 4]]
