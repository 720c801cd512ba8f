"""Whole columns and files that are written plainly: what counts as that, and that they are read as with all care."""

from pathlib import Path

import pyarrow as pa
import pytest

from cs_helpers.data.contract.columns import Column
from cs_helpers.data.engines.duckdb import DuckDB
from cs_helpers.data.mapping import TableMapping
from cs_helpers.data.sources.shapes import blank_row, shape_of, stripped, times, well_quoted
from cs_helpers.data.sources.staged import BLANKS
from cs_helpers.data.tables.expressions import Reader


def column(*values):
    return pa.chunked_array([pa.array(values, pa.string())])


@pytest.mark.parametrize(
    ("values", "shape"),
    [
        (["1", "-2.50", "+3", None], "number"),
        (["999999999999", "0.000001"], "number"),
        (["2024-02-30", None], "date"),
        (["2024-02-29 10:00", "2024-02-29T10:00:59"], "time"),
        (["1", "1,5"], ""),
        (["1", "1e5"], ""),
        (["1", ".5"], ""),
        (["1", "€1"], ""),
        (["1", "1234567890123"], ""),
        (["1", "0.1234567"], ""),
        (["1", "1\n"], ""),
        (["2024-02-29", "2024-2-1"], ""),
        (["2024-02-29", "2024-02-29 10:00"], ""),
        (["2024-02-29 10:00", "2024-02-29 10:00Z"], ""),
        (["2024-02-29 10:00:00", "2024-02-29 10:00:00.5"], ""),
        (["٣", "٤"], ""),
        ([None, None], ""),
        ([], ""),
    ],
)
def test_a_column_has_a_shape_only_if_every_value_has_it(values, shape):
    assert shape_of(column(*values)) == shape


@pytest.mark.parametrize(
    ("text", "well"),
    [
        ('a,b\n"x","y"\n', True),
        ('"a","b"\n1,"x, ""y"" and\nz"', True),
        ('\ufeff"a",b\r\n"",2\r\n', True),
        ('a,b\n"x"y,2\n', False),
        ('a,b\n5" pipe,2" pipe\n', False),
        ('a,b\n "x",2\n', False),
        ('a,b\n"x" ,2\n', False),
        ('a,b\n"x,2\n', False),
    ],
)
def test_a_file_is_well_quoted_if_quotes_stand_around_whole_fields(tmp_path: Path, text, well):
    path = tmp_path / "x.csv"
    path.write_text(text, encoding="utf-8", newline="")
    assert well_quoted(path, ",") is well


def test_blanks_are_taken_off_and_what_holds_nothing_else_is_missing():
    assert stripped(column(" a ", "\u00a0\tb c\n", "  ", None, "d"), BLANKS).to_pylist() == [
        "a",
        "b c",
        None,
        None,
        "d",
    ]
    plain = column("a", None)
    assert stripped(plain, BLANKS) is plain


def test_a_row_is_blank_only_if_every_column_lacks_it():
    assert blank_row([column("a", None), column(None, None)])
    assert not blank_row([column("a", None), column(None, "b")])
    assert not blank_row([column("a", "b"), column(None, None)])
    assert times(column("a,b,,", None, ","), ",") == 4


@pytest.fixture(scope="module")
def engine():
    engine = DuckDB()
    yield engine
    engine.close()


KINDS = {
    "number": ("money", "integer", "number"),
    "date": ("date", "time"),
    "time": ("date", "time"),
}
VALUES = {
    "number": ["0", "-0.005", "1.005", "12.345", "999999999999.999999", "+7", "007", None],
    "date": ["2024-02-29", "2023-02-29", "1969-12-31", "2024-13-01", "0000-00-00", None],
    "time": [
        "2024-03-31 02:30",
        "2024-02-30 10:00",
        "2024-02-29T23:59:59",
        "2024-02-29 24:00",
        "2024-02-29 10:61",
        None,
    ],
}


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin"])
@pytest.mark.parametrize(("shape", "kind"), [(shape, kind) for shape, kinds in KINDS.items() for kind in kinds])
def test_a_plain_column_is_typed_as_one_read_with_all_care(engine, shape, kind, zone):
    engine.register("plain", pa.table({"h": pa.array(VALUES[shape], pa.string())}))
    entry, wanted = TableMapping(timezone=zone), Column("c", kind, "", "")
    careful, quick = (Reader(entry, {"h": "text"}, ".", shapes) for shapes in ({}, {"h": shape}))
    sql = [reader.typed(wanted, reader.header("h")) for reader in (careful, quick)]
    assert len(sql[1]) < len(sql[0])
    rows = engine.rows(f"SELECT {sql[0]}, {sql[1]} FROM plain")
    assert [one for one, _ in rows] == [other for _, other in rows]
    assert any(one is not None for one, _ in rows)
