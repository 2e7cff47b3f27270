"""Expressions: checked when compiled, and never mistaken for a value when they fail."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.core.expression import EvaluationError, ExpressionError, compile_expression

TYPES = {"department": "string", "email": "string", "active": "bool", "retired": "bool", "roles": "list", "row": "map", "size": "double"}
plain = st.text(st.characters(codec="utf-8", exclude_characters="\0"))


def answer(text, values=None, result="bool", types=None):
    return compile_expression(text, types or TYPES, result).evaluate(values or {})


def refused(text, result="bool", types=None):
    with pytest.raises(ExpressionError) as caught:
        compile_expression(text, types or TYPES, result)
    return caught.value


# ---- an evaluation error is never a value ---------------------------------------------------------------------------

FAILING = [
    ('row["absent"] == "x"', "Key not found"),
    ('!(row["absent"] == "x")', "Key not found"),
    ('roles[3] == "x"', "Index error"),
    ("1 / 0 == 1", "divide by zero"),
    ("int(department) > 1", "cannot convert"),
    ('active && row["absent"] == "x"', "Key not found"),
    ('email.matches("(" + department)', "regular expression"),
    ("email.substring(9) == ''", "substring"),
    ('[row["absent"]].size() == 1', "Key not found"),
    ('roles.exists(one, row[one] == "x") || roles[9] == ""', "Index error"),
]


@pytest.mark.parametrize(("text", "why"), FAILING)
def test_no_answer_is_an_error_not_true(text, why):
    with pytest.raises(EvaluationError, match=why):
        answer(text)


@pytest.mark.parametrize("text", ['row["absent"]', 'lower(row["absent"])', "email.charAt(5)"])
def test_no_answer_is_an_error_not_text(text):
    with pytest.raises(EvaluationError):
        answer(text, result="string")


@pytest.mark.parametrize("text", ['{"a": [row["absent"]]}', "1 / 0", '["x".charAt(3)]'])
def test_no_answer_is_an_error_not_a_document(text):
    with pytest.raises(EvaluationError):
        answer(text, result="value")


def test_what_decides_without_the_failing_part_has_an_answer():
    assert answer('active || row["absent"] == "x"') is True


@pytest.mark.parametrize("name", ["department", "roles", "row"])
@pytest.mark.parametrize("bad", ["admin\0x", "admin\ud800"])
def test_text_that_cel_would_misread_is_an_error(name, bad):
    values = {"department": bad, "roles": [bad], "row": {"a": bad}}
    text = {"department": 'department == "admin"', "roles": '"admin" in roles', "row": 'row["a"] == "admin"'}[name]
    with pytest.raises(EvaluationError, match=name):
        answer(text, values)


@pytest.mark.parametrize("text", ['lower("a\\u0000b") == "a"', '"a\\u0000b".upper() == "A"'])
def test_our_own_functions_do_not_cut_text(text):
    with pytest.raises(EvaluationError, match="NUL"):
        answer(text)


@pytest.mark.parametrize(
    ("text", "bad", "why"),
    [
        ('department == "5"', {"department": 5}, "department: a number where text is expected"),
        ("active", {"active": "yes"}, "active: text where true or false is expected"),
        ('"a" in roles', {"roles": "a"}, "roles: text where a list is expected"),
        ('"a" in roles', {"roles": [1]}, "roles: a number where text is expected"),
        ('row["a"] == "1"', {"row": {"a": 1}}, "row.a: a number where text is expected"),
        ('row["a"] == "1"', {"row": "a"}, "row: text where an object is expected"),
        ("size > 1.0", {"size": "2"}, "size: text where a number is expected"),
        ("size > 1.0", {"size": True}, "size: true or false where a number is expected"),
        ("size > 1.0", {}, "size: no value where a number is expected"),
    ],
)
def test_a_value_of_another_type_is_an_error_that_names_it(text, bad, why):
    with pytest.raises(EvaluationError) as caught:
        answer(text, bad)
    assert str(caught.value) == why


@pytest.mark.parametrize(
    "text", ["dyn(b'x')", '[timestamp("2026-01-01T00:00:00Z")]', "{1: 'x'}", "1.0 / 0.0", '"a\\u0000b"', "[type(email)]"]
)
def test_an_answer_that_is_not_json_is_an_error(text):
    with pytest.raises(EvaluationError, match="its result"):
        answer(text, result="value")


# ---- what an expression sees ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    ['department == ""', "roles == []", "row == {}", "active", "!retired", 'lower(email) == ""', '!("a" in roles)', '!("a" in row)'],
)
@pytest.mark.parametrize("absent", [{}, dict.fromkeys(TYPES)])
def test_absent_values_have_a_neutral_form(text, absent):
    assert answer(text, absent) is True


def test_false_is_not_absent():
    assert answer("active", {"active": False}) is False and answer("active", {"active": ""}) is True


@given(plain)
def test_text_passes_unchanged(text):
    assert answer("email", {"email": text}, "string") == text
    assert answer('row["x"] + roles[0]', {"row": {"x": text}, "roles": [text]}, "string") == text * 2


@given(plain)
def test_lower_and_upper_are_unicodes(text):
    values = {"email": text}
    assert answer("lower(email)", values, "string") == answer("email.lower()", values, "string") == text.lower()
    assert answer("upper(email)", values, "string") == answer("email.upper()", values, "string") == text.upper()


def test_the_string_functions_are_there():
    values = {"email": " Ann@b.example ", "roles": {"x"}, "size": 3}
    assert answer('email.trim().split("@")[0].replace("n", "m") + roles.join("") + email.substring(1, 2)', values, "string") == "AmmxA"
    assert answer('roles.map(one, lower(one)).exists(one, one == "x") && size == 3.0', values) is True


def test_any_json_is_an_answer():
    assert answer('{"a": [1, 2.5, true, department], "n": null}', {"department": "x"}, "value") == {"a": [1, 2.5, True, "x"]}


# ---- what is refused when compiled ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "message", "place"),
    [
        ('departmnt == "x"', "unknown name 'departmnt'; did you mean 'department'?", (1, 1)),
        ('active &&\n  Department == "x"', "unknown name 'Department'; did you mean 'department'?", (2, 3)),
        ("EMAIL", "unknown name 'EMAIL'; did you mean 'email'?", (1, 1)),
        ("zzz", "unknown name 'zzz'", (1, 1)),
        ('lowr(email) == ""', "unknown name 'lowr'; did you mean 'lower'?", (1, 5)),
        ("department == 1", "== cannot be applied to (string, int)", (1, 12)),
        ("active ? email : 1", "?: cannot be applied to (bool, string, int)", (1, 8)),
        ("email in 5", "in cannot be applied to (string, int)", (1, 7)),
        ("size(active) > 1", "size cannot be applied to (bool)", (1, 5)),
        ('department = "x"', "cannot read '= '", (1, 12)),
        ("department ==", "the expression ends too early", (1, 14)),
        ("", "the expression ends too early", (1, 1)),
        ("First Name", "unexpected 'Name'", (1, 7)),
        ('"é" + é', "cannot read 'é'", (1, 7)),
        ("email.size", "expression of type 'string' cannot be the operand of a select operation", (1, 6)),
        ("(" * 40 + "active" + ")" * 40, "more than 30 operators in a chain or levels of nesting", (1, 1)),
        ("+".join(["email"] * 40), "more than 30 operators in a chain or levels of nesting", (1, 1)),
        ("email", "gives string where bool is needed", (1, 1)),
        ("dyn(active)", "gives dyn where bool is needed", (1, 1)),
    ],
)
def test_a_bad_expression_says_what_and_where(text, message, place):
    error = refused(text)
    assert (error.message, (error.line, error.column)) == (message, place)
    assert str(error) == f"{message} (at {place[0]}:{place[1]})"


@pytest.mark.parametrize(
    ("text", "result"), [("active", "string"), ("roles", "string"), ('"x"', "bool"), ("null", "bool"), ("1", "string")]
)
def test_the_type_of_the_answer_is_checked(text, result):
    assert "is needed" in refused(text, result).message


@pytest.mark.parametrize("text", ["b'x'", 'timestamp("2026-01-01T00:00:00Z")', 'duration("1s")', "type(email)"])
def test_a_type_that_is_not_json_is_refused(text):
    assert "not a JSON value" in refused(text, "value").message


@pytest.mark.parametrize("name", ["First Name", "a-b", "$id", "in", "package", "true", "string", "type", "é", "a.b", ""])
def test_a_name_that_cel_cannot_spell_does_no_harm(name):
    assert answer('email == ""', {name: "x"}, types={"email": "string", name: "string"}) is True


def test_a_dotted_name_is_a_member_not_a_name():
    assert "unknown name" in refused('meta.syncd == ""', types={"meta.syncd": "string"}).message


# ---- what it reads --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ('"email" == department', {"department"}),
        ('roles.exists(email, email == "x") && active', {"roles", "active"}),
        ("true", set()),
        ('row["email"] == email', {"row", "email"}),
    ],
)
def test_the_names_it_reads(text, names):
    assert compile_expression(text, TYPES, "bool").names == names


def test_values_it_does_not_read_cannot_disturb_it():
    assert answer('email == "a"', {"email": "a", "department": 5, "size": None, "roles": object()}) is True


def test_equal_expressions_are_compiled_once():
    one = compile_expression("active", TYPES, "bool")
    assert compile_expression("active", dict(reversed(TYPES.items())), "bool") is one
    assert compile_expression("active", {"active": "bool"}, "bool") is not one
