"""How numbers are written in sentences."""

import math
import re
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gd_core import words
from gd_core.export import caption
from gd_core.problem import build
from gd_core.recorder import record
from gd_core.settings.experiment import Experiment, defaults
from gd_core.theory import curvature_of
from pages.ui.look.current_charts import Played
from pages.ui.takeaway.page_html import sentences

PERFECT = Experiment(
    **(defaults("two-features", "gradient-descent") | {"noise": 0.0, "learning_rate": 0.5, "epochs": 400})
)


def parabola(experiment):
    problem = build(experiment)
    return curvature_of(problem.objective), problem


def test_a_floor_that_is_rounding_is_called_zero():
    """Rows made without noise leave less than 1e-12 by NumPy's least squares; the same rows with noise have a number."""
    known, problem = parabola(PERFECT)
    columns = np.column_stack([problem.dataset.x.numpy(), np.ones(len(problem.dataset.x))])
    y = problem.dataset.y.numpy()[:, 0]
    left = y - columns @ np.linalg.lstsq(columns, y)[0]
    assert 0 < math.sqrt((left**2).mean()) < 1e-6  # float32 data: no number that anyone should read
    assert words.floor_of(known) == "0 (a perfect fit, up to rounding)"
    assert words.floor_label(known) == "floor 0 up to rounding"

    known, problem = parabola(replace(PERFECT, noise=0.5))
    y = problem.dataset.y.numpy()[:, 0]
    left = y - columns @ np.linalg.lstsq(columns, y)[0]
    lowest = math.sqrt((left**2).mean())
    assert float(words.floor_of(known)) == pytest.approx(lowest, rel=5e-6)
    assert words.floor_label(known) == f"floor {lowest:.4g}"


def test_an_error_is_zero_only_where_it_is_the_rounding_of_a_perfect_fit():
    """At the end of a run without noise; not before, and never where there is a floor."""
    known, _ = parabola(PERFECT)
    rmse = record(PERFECT).epoch_rmse
    shown = known.error(rmse, float(rmse[0]))
    assert float(rmse[-1]) > 0
    assert shown[-1] == 0
    assert torch.equal(shown[:7], rmse[:7])  # 4.7 … 3.7e-7
    noisy = replace(PERFECT, noise=0.5)
    rmse = record(noisy).epoch_rmse
    assert torch.equal(parabola(noisy)[0].error(rmse, float(rmse[0])), rmse)


@pytest.mark.parametrize("scaled", [False, True])
def test_a_parameter_is_zero_only_where_it_is_rounding_beside_its_column(scaled):
    """y = 3 x₁ has w₂ = b = 0 but for a last digit; a small parameter of a large column is no rounding."""
    known, problem = parabola(replace(PERFECT, scale_features=scaled))
    size = problem.dataset.x.square().mean(0).sqrt()  # of each column
    y = float(problem.dataset.y.square().mean().sqrt())
    raw = torch.tensor([3.0, 2e-16 * y / float(size[1]), -3e-16 * y], dtype=torch.float64)
    assert known.parameters(problem.scaled(raw), problem.to_raw).tolist() == pytest.approx(
        [3, 0, 0], rel=1e-12
    )
    assert known.parameters(problem.scaled(raw), problem.to_raw)[1:].tolist() == [0, 0]
    small = torch.tensor([1e-9, 1e-9, -1e-9], dtype=torch.float64)
    assert known.parameters(problem.scaled(small), problem.to_raw).tolist() == pytest.approx(
        small.tolist(), rel=1e-6
    )


# ------------------------------------------------------------------------------------------------------- their form

HOSTILE = (
    0.0,
    -0.0,
    1.0,
    5e-324,
    1e-300,
    2e-16,
    0.9999999,
    1.00003,
    999.96,
    1000.0,
    1234567.8,
    1e15,
    1e300,
    math.inf,
)
FORMS = (
    words.significant,
    words.short,
    words.rounded,
    words.times,
    words.percent,
    words.some,
    lambda number: words.short(number, 6),
    lambda number: words.parameter(number, 1.0),
)
# an ASCII hyphen, a plus or zeros in an exponent, one of many, thousands without commas in a rounded number
BAD = re.compile(r"-|e\+|e−?0\d|\b1 [a-z]+s\b|nan|(?<![\d.,])\d{4,}(?= |$)")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("number", [*HOSTILE, *(-number for number in HOSTILE)])
def test_hostile_numbers_have_a_form(form, number):
    """None fails, and none looks like a computer's."""
    text = form(number)
    bad = BAD.search(text)
    # Six digits in a row are a number's own.
    assert bad is None or form is words.significant or form is FORMS[-1], text
    assert "-" not in text


