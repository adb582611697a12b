"""Whatever wrote the tables, and whatever broke them: the same tables or one sentence.

Each case changes a sound folder. `data check` either accepts it, and then the first
step of the pipeline takes the very same tables, or refuses it in one sentence.
"""

from __future__ import annotations

import codecs
import csv
import decimal
import gzip
import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from tfx_pipeline import snapshot
from uvcan_tf import features as names
from uvcan_tf.config import EvaluationConfig
from uvcan_tf.data.cli import data
from uvcan_tf.data.tables import read_tables

DECLARATION = {
    "user": ["gender", "home city", {"name": "age", "numeric": "buckets", "count": 2}],
    "video": ["author", {"name": "tags", "multivalued": True}]
    + [{"name": "look", "length": 3}],
    "slices": ["home city"],
}
LIKES = [(u, v) for u in range(1, 5) for v in range(10, 17) if (u + v) % 7]
TIME = 1649505600
FRAMES = {
    "users": pd.DataFrame(
        {
            "user_id": [1, 2, 3, 4],
            "gender": ["f", "m", None, "f"],
            "home city": ["Köln", "a,b", "x y", "Köln"],
            "age": [20.0, None, 35.5, 20.0],
        }
    ),
    "videos": pd.DataFrame(
        {
            "video_id": range(10, 17),
            "author": [*"abcab", None, "c"],
            "tags": ["x|y", "x", None, "z|y", "x", "y", "z"],
        }
    ),
    "interactions": pd.DataFrame(
        {
            "user_id": [u for u, _ in LIKES],
            "video_id": [v for _, v in LIKES],
            "label": [int(i % 6 > 0) for i in range(len(LIKES))],
            "timestamp": [TIME + i for i in range(len(LIKES))],
        }
    ),
}
LOOK = np.arange(21, dtype=np.float32).reshape(7, 3)
SAME = ""
Change = Callable[[Path], object]
Case = tuple[str, Change, str]


def written(folder: Path) -> Path:
    for name, frame in FRAMES.items():
        frame.to_csv(folder / f"{name}.csv", index=False)
    np.save(folder / "look.npy", LOOK)
    (folder / "features.json").write_text(json.dumps(DECLARATION), encoding="utf-8")
    return folder


def edited(table: str, edit: Callable[[bytes], bytes]) -> Change:
    """Rewrites the bytes of a table's CSV."""

    def change(folder: Path) -> None:
        path = folder / f"{table}.csv"
        path.write_bytes(edit(path.read_bytes()))

    return change


def as_csv(table: str, **columns: Any) -> Change:
    """Writes a table's CSV anew by pandas with other columns."""
    return lambda folder: (
        FRAMES[table].assign(**columns).to_csv(folder / f"{table}.csv", index=False)
    )


def as_parquet(table: str, columns: Any = None, **options: Any) -> Change:
    """Writes a table as Parquet with other columns, None for one to leave out."""

    def change(folder: Path) -> None:
        (folder / f"{table}.csv").unlink()
        arrow = pa.Table.from_pandas(FRAMES[table], preserve_index=False)
        changed = {n: arrow[n] for n in arrow.column_names} | (columns or {})
        kept = {name: column for name, column in changed.items() if column is not None}
        pq.write_table(pa.table(kept), folder / f"{table}.parquet", **options)

    return change


def in_parts(table: str, suffix: str) -> Change:
    """A folder of three part files, as Spark writes it."""

    def change(folder: Path) -> None:
        (folder / f"{table}.csv").unlink()
        home = folder / f"{table}{suffix}"
        home.mkdir()
        (home / "_SUCCESS").touch()
        for number, rows in enumerate(np.array_split(np.arange(len(FRAMES[table])), 3)):
            part = FRAMES[table].iloc[rows]
            if suffix == ".csv":
                part.to_csv(home / f"part-{number}.csv", index=False)
            else:
                part.to_parquet(home / f"part-{number}.parquet", index=False)

    return change


def declared(text: str | bytes) -> Change:
    content = text.encode() if isinstance(text, str) else text
    return lambda folder: (folder / "features.json").write_bytes(content)


def saved(vectors: Any) -> Change:
    return lambda folder: np.save(folder / "look.npy", vectors)


