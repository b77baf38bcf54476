"""Formulas set as HTML: what a screen reader is told, what stands over what, and what is refused."""

from xml.etree import ElementTree

import pytest
from sign_descent import SIGN_DESCENT

from gd_core.settings.catalog import LOSS_INFO, MODEL_INFO
from gd_core.settings.rules import OPTIMIZER_INFO
from gd_core.settings.schedules import SCHEDULES
from pages.ui.look import formulas

READ = {
    r"L = \tfrac{1}{N}\sum_i (\hat y_i - y_i)^2": "L = 1/N ∑_i (ŷ_i − y_i)^2",
    r"\delta_{l-1} = \varphi'(z_{l-1}) \odot W_l^\top \delta_l": "δ_(l−1) = φ′(z_(l−1)) ⊙ W_l^⊤δ_l",
    r"\theta \leftarrow \theta - \eta\,\nabla L/(\sqrt{s}+\epsilon)": "θ ← θ − η ∇L/(√s + ϵ)",
    r"y = -2.5\,x_{10} < 3": "y = −2.5 x_(10) < 3",
    r"\kappa = \lambda_{\text{steepest}}": "κ = λ_(steepest)",
    r"\tfrac12\lambda_i e_i^2": "1/2 λ_ie_i^2",
}


def tree(*latex: str) -> ElementTree.Element:
    return ElementTree.fromstring(f"<p>{formulas.html(*latex)}</p>")


@pytest.mark.parametrize("latex", READ)
def test_a_formula_is_read_as_one_would_say_it(latex):
    """Signs between terms, scripts, fractions and roots in one line of text."""
    (formula,) = tree(latex)
    assert formula.get("role") == "math"
    assert formula.get("aria-label") == READ[latex]


def test_what_stands_over_what():
    """A fraction is its two halves, two scripts stand over each other, a script has no room around its signs."""
    (formula,) = tree(r"\frac{a}{b} = W_{l-1}^2")
    fraction = formula.find("span[@class='frac']")
    assert fraction is not None
    assert [half.findtext("i") for half in fraction] == ["a", "b"]
    upper, lower = formula.findall("span[@class='scripts']/*")
    assert (upper.tag, upper.text) == ("sup", "2")
    assert (lower.tag, "".join(lower.itertext())) == ("sub", "l−1")


def test_formulas_are_parted_where_they_say_so():
    """Two of one text, and one more, are three, and a line may break between them."""
    assert len(tree(r"a = 1 \qquad b = 2", "c = 3")) == 3


def test_every_formula_that_there_is():
    """Models with few and many weights, losses and their gradients, update rules, schedules: no command is left over."""
    models = [info.latex(weights) for info in MODEL_INFO.values() for weights in (1, 2, 3, 10)]
    losses = [
        one for info in LOSS_INFO.values() for one in (info.latex, info.gradient.replace("{columns}", "J"))
    ]
    rules = [info.latex for info in (*OPTIMIZER_INFO.values(), SIGN_DESCENT)]
    rules += [info.latex for info in SCHEDULES.values()]
    for latex in (*models, *losses, *rules):
        assert "\\" not in formulas.html(latex)
        assert tree(latex)[0].get("aria-label")


def test_an_unknown_command_is_refused():
    """It is named, with the formula."""
    with pytest.raises(ValueError, match=r"what is known here. Got \\oint in \\oint x\."):
        formulas.html(r"\oint x")