@given(st.floats(1e-300, 1e300) | st.floats(-1e300, -1e-300))
def test_a_number_can_be_read_back(number):
    """To half of its last digit; 0.5 and 5e−1 apart, a table's six digits and a sentence's three are the number."""
    for text, digits in (
        (words.significant(number), 6),
        (words.short(number), 3),
        (words.short(number, 6), 6),
    ):
        back = float(text.replace(",", "").replace("−", "-"))
        assert back == pytest.approx(number, rel=0.5001 * 10.0 ** (1 - digits))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (words.short(999.96), "1,000"),
        (words.short(1234.567, 6), "1,234.57"),
        (words.short(8.97e-5), "8.97e−5"),
        (words.counted(1, "epoch"), "1 epoch"),
        (words.counted(0, "epoch"), "0 epochs"),
        (words.counted(26103, "held-out row"), "26,103 held-out rows"),
        (words.times(26103.4), "26,103"),
        (words.times(1.00003), "1.00003"),
        (words.percent(0.999996), "99.9996 %"),
        (words.percent(1), "100 %"),
        (words.some(1.2), "1 epoch"),
        (words.some(8123), "some 8,100 epochs"),
        (words.parameter(2e-16, 3.0), "0"),
        (words.parameter(-2e-16, 1e-10), "−2.00000e−16"),
    ],
)
def test_numbers_as_they_are_said(text, expected):
    """Commas, a long minus, one of one, nothing rounded to all."""
    assert text == expected


@pytest.mark.parametrize(
    ("name", "number", "said"),
    [
        ("year", 1990, "1990"),
        ("model_year", 2015, "2015"),
        ("YearBuilt", 1990.4, "1990"),
        ("Baujahr", 1955, "1955"),
        ("année", 1789, "1789"),
        ("actual year", 1000, "1000"),
        ("year", 2999, "2999"),
        ("year", 3000, "3,000"),
        ("year", 0.25, "0.25"),
        ("SqFt", 1990, "1,990"),
        ("price per year", 1990, "1,990"),
        ("€/year", 1990, "1,990"),
        ("yearning", 1990, "1,990"),
    ],
)
def test_a_calendar_year_has_no_comma(name, number, said):
    """By the column's name and the number's size: rooms and money of that size keep theirs."""
    assert words.of_column(name, number) == said


def test_a_caption_of_one_has_no_plural():
    """One epoch, one row at a time; and a rate as it was typed, with a long minus."""
    one = replace(Experiment.default("noisy-quadratic"), epochs=1, learning_rate=1e-18, batch_size=1)
    line = caption.in_a_line(caption.in_words(one))
    assert "1 epoch" in line
    assert "1 epochs" not in line
    assert "η = 1e−18" in line
    goes_on = caption.in_words(one.continued(1))["First"]
    assert goes_on.startswith("1 epoch of Gradient descent")


def test_every_sentence_of_the_player_takes_hostile_numbers():
    """As a page that was taken away fills them in, which player.js is held to: none fails, each has its form."""
    rows = len(HOSTILE)
    numbers = {name: np.array(HOSTILE) for name in ("rmse", "percent", "r0")} | {"template": np.zeros(rows)}
    template = "Epoch {epoch} → {next}: RMSE {rmse} → {next_rmse}, {percent} %, lowest {r0}, {r0:3}."
    last = rows - 1
    for sentence in sentences(Played(numbers, [template], "", {}, [], last, last, 1)):
        assert not re.search(r"-|e\+|e−?0\d|nan|\{", sentence), sentence


@pytest.mark.parametrize(
    ("sentence", "at_sight"),
    [
        ("At RMSE 18.0379; the floor is 1.46727.", "At RMSE 18.04; the floor is 1.467."),
        ("RMSE 1.46982, floor 1.46727", "RMSE 1.470, floor 1.467"),
        ("RMSE 18.0384, then 18.0376", "the same"),
        ("RMSE 18.0392, then 18.0376", "RMSE 18.039, then 18.038"),
        ("w = −12.1217, loss 1.43115e−6", "w = −12.12, loss 1.431e−6"),
        ("1.00003 × the limit, 0.999996 of it", "1.00003 × the limit, 0.999996 of it"),
        ("It takes 1,234.567 epochs at 5e−5, 28,250 × as long, and ends at 3.54e−5.", "the same"),
        ("A is −3.40000.", "A is −3.400."),
    ],
)  # fmt: skip
def test_a_sentence_at_sight_has_as_few_digits_as_part_its_numbers(sentence, at_sight):
    """Four, or five where four would make two numbers one; none where that would make a whole one of it; nothing else changes."""
    assert words.at_sight(sentence) == (sentence if at_sight == "the same" else at_sight)
