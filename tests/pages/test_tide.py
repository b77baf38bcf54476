"""A loss with several valleys on the Train page. What is said of it is held by `tests/core/test_here.py`."""

import re
from dataclasses import replace

import numpy as np
import pytest
import vl_convert
from train_page import Lab

from gd_core.here import here_of
from gd_core.landscape import box_of, lines_on, losses_on
from gd_core.problem import build
from gd_core.recorder import record
from gd_core.settings.experiment import Experiment
from gd_core.starts import UNDER_WAY, Starts
from pages.ui.charts.loss_map import terrain
from pages.ui.charts.model import RecordedRun, Run
from pages.ui.charts.relief import KNOTS
from pages.ui.charts.starts import COLOURED, sign_of
from pages.ui.look.palette import palette
from pages.ui.player import start_maps, tabs
from pages.ui.player.start_maps import LISTED
from pages.ui.takeaway.pictures import Place, alone

TIDE = Experiment.default("tide")
SEA = Experiment.default("sea")


def words(lab):
    """What stands on the page as HTML."""
    return "".join(element.proto.body for element in lab.at.get("html"))


def test_it_has_a_map_a_verdict_and_numbers_of_where_it_ended():
    """Three charts, one of them the map; no optimum is drawn; "In numbers" tells what holds at the end, once it is there."""
    lab = Lab(**TIDE.to_query())
    assert "Curvatures here" not in words(lab)
    lab.press("train")
    found = here_of(TIDE, build(TIDE), record(TIDE).epoch_theta[-1])
    assert [chart.alt.split(",")[0] for chart in lab.charts][1] == "Level lines of the loss over ω and φ"
    assert "optimum" not in "".join(chart.spec for chart in lab.charts)
    assert "That is a local minimum: every way from here leads up." in lab.player["summary"]
    cells = dict(re.findall(r"<tr><td>([^<]*)</td><td>([^<]*)</td>", words(lab)))
    assert [float(cell) for cell in cells["Curvatures here"].split(", ")] == pytest.approx(
        found.curvatures, rel=1e-2
    )
    assert float(cells["Limit of the rate here"]) == pytest.approx(2 / found.curvatures[-1], rel=1e-5)
    limits = lab.player["table"]["limit_here"]
    assert len(limits) == TIDE.epochs + 1
    assert limits.iloc[-1] == pytest.approx(2 / found.curvatures[-1], rel=1e-5)
    assert limits.iloc[0] != pytest.approx(limits.iloc[-1], rel=0.1)
    assert float(cells["RMSE of the best found"]) == pytest.approx(found.best.rmse, rel=1e-5)


def test_it_is_seen_in_relief():
    """The net has the losses themselves at its knots, above the lowest of the map."""
    lab = Lab(**TIDE.to_query())
    lab.at.session_state["tab"] = tabs.RELIEF
    losses, objective = lab.run().component("relief")["table"]["net.loss"], build(TIDE).objective
    # the first knot is the corner of the map where both are smallest, the last of its line where ω is largest
    corners = record(TIDE).epoch_theta.new_tensor([[4.0, -3.2], [20.0, -3.2]])
    first, last = (float(losses[i]) for i in (0, KNOTS - 1))
    a, b = objective.many(corners).tolist()
    assert last - first == pytest.approx(b - a, rel=1e-5)


def test_where_starts_end_is_seen_told_and_chosen_from():
    """The ground under the map is that of the core's map; its table has each share; an area that is chosen sets the start in it."""
    run = replace(TIDE, epochs=100)
    lab = Lab(**run.to_query()).press("train")
    assert tabs.ENDS in lab.at.segmented_control("tab").options
    lab.at.session_state["tab"] = tabs.ENDS
    lab.run()
    while "is trained, the rest is coming" in words(lab):
        lab.run()
    problem = build(run)
    starts = Starts(run, problem, box_of(run, problem.start))
    starts.advance()
    ends = starts.recording()
    (place,) = [i for i, chart in enumerate(lab.charts) if '"ends"' in chart.spec]
    drawn = np.full(ends.which.shape, 99)
    for row in lab.table(place, "ends").to_pylist():
        column, wide = round((row["x"] - 4) / 16 * 60), round((row["x2"] - row["x"]) / 16 * 60)
        drawn[round((row["y"] + 3.2) / 6.4 * 60), column : column + wide] = row["hue"]
    parts = np.unique(np.stack([drawn, ends.which], -1).reshape(-1, 2), axis=0)
    assert len(parts) == len(np.unique(ends.which))  # each kind has one hue,
    # And each its own.
    assert len(np.unique(parts[:, 0])) == min(len(parts), COLOURED + (ends.which < 0).any())
    said = words(lab)
    cells = re.findall(r"</span> (\S)</td><td>([^<]*?)(?:, at \d+ places)?</td><td>(\S+) %</td>", said)
    shares = {sign: float(share) / 100 for sign, _, share in cells}
    assert shares["?"] == pytest.approx(np.mean(ends.which == UNDER_WAY), rel=5e-3)
    for number, valley in enumerate(ends.valleys[:LISTED]):
        assert shares[sign_of(number)] == pytest.approx(np.mean(ends.which == number), rel=5e-3)
        assert float(cells[number][1]) == pytest.approx(valley.rmse, rel=1e-3)
    own = sign_of(ends.at((9.0, 0.0)))
    assert f"The start ω = 9, φ = 0 lies in an area of {own}." in said
    lab.at.segmented_control("starts").set_value(0)
    lab.run()
    chosen = lab.experiment.start
    assert ends.at(chosen) == 0
    assert "lies in an area of A." in words(lab)
    assert not lab.player["trained"]
    finished = record(lab.experiment).epoch_theta[-1]
    assert here_of(lab.experiment, problem, finished).best.rmse == pytest.approx(
        ends.valleys[0].rmse, rel=1e-6
    )