def swapped(separator: str) -> Callable[[bytes], bytes]:
    def edit(content: bytes) -> bytes:
        rows = csv.reader(io.StringIO(content.decode(), newline=""))
        text = io.StringIO(newline="")
        csv.writer(text, delimiter=separator, quoting=csv.QUOTE_ALL).writerows(rows)
        return text.getvalue().replace('""', "").encode()

    return edit


def renamed(table: str, suffix: str, content: bytes | None = None) -> Change:
    def change(folder: Path) -> None:
        path = folder / f"{table}.csv"
        old = path.read_bytes()
        path.unlink()
        new = gzip.compress(old) if content is None else content
        (folder / f"{table}{suffix}").write_bytes(new)

    return change


def twice(content: bytes) -> bytes:
    """The same CSV with its first column once more at the end."""
    lines = content.decode().splitlines()
    return "".join(f"{x},{x.split(',')[0]}\n" for x in lines).encode()


def without_id(content: bytes) -> bytes:
    """The same CSV and a row of empty cells."""
    cells = content.split(b"\n")[0].count(b",")
    return content + b'""' + b"," * cells + b"\n"


def writers() -> list[Case]:
    """Other files with the same content."""
    edits: dict[str, Callable[[bytes], bytes]] = {
        "byte order mark": lambda b: codecs.BOM_UTF8 + b,
        "Windows line ends": lambda b: b.replace(b"\n", b"\r\n"),
        "no last line end": lambda b: b.rstrip(b"\n"),
        "empty lines": lambda b: b"\n" + b + b"\n\n",
        "semicolons": swapped(";"),
        "tabs": swapped("\t"),
        "quotes everywhere": swapped(","),
        "gzip called csv": gzip.compress,
    }
    options: dict[str, dict[str, Any]] = {
        "plain": {},
        "one row a group": {"row_group_size": 1},
        "format 1.0": {"version": "1.0"},
        "format 2.6": {"version": "2.6"},
        "gzip": {"compression": "gzip"},
        "zstd": {"compression": "zstd"},
        "no dictionary": {"use_dictionary": False},
    }
    cases: list[Case] = []
    for table, frame in FRAMES.items():
        cases += [(f"{table}: {n}", edited(table, e), SAME) for n, e in edits.items()]
        cases += [
            (f"{table}: Parquet, {n}", as_parquet(table, None, **o), SAME)
            for n, o in options.items()
        ]
        cases += [
            (f"{table}: parts {s}", in_parts(table, s), SAME)
            for s in (".parquet", ".csv", "")
        ]
        cases.append((f"{table}: csv.gz", renamed(table, ".csv.gz"), SAME))
        cases.append((f"{table}: another column", as_csv(table, other=1), SAME))
        backwards = edited(
            table,
            lambda _, frame=frame: (
                frame[frame.columns[::-1]].to_csv(index=False).encode()
            ),
        )
        cases.append((f"{table}: columns backwards", backwards, SAME))
    return cases


