"""Fields: text in, value out, and a sentence for what does not fit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gd_core.settings.fields import (
    AutoNumber,
    Choice,
    Flag,
    Number,
    Numbers,
    ParameterError,
    Several,
    divided,
    shown,
    written,
)

SHARE = Number(default=0.5, low=0, high=2, title="Share")
COUNT = Number(default=3, low=1, high=9, title="Count", whole=True)
RATE = AutoNumber(low=1e-9, high=1, title="Rate")
RATES = Numbers(default=(0.1, 0.2), low=1e-9, high=1, title="Rates", at_least=2, at_most=3)
VIEW = Choice(default="map", choices={"map": "Map", "curve": "Curve"}, title="View")
RACERS = Several(default=("a",), choices={"a": "A", "b": "B", "c": "C"}, title="Racers")
ARROWS = Flag(default=False, title="Arrows")


@pytest.mark.parametrize(
    ("option", "text", "value"),
    [
        (SHARE, "1e-3", 0.001),
        (SHARE, "2", 2.0),
        (COUNT, "9", 9),
        (RATE, "0.25", 0.25),
        (RATE, "auto", None),
        (RATE, " ", None),
        (RATES, "0.1, 0.25 ,1", (0.1, 0.25, 1.0)),
        (VIEW, "curve", "curve"),
        (RACERS, "c,a,a", ("a", "c")),
        (ARROWS, "true", True),
    ],
)
def test_what_fits_is_read(option, text, value):
    """Numbers as typed, choices by key and in the order in which they are offered."""
    assert option.read("name", text) == value


@pytest.mark.parametrize(
    ("option", "text", "sentence"),
    [
        (SHARE, "x", "name must be a number between 0 and 2. Got x."),
        (SHARE, "", "name must be a number between 0 and 2. Got nothing."),
        (RATE, "2", "name must be auto or a number between 1e-09 and 1. Got 2."),
        (RATE, "none", "name must be auto or a number between 1e-09 and 1. Got none."),
        (SHARE, "nan", "name must be a number between 0 and 2. Got nan."),
        (SHARE, "inf", "name must be a number between 0 and 2. Got inf."),
        (SHARE, "2.1", "name must be a number between 0 and 2. Got 2.1."),
        (COUNT, "1.5", "name must be a whole number between 1 and 9. Got 1.5."),
        (RATES, "0.1", "name must hold 2 to 3 numbers. Got 1."),
        (RATES, "0.1,zero", "name must be a number between 1e-09 and 1. Got zero."),
        (VIEW, "<b>", "name must be one of map, curve. Got <b>."),
        (RACERS, "a,d", "name must hold only a, b, c. Got d."),
        (RACERS, "", "name must hold at least 1. Got 0."),
        (ARROWS, "yes", "name must be one of true, false. Got yes."),
    ],
)
def test_what_does_not_fit_is_said(option, text, sentence):
    """One sentence with the name, the rule and the value."""
    with pytest.raises(ParameterError) as caught:
        option.read("name", text)
    assert str(caught.value) == sentence
    assert caught.value.parameter == "name"


@given(st.floats(min_value=0, max_value=2))
def test_a_number_survives_its_link(value):
    """Written and read again, a number is the same to the last bit."""
    assert SHARE.read("share", SHARE.typed(value)) == value


@given(st.lists(st.floats(min_value=1e-9, max_value=1), min_size=2, max_size=3).map(tuple))
def test_numbers_survive_their_link(values):
    """So are several."""
    assert RATES.read("rates", RATES.typed(values)) == values


@given(st.sets(st.sampled_from("abc"), min_size=1))
def test_choices_survive_their_link(chosen):
    """So is any selection."""
    value = tuple(sorted(chosen))
    assert RACERS.read("racers", RACERS.typed(value)) == value


@pytest.mark.parametrize(
    ("value", "text"), [(1e-5, "1e-5"), (0.35, "0.35"), (1000, "1000"), (2.0, "2"), (1e22, "1e+22")]
)
def test_numbers_are_written_as_one_would_type_them(value, text):
    """Without a zero that nobody types."""
    assert written(value) == text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1/18", 1 / 18),
        (" 1 / 9 ", 1 / 9),
        ("-1/3", -1 / 3),
        ("6/2", 3.0),
        ("1e-3", 1e-3),
        ("−3.40000", -3.4),
    ],
)
def test_a_quotient_and_a_printed_minus_may_be_typed(text, value):
    """They become what `float` reads."""
    assert float(divided(text)) == value


@pytest.mark.parametrize("text", ["1/0", "a/b", "1/", "", "published"])
def test_what_is_no_quotient_stays_as_it_was_typed(text):
    """So that the sentence about it can quote it."""
    assert divided(text) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(1 / 18, "1/18"), (1 / 9, "1/9"), (-2 / 3, "-2/3"), (0.1, "0.1"), (0.5, "0.5"), (1e-5, "1e-5"), (40, "40"),
     (0.1 + 0.2, "0.30000000000000004")],
)  # fmt: skip
def test_a_fraction_is_shown_where_it_is_shorter_and_exact(value, text):
    """Nothing is rounded."""
    assert shown(value) == text


@given(value=st.floats(-1e9, 1e9))
def test_what_is_shown_can_be_typed_again(value):
    """Any number comes back as itself, to the last digit."""
    assert float(divided(shown(value))) == value


@pytest.mark.parametrize(
    ("typed", "number", "whole"),
    [
        ("1/18", 1 / 18, None),
        ("0,05", 0.05, None),
        (",5", 0.5, None),
        ("1,5e-3", 0.0015, None),
        ("\N{MINUS SIGN}2,25", -2.25, None),
        ("1,000", None, 1000),
        ("12,345,678", None, 12345678),
        ("2,5", 2.5, None),
        ("1,000.5", None, None),
        ("1,2,3", None, None),
        ("1/0", None, None),
    ],
)
def test_a_number_is_read_as_people_type_it(typed, number, whole):
    """A fraction and a decimal comma are numbers; 1,000 is a thousand where only whole numbers are, and refused elsewhere."""
    for field, expected in (
        (Number(low=-1e9, high=1e9), number),
        (Number(low=-1e9, high=1e9, whole=True), whole),
    ):
        if expected is None:
            with pytest.raises(ParameterError):
                field.read("x", field.typed_in(typed))
        else:
            assert field.read("x", field.typed_in(typed)) == expected