@pytest.mark.parametrize("fields", [{"penalty": 0.05}, {"loss": "huber"}], ids=["penalised", "Huber"])
def test_where_the_rmse_is_not_minimised_valleys_stand_by_what_is(fields):
    """A has the lowest loss, which the table has beside the RMSE; of these valleys another has a lower RMSE."""
    run = replace(SEA, **fields)
    problem = build(run)
    starts = Starts(run, problem, box_of(run, problem.start, (1, 2)), (1, 2))
    starts.advance()
    ends = starts.recording()
    losses, errors = zip(*((valley.loss, valley.rmse) for valley in ends.valleys), strict=True)
    assert list(losses) == sorted(losses)
    assert list(errors) != sorted(errors)
    said = start_maps.told(Run(run, problem, None, record(run)), ends, palette("light"))
    what = "penalised loss" if run.penalty else "Huber loss"
    assert f"<th>valley’s {what}</th>" in said
    assert f"<td>{losses[0]:.4g} (RMSE {errors[0]:.4g})" in said


def test_above_the_limit_of_its_valley_a_run_leaves_it():
    """What "In numbers" calls the limit here: just below it the run stays, above it the run ends elsewhere."""
    run = replace(TIDE, start=(11.0, 0.0), epochs=300)
    limit = here_of(run, build(run), record(run).epoch_theta[-1]).limit
    for share, stays in ((0.97, True), (1.1, False)):
        recording = record(replace(run, learning_rate=share * limit, start=(12.19, 0.52)))
        near = float((recording.epoch_theta[-1] - record(run).epoch_theta[-1]).norm()) < 1e-3
        assert near == stays


def test_a_rule_that_its_loss_cannot_have_is_given_up_with_a_sentence():
    """Newton's step is chosen, then this data set; and in a link, which opens all the same."""
    newton = {"dataset": "noisy-quadratic", "optimizer": "newton", "learning_rate": "0.5"}
    lab = Lab(**newton).choose("dataset", "tide")
    refused = "Loss must have one curvature everywhere with newton, which divides by it. Got mse."
    assert lab.complaints == [f"{refused} The update rule is gradient descent again."]
    assert (lab.experiment.dataset, lab.experiment.optimizer) == ("tide", "gradient-descent")
    assert lab.press("train").player["trained"]
    linked = Lab(dataset="tide", optimizer="newton")
    assert linked.complaints == [refused]
    assert linked.experiment == TIDE


def test_of_another_loss_no_best_rmse_is_told():
    """Its lowest point is not where the RMSE is lowest; slope and curvatures here are told all the same."""
    run = replace(TIDE, loss="huber")
    assert here_of(run, build(run), record(run).epoch_theta[-1]) is None
    lab = Lab(dataset="tide", loss="huber").press("train")
    lab.at.session_state["tab"] = "In numbers"
    lab.run()
    assert "Curvatures here" in lab.html
    assert "best found" not in lab.html


def test_under_a_penalty_the_numbers_are_of_the_penalised_loss():
    """λ, the place, and the lowest penalised loss that was found, not the lowest RMSE."""
    lab = Lab(dataset="tide", penalty="0.1").press("train")
    lab.at.session_state["tab"] = "In numbers"
    lab.run()
    for said in (
        "L2 penalty λ",
        "This place",
        "a local minimum",
        "Limit of the rate here",
        "Lowest penalised loss found",
    ):
        assert said in lab.html
    assert "RMSE of the best found" not in lab.html


def test_all_lines_of_a_level_are_one_that_is_broken():
    """As many marks as levels, also in a picture that is taken along; no place is drawn that contourpy has not found."""
    problem = build(TIDE)
    seen = box_of(TIDE, problem.start)
    run = RecordedRun(TIDE, problem, None, record(TIDE))
    view = terrain(run, seen, (0, 1), ("ω", "φ"), palette("light"), 240)
    svg = vl_convert.vegalite_to_svg(alone(view, "white", Place(0, 0)) | {"width": 400})
    ways = re.findall(r'<path[^>]*d="(M[^"]*)"[^>]*stroke-width="1.2"', svg)
    levels = lines_on(losses_on(problem.objective, seen, problem.start), seen)
    assert len(ways) == len(np.unique(levels.level)) < len(np.unique(levels.line))
    assert sum(len(re.findall("[ML]", way)) for way in ways) == len(levels.line)
    assert sum(way.count("M") for way in ways) == len(np.unique(levels.line))
