"""link --from FILE.csv: all of it or nothing, and every wrong line is named."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.cli.office import Office
from tests.cli.schemas import valid
from tests.cli.test_linking import stranger
from tests.cli.test_waiting import items


def crowd(office: Office) -> list[str]:
    """One has an account; three strangers' accounts say to be those of 2, 3 and 4. Their ids."""
    office.settled(1)
    sids = [stranger(office, f"stranger{number}", externalId=f"E{number}") for number in (2, 3, 4)]
    office.hire(2, 3, 4)
    assert office.run("sync", "--yes").code == 3
    return sids


def table(office: Office, *lines: str, header: str = "connection,account,who") -> str:
    (office.root / "links.csv").write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return str(office.root / "links.csv")


def test_every_line_is_a_link(office: Office) -> None:
    two, three, _ = crowd(office)
    file = table(office, f"chat,{two},E2", f'"chat", {three} ,p3@corp.example', "", "chat,STRANGER4,people/E4")
    said = office.run("link", "--from", file)
    assert (said.code, said.out) == (0, "3 accounts linked; the next `syncd sync` adopts those whose people are to have one.\n")
    assert items(office) == []
    said = office.run("sync", "--yes")
    assert said.code == 0 and "chat: 3 adopted" in said.out and len(office.users) == 4
    assert len(valid(office.run("link", "--from", file, "--json").json, "link")["linked"]) == 3, "saying it twice is no fault"


def test_the_connection_may_be_said_once(office: Office) -> None:
    two, three, _ = crowd(office)
    file = table(office, f"E2,{two}", f"E3,{three}", header="who,account")
    assert office.run("link", "-c", "chat", "--from", file).out.startswith("2 accounts linked")


WRONG: list[tuple[Sequence[str], Sequence[str]]] = [
    (["chat,{two},E2", "chat,nobody,E3", "chat,stranger4,E9"], ["3: chat has no account nobody", "4: nobody is called E9"]),
    (["chat,{two},E2", "chat,stranger2,E3"], ["3: account stranger2 stands in line 2 already"]),
    (["chat,{two},E2", "chat,{three},people/E2"], ["3: person people/E2 stands in line 2 already"]),
    (["chta,{two},E2", "chta,{three},E3"], ["2: no connection is named 'chta' (did you mean 'chat'?)"]),
    (["chta,{two},E2", "chat,nobody,E3"], ["2: no connection is named 'chta'", "3: chat has no account nobody"]),
    (["people,E2,E2"], ["2: people is not written"]),
    (["chat,{two},E2", "chat,,E3", ",{three},"], ["3: no account", "4: no connection", "4: no who"]),
    (["chat,p1@corp.example,E2"], ["2: account US", "is p1@corp.example's"]),
    (["chat,stranger2"], ["2: no who"]),
    ([], ["1: no row follows the header"]),
    (['chat,"stranger2,E2'], ["links.csv cannot be read"]),
]


@pytest.mark.parametrize(("lines", "told"), WRONG, ids=[told[0][3:40] for _, told in WRONG])
def test_one_wrong_line_and_nothing_is_done(office: Office, lines: Sequence[str], told: Sequence[str]) -> None:
    two, three, four = crowd(office)
    before = items(office)
    file = table(office, *(line.format(two=two, three=three, four=four) for line in lines))
    said = office.run("link", "--from", file)
    assert (said.code, said.out) == (1, "") and all(one in said.err for one in told), said.err
    assert items(office) == before
    store_before = office.run("plan", "--json").json["changes"]
    assert all(one["held"] for one in store_before), "nobody was linked"


def test_a_header_that_lacks_a_column_says_which(office: Office) -> None:
    two, *_ = crowd(office)
    said = office.run("link", "--from", table(office, f"{two},E2", header="account,who"))
    assert said.code == 1 and "links.csv:1: the header lacks connection" in said.err and "(-c NAME may stand for the first)" in said.err
    said = office.run("link", "--from", str(office.root / "none.csv"))
    assert said.code == 1 and "none.csv cannot be read: No such file or directory" in said.err
    said = office.run("link", "-c", "chat", "--from", table(office, f"people,{two},E2"))
    assert said.code == 1 and "2: its connection is people, and -c says chat" in said.err


def test_many_faults_are_counted(office: Office) -> None:
    crowd(office)
    said = office.run("link", "--from", table(office, *(f"chat,nobody{number},E1" for number in range(30))))
    assert said.code == 1 and said.err.count("links.csv:") == 20 and said.err.endswith("  ... and 10 more\n")
