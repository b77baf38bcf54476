"""The small picture of a run that phones are shown: light, told in words, each number at its place. Places by hand."""

import math
import re
from itertools import pairwise
from xml.etree import ElementTree

import pytest

from gd_core.recorder import record
from gd_core.settings.experiment import Experiment
from pages.ui.classroom.picture import BOTTOM, HEIGHT, LEFT, LINES, RIGHT, TOP, WIDTH, Drawn, errors, svg

SVG = "{http://www.w3.org/2000/svg}"


def drawn(picture: Drawn) -> ElementTree.Element:
    return ElementTree.fromstring(svg(picture))


def places(tree: ElementTree.Element) -> list[list[tuple[int, int]]]:
    return [
        [(int(x), int(y)) for x, y in (place.split(",") for place in line.attrib["points"].split())]
        for line in tree.iter(f"{SVG}polyline")
    ]


def title(tree: ElementTree.Element) -> str:
    return tree.findtext(f"{SVG}title") or ""


def test_a_point_that_jumps_is_seen_to_jump():
    """A ← −1 − 0.8 (A + 1) from 2: the places of 2, −3.4 and 0.92 by the rule of three, a dot on each."""
    tree = drawn(Drawn("A by epoch", {"A": [2.0, -3.4, 0.92]}))
    right = WIDTH - RIGHT
    third = BOTTOM - (BOTTOM - TOP) * (0.92 + 3.4) / 5.4
    assert places(tree) == [[(LEFT, TOP), ((LEFT + right) // 2, BOTTOM), (right, round(third))]]
    assert len(list(tree.iter(f"{SVG}circle"))) == 3
    assert title(tree) == "A by epoch: from 2 to 0.92."


def test_over_a_decade_the_axis_is_logarithmic():
    """100, 10, 1 are equally far apart, and it says so."""
    tree = drawn(Drawn("RMSE by epoch", {"one": [100, 10, 1]}))
    assert [y for _, y in places(tree)[0]] == [TOP, round((TOP + BOTTOM) / 2), BOTTOM]
    assert title(tree) == "RMSE by epoch, logarithmic: from 100 to 1."


def test_several_lines_are_told_apart_without_colour():
    """Each has dashes and a name of its own, and no two names lie on one another, though all end at the same place."""
    lines = {f"Run <{k}>": [10.0, 1.0 + 1e-3 * k] for k in range(LINES + 2)}
    tree = drawn(Drawn("RMSE by epoch", lines))
    dashes = [line.attrib.get("stroke-dasharray", "") for line in tree.iter(f"{SVG}polyline")]
    assert len(set(dashes)) == len(dashes) == LINES
    names = [one for one in tree.iter(f"{SVG}text") if (one.text or "").startswith("Run")]
    assert [one.text for one in names].count("Run <3>") == 1
    rows = sorted(float(one.attrib["y"]) for one in names)
    assert min(b - a for a, b in pairwise(rows)) >= 11
    assert all(TOP - 8 <= y <= HEIGHT for y in rows)
    assert max(x for line in places(tree) for x, _ in line) <= WIDTH - 7 * 6  # room for seven letters


def test_a_run_that_leaves_every_scale_ends_in_a_cross():
    """Its last number that there is; of nothing but infinities nothing is drawn."""
    tree = drawn(Drawn("RMSE by epoch", {"this run": [1.0, 1e9, math.inf, math.nan]}))
    assert title(tree).endswith("from 1 to 1e9.")
    assert [path.attrib["d"][:1] for path in tree.iter(f"{SVG}path")] == ["M", "M"]  # the frame, the cross
    assert svg(Drawn("RMSE by epoch", {"x": [math.inf]})) == svg(Drawn("RMSE by epoch", {})) == ""
    assert places(drawn(Drawn("A by epoch", {"A": [3.0, 3.0]})))[0][0][1] == round((TOP + BOTTOM) / 2)


@pytest.mark.parametrize("count", [1, LINES])
def test_a_picture_is_light(count):
    """Of as many lines as there can be, of a hundred thousand epochs each."""
    lines = {f"Run {k}": [75 * 0.9999**epoch + k for epoch in range(100_000)] for k in range(count)}
    assert len(svg(Drawn("RMSE by epoch", lines))) < 1500 + 700 * count


def test_the_errors_of_a_run_are_those_that_it_has():
    """From the recording's first to its last, as its own table has them."""
    run = record(Experiment.default("noisy-quadratic"))
    ends = re.findall(r"from (\S+) to (\S+)\.$", title(drawn(errors({"this run": run}))))[0]
    assert [float(one.replace(",", "")) for one in ends] == pytest.approx(
        [float(run.epoch_rmse[0]), float(run.epoch_rmse[-1])], rel=5e-3
    )
