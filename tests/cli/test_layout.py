"""What the columns of tables are."""

from __future__ import annotations

from argparse import Namespace

import pytest

from sktspulse.cli.layout import read_layout, row_groups

pd = pytest.importorskip("pandas")
NAMES = ("time", "time_format", "tz", "id", "columns", "channel", "value", "label")

LONG = """\
site,when,what,amount
b,2024-10-27 02:00,flow,1
b,2024-10-27 02:00,level,10
b,2024-10-27 02:00,flow,2
a,2024-10-27 02:00,flow,5
b,2024-10-27 02:00,level,20
a,2024-10-27 01:00,flow,4
"""


@pytest.fixture
def read(tmp_path):
    def read(text, **names):
        path = tmp_path / "a.csv"
        path.write_text(text)
        options = Namespace(**dict.fromkeys(NAMES) | {"decimal": "."} | names)
        return read_layout(path, options)

    return read


def test_all_other_columns_are_channels(read):
    layout = read("t,id,x,kind,y\n1,a,1,u,\n2,a,2,u,4\n", time="t", id="id", label="kind")
    assert layout.channels == ["x", "y"]
    assert layout.values["x"].tolist() == [1, 2]
    assert layout.values["y"].isna().tolist() == [True, False]
    assert layout.stamps.tolist() == [1, 2]


def test_channels_can_be_chosen(read):
    assert read("x,y,note\n1,2,hm\n3,4,hm\n", columns="y, x").channels == ["y", "x"]


def test_one_row_a_value_becomes_one_column_a_channel(read):
    names = {"time": "when", "id": "site", "channel": "what", "value": "amount"}
    layout = read(LONG, tz="Europe/Berlin", **names)
    assert layout.channels == ["flow", "level"]
    assert layout.table["site"].tolist() == ["b", "b", "a", "a"]
    assert layout.values["flow"].tolist() == [1, 2, 4, 5]
    assert layout.values["level"].tolist()[:2] == [10, 20]
    assert layout.table["when"].tolist()[-2:] == ["2024-10-27 01:00", "2024-10-27 02:00"]
    assert layout.stamps.diff()[1] == pd.Timedelta("1h")
    with pytest.raises(ValueError, match="Row 2 has a second value of 'flow' at 2024-10-27 02:00"):
        read(LONG, **names)


def test_groups_are_in_order_of_appearance():
    table = pd.DataFrame({"id": ["b", "a", "b"]})
    assert [rows.tolist() for rows in row_groups(table, ["id", None])] == [[0, 2], [1]]
    assert row_groups(table, [None])[0].tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("text", "names", "said"),
    [
        ("x\n1\n", {"time": "t"}, "has no column 't'. Its columns: x."),
        ("x\n1\n", {"columns": "y"}, "has no column 'y'"),
        ("x,t\n1,1\n", {"time": "t", "columns": "t"}, "has no channel 't'. Its channels: x."),
        ("t\n1\n", {"time": "t"}, "has no column of values"),
        ("x,id\n1,\n", {"id": "id"}, "row 0 has no value in column 'id'"),
        ("x\n1\n", {"channel": "x"}, "--channel and --value belong together"),
        ("x,y\n1,2\n", {"channel": "x", "value": "y"}, "--channel needs --time"),
        ("x\n2024-01-01\n2024-01-02\n", {}, "column 'x' holds '2024-01-01' in row 0, a time stamp"),
        ("x\n1\nerr\n", {}, "column 'x' holds 'err' in row 1, which is not a number. Correct"),
        (
            "x\nred\nblue\n",
            {},
            "If it names the series, pass --id x. If it holds labels, pass --label x.",
        ),
        ("x;y\n1,5;1\n", {}, "decimal comma, pass --decimal ','"),
        ("t,k,x\n1,a,2\n", {"time": "t"}, "Otherwise pass the channels: --columns x."),
    ],
)
def test_errors_say_what_to_do(read, text, names, said):
    with pytest.raises(ValueError, match=said.replace("(", r"\(")):
        read(text, **names)
