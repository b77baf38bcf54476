"""What a page does not know it refuses: it shows nothing of another model or rule in its place."""

from types import SimpleNamespace
from typing import Any

import pytest

from pages.ui.charts.elements import prediction
from pages.ui.player import tabs
from pages.ui.train.panels import formula_of


def test_an_unknown_model_has_neither_formula_nor_curve():
    """Neither those of a straight line."""
    info = SimpleNamespace(model="exponential", parameters=("a", "b"))
    unknown: Any = SimpleNamespace(info=info)
    with pytest.raises(ValueError, match="Got exponential"):
        formula_of(unknown)
    with pytest.raises(ValueError, match="Got exponential"):
        prediction("exponential", "now")


def test_an_unknown_rule_has_no_step():
    """Nor Adam's."""
    unknown: Any = SimpleNamespace(optimizer="sign", learning_rate=0.1)
    with pytest.raises(KeyError, match="sign"):
        tabs._update_line(unknown, "a", 0)