def types() -> list[Case]:
    """The same values as other types."""
    kinds = [pa.int8(), pa.int16(), pa.int32(), pa.uint8(), pa.uint64(), pa.float32()]
    kinds += [pa.float64(), pa.string(), pa.large_string(), pa.binary()]
    cases: list[Case] = []
    for table, column in (("users", "user_id"), ("videos", "video_id")) + (
        ("interactions", "user_id"),
        ("interactions", "video_id"),
    ):
        whole = pa.array(FRAMES[table][column])
        texts = whole.cast(pa.string())
        each = {str(k): (texts if "b" in str(k)[:2] else whole).cast(k) for k in kinds}
        each["dictionary"] = texts.dictionary_encode()
        for scale in (0, 2):
            numbers = [decimal.Decimal(i) for i in whole.to_pylist()]
            each[f"decimal {scale}"] = pa.array(numbers, pa.decimal128(12, scale))
        for name, values in each.items():
            change = as_parquet(table, {column: values})
            cases.append((f"{table}.{column}: {name}", change, SAME))
        floats = FRAMES[table][column].astype(float)
        cases.append(
            (f"{table}.{column}: 1.0", as_csv(table, **{column: floats}), SAME)
        )
    label = FRAMES["interactions"]["label"]
    words = {
        "True": "True",
        "TRUE": "TRUE",
        "true": "true",
        "1.0": "1.0",
        "1.00": "1.00",
    }
    for name, one in words.items():
        zero = {"t": "false", "T": "False", "1": one.replace("1", "0")}[one[0]]
        zero = zero.upper() if one == "TRUE" else zero
        texts = label.map({1: one, 0: zero})
        cases.append((f"label: CSV {name}", as_csv("interactions", label=texts), SAME))
    for kind in (pa.bool_(), pa.int8(), pa.float64(), pa.string(), pa.uint16()):
        change = as_parquet("interactions", {"label": pa.array(label).cast(kind)})
        cases.append((f"label: {kind}", change, SAME))
    moments = pd.to_datetime(FRAMES["interactions"]["timestamp"], unit="s")
    stamps: dict[str, Any] = {
        "ISO": moments.astype(str),
        "ISO with a zone": moments.dt.tz_localize("UTC").dt.tz_convert("Asia/Shanghai"),
        "milliseconds": FRAMES["interactions"]["timestamp"] * 1000,
        "fractions": FRAMES["interactions"]["timestamp"] + 0.0,
    }
    for name, values in stamps.items():
        change = as_csv("interactions", timestamp=values)
        cases.append((f"timestamp: CSV {name}", change, SAME))
    for unit in ("s", "ms", "us", "ns"):
        for zone in (None, "UTC", "Asia/Shanghai"):
            column = pa.array(moments).cast(pa.timestamp(unit, zone))
            change = as_parquet("interactions", {"timestamp": column})
            cases.append((f"timestamp: {unit} {zone}", change, SAME))
    return cases


def vectors_and_lists() -> list[Case]:
    cases: list[Case] = [
        (f"look.npy: {kind} {order}", saved(np.asarray(LOOK, kind, order=order)), SAME)
        for kind in ("<f2", "<f4", ">f4", "<f8", ">f8", "i1", "<i4", ">i8", "u2")
        for order in ("C", "F")
    ]
    tables = [row if any(row) else None for row in LOOK.tolist()]
    kinds = [
        pa.list_(pa.float32()),
        pa.list_(pa.float64()),
        pa.large_list(pa.float32()),
    ]
    for kind in (*kinds, pa.list_(pa.int32())):
        rows = [None if r is None else [int(x) for x in r] for r in tables]
        change = as_parquet("videos", {"look": pa.array(rows, kind)})
        cases.append((f"look: {kind}", change, SAME))
    tenths = [
        None if a is None else decimal.Decimal(str(a)) for a in (20, None, 35.5, 20)
    ]
    ages = {
        "float32": pa.array([20, np.nan, 35.5, 20], pa.float32()),
        "decimals": pa.array(tenths, pa.decimal128(9, 2)),
        "text": pa.array(["20", "", "3.55e1", "20.00"]),
    }
    cases += [
        (f"age: {k}", as_parquet("users", {"age": a}), SAME) for k, a in ages.items()
    ]
    tags = [t and t.split("|") for t in FRAMES["videos"]["tags"]]
    for kind in (pa.list_(pa.string()), pa.large_list(pa.large_string())):
        change = as_parquet("videos", {"tags": pa.array(tags, kind)})
        cases.append((f"tags: {kind}", change, SAME))
    printed: dict[str, Callable[[Any], str]] = {
        "Python": str,
        "JSON": json.dumps,
        "tuples": lambda names: str(tuple(names)),
        "ends": lambda names: f"|{'|'.join(names)}|",
    }
    for name, write in printed.items():
        texts = [None if names is None else write(names) for names in tags]
        cases.append((f"tags: {name}", as_csv("videos", tags=texts), SAME))
    return cases


