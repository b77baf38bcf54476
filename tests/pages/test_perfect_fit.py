"""Rows without noise: their floor is the rounding of the data, and no place of a page shows it as a number."""

import re
from dataclasses import replace

import numpy as np
import pytest
from lesson_page import LessonPage
from train_page import Lab

from gd_core.problem import build
from gd_core.settings.experiment import Experiment
from gd_core.settings.pins import Pin, Pins

PERFECT = replace(Experiment.default("two-features"), noise=0.0, learning_rate=0.5, epochs=40)
SAID = "0 (a perfect fit, up to rounding)"


def words_of(page) -> str:
    kinds = (page.at.markdown, page.at.caption)
    texts = [element.value for kind in kinds for element in kind]
    return " ".join([*texts, *(element.proto.body for element in page.at.get("html"))])


@pytest.mark.parametrize("holdout", ["0", "0.2"])
def test_train_says_zero(holdout):
    """Panel, In numbers, the error chart's line, the player's numbers and its verdict; also of the held-out rows."""
    lab = Lab(**(PERFECT.to_query() | {"holdout": holdout})).press("train")
    words = words_of(lab)
    assert f"<td>Floor RMSE</td><td>{SAID}</td>" in words
    assert "floor 0 up to rounding" in re.sub("<[^>]+>", "", words)
    held_out = re.findall("<td>Held-out RMSE</td><td>(.*?)</td>", words)
    assert held_out == (["0"] if holdout != "0" else [])
    (frame,) = [
        table
        for number in range(len(lab.charts))
        if "floor_label" in (table := lab.table(number, "frame")).column_names
    ]
    assert frame["floor_label"].to_pylist() == ["floor 0 up to rounding"]
    table = lab.player["table"]
    assert (table["rmse"].iloc[-1], table["loss"].iloc[-1]) == (0, 0)
    assert table["rmse"].iloc[2] > 0
    assert SAID in lab.player["summary"]


def test_compare_says_zero():
    """Table, sentence and chart; while one that is not there yet keeps its number."""
    slow = replace(PERFECT, learning_rate=0.01)
    other = replace(PERFECT, learning_rate=0.4)
    page = LessonPage(
        "compare", **Pins(pins=(Pin("a", PERFECT), Pin("b", other), Pin("slow", slow))).to_query()
    )
    words = words_of(page)

    def cells(title: str) -> list[str]:
        (row,) = re.findall(rf'<tr><th scope="row">{re.escape(title)}.*?</tr>', words)
        # All digits stand where the pointer rests.
        row = re.sub(r'<span title="(.*?)">.*?</span>', r"\1", row)
        return [re.sub("<.*?>", "", cell) for cell in re.findall(r"<td.*?>(.*?)</td>", row)]

    final = cells("Final RMSE")
    assert (final[0], final[1], final[3]) == ("0", "0", SAID)
    features, target = (part.numpy() for part in (build(slow).linear.features, build(slow).linear.target))
    best = np.linalg.lstsq(features, target)[0]
    h = 2 / len(target) * features.T @ features
    theta = best + np.linalg.matrix_power(np.eye(3) - 0.01 * h, 40) @ (build(slow).start.numpy() - best)
    assert float(final[2]) == pytest.approx(np.sqrt(np.mean((features @ theta - target) ** 2)), rel=1e-5)
    assert cells("Gap to the optimum")[:2] == ["0 up to rounding"] * 2
    assert page.player["summary"].startswith(
        f"Two of three runs are at the floor, RMSE {SAID}; first there: run 1, a, "
    )


def test_a_parameter_that_is_rounding_is_zero():
    """y = 3 x₁ on a table of one's own: w₂ and b end at 0, in the panel, in numbers and beside each other."""
    from gd_core.tables.table import Table

    rows = np.random.default_rng(2).normal(size=(12, 2)).round(2)
    table = Table.of({"p": rows[:, 0], "q": rows[:, 1], "y": 3 * rows[:, 0]})
    query = {
        "dataset": "table",
        "table": table.key,
        "target": "y",
        "features": "p,q",
        "learning_rate": "0.3",
        "epochs": "400",
    }
    lab = Lab(**query).press("train")
    assert "w₁ (p) = 3.00000, w₂ (q) = 0, b = 0" in words_of(lab)
    assert lab.player["table"][["p1", "p2"]].iloc[-1].tolist() == [0, 0]
    page = LessonPage("compare", **Pins(pins=(Pin("one", lab.experiment),)).to_query())
    for name in (r"w₂ \(q\)", "b"):
        (row,) = re.findall(rf'<tr><th scope="row">{name} at the end.*?</tr>', words_of(page))
        assert re.findall(r"<td.*?>(.*?)</td>", row) == ["0", "0"]
