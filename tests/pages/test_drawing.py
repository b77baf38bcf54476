"""Drawing on the Train page without a browser: what the paper is given, and what becomes of what it sends."""

from dataclasses import replace

import pytest
from train_page import Lab

from gd_core import drawing
from gd_core.problem import split
from gd_core.settings.experiment import Experiment
from pages.ui.look import session
from pages.ui.train import draw

OPENING = drawing.opening()


class Page:
    """Stands for the page: what was loaded, and what was said."""

    def __init__(self, monkeypatch):
        self.loaded, self.said, self.state = [], [], {}
        for module in (draw, session):
            monkeypatch.setattr(module, "STATE", self.state)
        monkeypatch.setattr(draw, "page", self)
        self.load, self.tell = self.loaded.append, self.said.append

    def typed(self, experiment, **changes):
        """Edit the table."""
        usual = {"edited_rows": {}, "deleted_rows": [], "added_rows": []}
        points = drawing.points_of(experiment)
        draw._typed(experiment, points, usual | changes)
        return drawing.points_of(self.loaded[-1]) if self.loaded else None

    def edit(self, experiment, number, points):
        """Finish a change on the paper."""
        self.state["pad"] = {"edit": {"number": number, "points": points}}
        draw._edited(experiment)

    def ask(self, experiment, what):
        self.state["pad"] = {"ask": what}
        draw._asked(experiment)


@pytest.fixture
def page(monkeypatch):
    return Page(monkeypatch)


def test_a_drawing_waits_on_its_paper_and_trains_in_a_chart():
    """The paper until Train, then the chart; one press, and it is the paper again."""
    lab = Lab(**OPENING.to_query())
    paper = lab.component("pad")
    assert paper["points"] == [list(point) for point in drawing.OPENING]
    assert (paper["degree"], paper["start"], paper["held_out"]) == (2, [0, 0, 0], [])
    charts = len(lab.charts)
    lab.press("train")
    assert len(lab.charts) == charts + 1
    lab.press("draw_on")
    assert lab.component("pad")["points"] == paper["points"]


def test_the_paper_knows_which_points_are_held_out():
    """As they are split for the training."""
    experiment = replace(OPENING, holdout=0.25, split_seed=3)
    held_out = Lab(**experiment.to_query()).component("pad")["held_out"]
    assert held_out == split(8, 2, 3)[1].tolist()


def test_the_table_is_the_same_points(page):
    """A changed cell, a row that is gone, a new one."""
    points = drawing.points_of(OPENING)
    found = page.typed(
        OPENING, edited_rows={0: {"y": 9.25}}, deleted_rows=[2], added_rows=[{"x": 4.0, "y": 4.5}]
    )
    assert found == [[points[0][0], 9.25], points[1], *points[3:], [4.0, 4.5]]
    assert page.said == []


def test_a_row_without_a_number_waits(page):
    """Nothing is loaded, and nothing is said, while a row is being typed."""
    assert page.typed(OPENING, added_rows=[{"x": 4.0}]) is None
    assert page.typed(OPENING, added_rows=[{}]) is None
    assert page.said == []


def test_what_cannot_be_drawn_is_said_and_nothing_is_lost(page):
    """Too few points, and what a broken browser might send."""
    page.typed(OPENING, deleted_rows=list(range(7)))
    page.edit(OPENING, 1, [["<script>", 1], [1, 2]])
    page.edit(OPENING, 2, None)
    assert page.loaded == []
    assert len(page.said) == 3
    assert all(sentence.startswith("table must ") for sentence in page.said)


def test_undo_goes_back_step_by_step(page):
    """Two changes and a new beginning, and three steps back; a fourth does nothing."""
    first = OPENING
    page.edit(first, 1, [[1, 1], [2, 2], [3, 5]])
    second: Experiment = page.loaded[-1]
    page.edit(second, 2, [[1, 1], [2, 2], [3, 5], [4, 4]])
    third: Experiment = page.loaded[-1]
    page.ask(third, "over 2")
    assert page.loaded[-1] == OPENING
    page.ask(OPENING, "undo 2")
    assert page.loaded[-1] == third
    page.ask(third, "undo 2")
    page.ask(second, "undo 2")
    assert page.loaded[-2:] == [second, first]
    page.ask(first, "undo 2")
    assert len(page.loaded) == 6
