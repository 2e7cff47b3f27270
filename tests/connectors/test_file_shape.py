"""What a people file looks like before it is configured, and what is said of one that is none."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.connectors import file_shape
from syncd.errors import Incomplete


def put(root: Path, content: bytes | str, name: str = "people.csv") -> Path:
    path = root / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_what_separates_the_cells(tmp_path: Path, delimiter: str) -> None:
    rows = [["id", "name", "note"], ["1", "Lee, Ann", "a;b|c"], ["2", "Ray", "x"]]
    text = "\n".join(delimiter.join(f'"{cell}"' if delimiter in cell else cell for cell in row) for row in rows)
    shape = file_shape.look(put(tmp_path, "\ufeff" + text + "\n"))
    assert (shape.delimiter, list(shape.columns)) == (delimiter, ["id", "name", "note"])
    assert shape.rows[0] == {"id": "1", "name": "Lee, Ann", "note": "a;b|c"}
    assert file_shape.ids(tmp_path / "people.csv", "id", delimiter).people == 2


def test_one_column_is_separated_by_nothing(tmp_path: Path) -> None:
    shape = file_shape.look(put(tmp_path, "email\na@x.co\n"))
    assert (shape.delimiter, list(shape.columns)) == (",", ["email"])


@pytest.mark.parametrize(
    ("content", "name", "told"),
    [
        ("", "people.csv", "people.csv is empty: it needs a header"),
        ("\n\n", "people.csv", "is empty"),
        (b"PK\x03\x04rest", "people.csv", "is a spreadsheet or an archive, no text: export it as CSV"),
        (b"id\0name\n", "people.csv", "is binary, no text"),
        ("id\n1\n".encode("utf-16"), "people.csv", "is UTF-16"),
        ("id,name\n1,Ann\n2,Müller\n".encode("cp1252"), "people.csv", "people.csv line 3 is not UTF-8: export it as CSV"),
        ("x", "people.xlsx", "not a people file by its name: name it .csv, .jsonl, .json"),
        (",,\n1,2,3\n", "people.csv", "line 1 is no header"),
        ("[1, 2", "people.json", "is not JSON"),
        ("{}", "people.json", "holds no people: it needs one array of objects"),
        ("1\n2\n", "people.jsonl", "holds no people: it needs one object a line"),
    ],
)
def test_what_is_no_people_file(tmp_path: Path, content: bytes | str, name: str, told: str) -> None:
    with pytest.raises(Incomplete, match=told):
        file_shape.look(put(tmp_path, content, name))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(Incomplete, match="does not exist"):
        file_shape.look(tmp_path / "people.csv")
    with pytest.raises(Incomplete, match="is not a file"):
        (tmp_path / "dir.csv").mkdir()
        file_shape.look(tmp_path / "dir.csv")


@pytest.mark.parametrize(
    ("name", "content"), [("p.jsonl", '{"id": 1, "a": "x"}\n{"id": 2, "b": "y"}\n'), ("p.json", '[{"id":1,"a":"x"},{"id":2,"b":"y"}]')]
)
def test_json(tmp_path: Path, name: str, content: str) -> None:
    shape = file_shape.look(put(tmp_path, content, name))
    assert list(shape.columns) == ["id", "a", "b"] and len(shape.rows) == 2
    assert file_shape.ids(tmp_path / name, "id", ",").people == 2


def test_who_lacks_an_id_and_who_has_anothers(tmp_path: Path) -> None:
    path = put(tmp_path, "nr,name\n1,Ann\n,Bo\n1,Cy\n3\n")
    found = file_shape.ids(path, "nr", ",")
    assert found.people == 1
    assert found.problems == ["people.csv line 3: no nr", "people.csv line 4: nr '1' stands in the file twice"]
    assert found.rows == ["people.csv line 5: 1 cells, but the header has 2"]
    assert file_shape.ids(path, "name", ",").problems == []


def test_a_half_written_file_says_so(tmp_path: Path) -> None:
    assert "half-written" in file_shape.ids(put(tmp_path, "nr,name\n1,Ann\n2,B"), "nr", ",").rows[0]


def test_of_a_large_file_the_beginning_is_looked_at_and_all_of_it_read(tmp_path: Path) -> None:
    many = file_shape.HEAD // 8 + 10
    path = put(tmp_path, "nr,name\n" + "".join(f"{number:06},Ä\n" for number in range(many)))
    assert len(file_shape.look(path).rows) == file_shape.ROWS
    assert file_shape.ids(path, "nr", ",").people == many


@given(st.binary(max_size=200))
def test_whatever_it_is_it_is_looked_at_or_refused_with_a_reason(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = put(tmp_path_factory.mktemp("any"), content)
    try:
        shape = file_shape.look(path)
    except Incomplete as error:
        assert "people.csv" in str(error)
    else:
        assert shape.columns