def corruptions() -> list[Case]:
    """Folders that cannot be used, with the sentence that says why."""
    cases: list[Case] = []
    workbook = b"PK\x03\x04\0\0xl/workbook.xml"
    for table, frame in FRAMES.items():
        first = frame.columns[0]
        text = frame.to_csv(index=False)
        no_rows = f"{table}.csv should have at least one row"
        edits: dict[str, tuple[Callable[[bytes], bytes], str]] = {
            "empty": (lambda b: b"", "Received: no columns"),
            "header only": (lambda b: b[: b.index(b"\n") + 1], no_rows),
            "no header": (lambda b: b[b.index(b"\n") + 1 :], "should have the column"),
            "UTF-16": (
                lambda b: b.decode().encode("utf-16"),
                "UTF-16; save it as UTF-8",
            ),
            "UTF-16 unmarked": (lambda b: b.decode().encode("utf-16-be"), "zero bytes"),
            "Latin-1": (
                lambda b: b + "ö,ö,ö\n".encode("latin-1"),
                "not a readable CSV",
            ),
            "workbook": (lambda b: workbook, "an Excel workbook"),
            "Parquet called CSV": (lambda b: b"PAR1" + b, "a Parquet file; call it"),
            "cut gzip": (lambda b: gzip.compress(b)[:-9], "not a readable CSV"),
            "short row": (lambda b: b + b"77\n", "line .*Expected . columns, got 1"),
            "long row": (lambda b: b + b"7,7,7,7,7,7\n", "Expected . columns, got 6"),
            "second header": (
                lambda b: b + b[: b.index(b"\n") + 1],
                f"the header's '{first}'",
            ),
            "an empty id": (without_id, "an empty one in row"),
        }
        cases += [(f"{table}: {n}", edited(table, e), s) for n, (e, s) in edits.items()]
        cases += [
            (
                f"{table}: missing",
                lambda folder, t=table: (folder / f"{t}.csv").unlink(),
                f"The table '{table}' is missing",
            ),
            (
                f"{table}: two formats",
                lambda folder, t=table: (folder / f"{t}.parquet").touch(),
                f"has both {table}.parquet and {table}.csv",
            ),
            (
                f"{table}: CSV called Parquet",
                renamed(table, ".parquet", text.encode()),
                f"{table}.parquet is not a readable Parquet file",
            ),
            (
                f"{table}: workbook instead",
                renamed(table, ".xlsx", workbook),
                f"'{table}' is missing: .* Received: .*{table}.xlsx",
            ),
            (
                f"{table}: column missing",
                as_parquet(table, {first: None}),
                f"should have the column {first}",
            ),
            (
                f"{table}: column twice",
                edited(table, twice),
                "more than once",
            ),
            (
                f"{table}: float ids without their digits",
                as_parquet(
                    table, {first: pa.array(2.0**60 + 1e6 * np.arange(len(frame)))}
                ),
                "has lost digits",
            ),
            (
                f"{table}: a line break in an id",
                as_csv(table, **{first: ["a\nb", *map(str, frame[first][1:])]}),
                r"'a\\nb' in row 1",
            ),
            (
                f"{table}: ids in lists",
                as_parquet(table, {first: pa.array([[1]] * len(frame))}),
                "should be strings or numbers",
            ),
        ]
    cases += [
        (
            "users: an id twice",
            edited("users", lambda b: b + b"1,f,x,\n"),
            "1 repeated",
        ),
        ("videos: an id twice", edited("videos", lambda b: b + b"10,a,\n"), "shape"),
        ("a pair twice", edited("interactions", lambda b: b + b"1,10,1,8\n"), "pair"),
        (
            "an unknown user",
            edited("interactions", lambda b: b + b"9,10,1,8\n"),
            "lacks",
        ),
        (
            "an unknown video",
            edited("interactions", lambda b: b + b"1,99,1,8\n"),
            "lacks",
        ),
        ("nobody likes", as_csv("interactions", label=0), "liked videos"),
        ("tags with commas", as_csv("videos", tags="a,b"), "declared multivalued"),
        ("tags with semicolons", as_csv("videos", tags="a;b"), "declared multivalued"),
        ("tags as NumPy prints", as_csv("videos", tags="['a' 'b']"), "multivalued"),
        ("tags in lists of lists", as_csv("videos", tags="[['a']]"), "multivalued"),
        ("a name on two lines", as_csv("users", gender="a\r\nb"), "names on one line"),
        (
            "no vectors",
            lambda f: (f / "look.npy").unlink(),
            "should have the column look",
        ),
        (
            "numbers in words",
            as_csv("users", age="old"),
            "'age' should be numbers. Rec",
        ),
        ("numbers with commas", as_csv("users", age="3,5"), "should be numbers"),
        (
            "numbers without end",
            as_csv("users", age="1e60"),
            "finite numbers of 32 bit",
        ),
        ("dates for numbers", as_csv("users", age="2020-01-01"), "should be numbers"),
        ("lists for numbers", as_csv("users", age="[1, 2]"), "should be numbers"),
        ("vectors too few", saved(LOOK[1:]), r"shape \[7, 3\].* \[6, 3\]"),
        ("vectors too short", saved(LOOK[:, 1:]), r"shape \[7, 3\].* \[7, 2\]"),
        ("vectors of booleans", saved(LOOK > 3), "Received: bool"),
        ("vectors of text", saved(LOOK.astype(str)), "Received: <U"),
        ("vectors of objects", saved(LOOK.astype(object)), "not a readable NumPy file"),
        ("vectors with NaN", saved(LOOK + np.nan), "NaN or infinity"),
        (
            "vectors too large",
            saved(LOOK.astype(np.float64) * 1e300 + 1e300),
            "NaN or infinity",
        ),
        ("vectors as text", as_csv("videos", look="1 2 3"), "should be a list column"),
    ]
    for value in ("2", "", "yes", "-1", "0.5", "nan", "1 0"):
        values = ["1"] * (len(LIKES) - 1) + [value]
        change = as_csv("interactions", label=values)
        cases.append((f"label: {value!r}", change, "'label' should be 0 or 1"))
    features = {
        "nothing": ("", "should be JSON"),
        "a list": ("[]", "`user` and `video` are required"),
        "cut": ('{"user": [', "should be JSON; line 1"),
        "Latin-1": ('{"user": ["größe"]}'.encode("latin-1"), "text in UTF-8"),
        "another key": ('{"user": [], "video": [], "vidoe": []}', "are required"),
        "no list": ('{"user": "gender", "video": []}', "`user` should be a list"),
        "a number": ('{"user": [3], "video": []}', "should be a column name"),
        "no name": ('{"user": [""], "video": []}', "should be that of a column"),
        "reserved": ('{"user": ["label"], "video": []}', "uses a reserved name"),
        "twice": ('{"user": ["gender", "gender"], "video": []}', "declared twice"),
        "no column": ('{"user": ["sex"], "video": []}', "should have the column sex"),
        "length 0": (
            '{"user": [], "video": [{"name": "look", "length": 0}]}',
            "length",
        ),
        "length 4": ('{"user": [], "video": [{"name": "look", "length": 4}]}', "shape"),
        "slices": ('{"user": [], "video": [], "slices": ["x"]}', "name user features"),
        "popularity": ('{"user": [], "video": [], "popularity_of": "x"}', "one of"),
    }
    cases += [(f"features: {n}", declared(c), s) for n, (c, s) in features.items()]
    return cases


CASES = [*writers(), *types(), *vectors_and_lists(), *corruptions()]


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = written(tmp_path_factory.mktemp("sound"))
    return read_tables(folder, names.of_folder(folder))


def test_the_cases_are_many_and_each_has_its_name() -> None:
    assert len({name for name, *_ in CASES}) == len(CASES) >= 250


@pytest.mark.parametrize(
    ("change", "sentence"), [c[1:] for c in CASES], ids=[c[0] for c in CASES]
)
def test_the_same_tables_or_one_sentence(
    tmp_path: Path, sound: Any, change: Change, sentence: str
) -> None:
    change(written(tmp_path))
    result = CliRunner().invoke(data, ["check", str(tmp_path)])
    if sentence:
        assert (result.exit_code, result.stdout) == (1, ""), result.stdout
        assert result.stderr.count("\n") == 1, result.exception
        assert re.search(sentence, result.stderr), result.stderr
        return
    assert result.exit_code == 0, result.stderr
    features = names.of_folder(tmp_path)
    tables = read_tables(tmp_path, features)
    assert tables == sound
    for split in snapshot.splits(tables, features, EvaluationConfig()).values():
        assert sum(batch.num_rows for batch in snapshot.shards(split)) > 0
