"""A yes or no on the pages: boundary, probability, accuracy, the lowest log loss, and a table that offers it."""

import math
import re
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import vl_convert
from sklearn.linear_model import LogisticRegression
from train_page import Lab

from gd_core.problem import build
from gd_core.recorder import record
from gd_core.settings.experiment import Experiment
from gd_core.tables.table import Table, keep
from gd_core.verdict import of_steps
from pages.ui.charts import averages
from pages.ui.charts.boundary import BANDS, boundary
from pages.ui.charts.elements import FRAME, prediction
from pages.ui.charts.error import error
from pages.ui.charts.fit import fit
from pages.ui.charts.model import Run
from pages.ui.look import session
from pages.ui.look.palette import LIGHT
from pages.ui.player.live_runs import Runs

SIDE = 400
LINK = {"dataset": "pass-or-fail", "learning_rate": "0.5", "epochs": "20"}
PASSED = {"hours": [1.0, 2, 3, 4, 5, 6, 7, 8], "age": [20.0, 31, 25, 22, 28, 30, 21, 24], "passed": [0.0, 0, 1, 0, 1, 0, 1, 1]}  # fmt: skip


def run_of(**fields):
    experiment = replace(Experiment.default("pass-or-fail"), **({"epochs": 20} | fields))
    return Run(experiment, build(experiment), None, record(experiment))


def drawn(view, epoch):
    """The chart at an epoch, after the run, as SVG; its plot is a square of SIDE pixels."""
    tables = {name: table.to_pylist() for name, table in view.tables.items()}
    spec = {**view.spec, "datasets": tables, "width": SIDE, "height": SIDE}
    spec["params"] = [
        p | ({"value": epoch} if p["name"] in ("epoch", "seen") else {}) for p in spec["params"]
    ]
    return vl_convert.vegalite_to_svg(spec)


@pytest.mark.parametrize("fields", [{}, {"intercept": False, "scale_features": True}, {"start": (1.0, 0.0, 0.5), "epochs": 1, "learning_rate": 1e-9}])  # fmt: skip
def test_the_boundary_is_where_the_probability_is_a_half(fields):
    """Both ends of the drawn line, in pixels, have a logit of 0; an upright line is drawn as well."""
    run = run_of(**fields)
    view = boundary(run, (0, 1), LIGHT, SIDE)
    ends = {name: view.tables["frame"][name][0].as_py() for name in ("x0", "x1", "y0", "y1")}
    (line,) = re.findall(r'<path[^>]*d="M([^"]+)"[^>]*stroke-width="3"', drawn(view, run.recording.epochs))
    theta = run.problem.raw(run.recording.epoch_theta[-1]).tolist()
    for place in line.split("L"):
        px, py = map(float, place.split(","))
        x = ends["x0"] + px / SIDE * (ends["x1"] - ends["x0"])
        y = ends["y1"] - py / SIDE * (ends["y1"] - ends["y0"])
        away = math.hypot(theta[0], theta[1]) * (ends["x1"] - ends["x0"])
        assert theta[0] * x + theta[1] * y + (*theta, 0.0)[2] == pytest.approx(0, abs=2e-3 * away)


def test_the_shading_covers_what_is_likelier():
    """The share of the plot that each band covers is that of a fine grid of the same probabilities."""
    run = run_of(epochs=50)
    view = boundary(run, (0, 1), LIGHT, SIDE)
    x0, x1, y0, y1 = (view.tables["frame"][name][0].as_py() for name in ("x0", "x1", "y0", "y1"))
    theta = run.recording.epoch_theta[-1].numpy()
    u, v = np.meshgrid(np.linspace(x0, x1, 400), np.linspace(y0, y1, 400))
    p = 1 / (1 + np.exp(-(theta[0] * u + theta[1] * v + theta[2])))
    areas = re.findall(r'<path[^>]*d="M([^"]+)Z"[^>]*opacity="0.09"', drawn(view, 50))
    assert len(areas) == len(BANDS)
    for path, band in zip(areas, BANDS, strict=True):
        corners = np.array([list(map(float, place.split(","))) for place in path.split("L")])
        x, y = corners.T
        area = abs(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2 / SIDE**2
        assert area == pytest.approx((p > band).mean(), abs=0.01)


def test_a_start_of_zeros_has_no_boundary():
    """There the probability is ½ everywhere: neither line nor shading of a half."""
    svg = drawn(boundary(run_of(), (0, 1), LIGHT, SIDE), 0)
    assert 'stroke-width="3"' not in svg


def test_ones_and_noughts_have_marks_of_their_own():
    """Discs and crosses; of the held-out rows full and hollow diamonds; the text says so."""
    view = boundary(run_of(holdout=0.2), (0, 1), LIGHT, SIDE)
    assert "a disc is a yes, a cross a no" in view.text
    assert "Held-out rows are diamonds, full for a yes and hollow for a no." in view.text
    yes = view.tables["points"]["yes"].to_pylist() + view.tables["held_out"]["yes"].to_pylist()
    assert sum(yes) == float(build(Experiment.default("pass-or-fail")).dataset.y.sum())


def test_over_one_feature_the_curve_is_a_probability():
    """σ of the line, which ends between 0 and 1; the dashed curve is that of the lowest log loss."""
    place = SimpleNamespace(p0=2.0, p1=-1.0)
    code = prediction("linear", "place", 1, yes_no=True).replace(f"{FRAME}.", "").replace("datum.", "")
    assert eval(
        code, {"place": place, "x": 3.0, "mean": 1.0, "deviation": 2.0, "exp": math.exp}
    ) == pytest.approx(1 / (1 + math.exp(-1)))
    table = keep(Table.of(PASSED))
    experiment, sentences = Experiment.from_query({"dataset": "table", "table": table.key, "target": "passed", "features": "hours", "loss": "log", "learning_rate": "0.1", "epochs": "5"})  # fmt: skip
    assert not sentences
    run = Run(experiment, build(experiment), None, record(experiment))
    frame = fit(run, LIGHT, SIDE).tables["frame"].to_pylist()[0]
    known = LogisticRegression(C=np.inf, tol=1e-12).fit(np.array(PASSED["hours"])[:, None], PASSED["passed"])
    slope = frame["p0"] / frame["deviation"]
    assert [slope, frame["p1"] - slope * frame["mean"]] == pytest.approx(
        [known.coef_[0, 0], known.intercept_[0]], rel=1e-5
    )


def test_a_run_says_what_is_right_and_what_is_lowest():
    """Formula, accuracy, the verdict, and under In numbers the lowest log loss with the rate that is sure to settle."""
    lab = Lab(**LINK).press("train")
    recording = lab.at.session_state[session.key(Runs)].live_run.recording
    assert lab.experiment == replace(Experiment.default("pass-or-fail"), epochs=20)
    data = build(lab.experiment).dataset
    known = LogisticRegression(C=np.inf, tol=1e-12).fit(data.x.numpy(), data.y[:, 0].numpy())
    p = known.predict_proba(data.x.numpy())[:, 1]
    lowest = -np.log(np.where(data.y[:, 0].numpy() == 1, p, 1 - p)).mean()
    assert f"<td>Lowest log loss</td><td>{lowest:.6f}</td>" in lab.html
    design = np.column_stack([data.x.numpy(), np.ones(200)])
    sure = 8 / np.linalg.eigvalsh(design.T @ design / 200)[-1]
    assert f"<td>Rate that is sure to settle</td><td>{sure:.5f}</td>" in lab.html
    curved = design.T @ (design * (p * (1 - p))[:, None]) / 200
    assert f"<td>Limit at the lowest point</td><td>{2 / np.linalg.eigvalsh(curved)[-1]:.5f}</td>" in lab.html
    assert 'aria-label="ŷ = σ(w_1x_1 + w_2x_2 + b)"' in lab.html
    assert 'accuracy <output class="live" data-live="accuracy"' in lab.html
    assert recording.epochs == 20


def test_classes_that_a_line_parts_are_told():
    """The lowest log loss is 0, and never reached; no optimum is drawn, and no map, which would be drawn around one."""
    lab = Lab(**LINK, noise="0")
    assert [
        one.value for one in lab.at.markdown if one.value.startswith("No map: this loss has no lowest point")
    ]
    assert not [one.value for one in Lab(**LINK).at.markdown if one.value.startswith("No map")]
    assert "<td>Lowest log loss</td><td>0, never reached</td>" in lab.html
    assert "optimum" not in boundary(run_of(noise=0.0), (0, 1), LIGHT, SIDE).text


def test_a_table_with_a_yes_or_no_offers_it():
    """One press fits a probability at a rate that settles; with a target of numbers it is a squared error again."""
    table = keep(Table.of(PASSED))
    lab = Lab(
        dataset="table",
        table=table.key,
        target="passed",
        features="hours",
        learning_rate="0.001",
        epochs="50",
    )
    lab.press("probability")
    assert lab.experiment.loss == "log"
    assert "probability" not in [button.key for button in lab.at.button]
    design = build(lab.experiment).linear.features.numpy()
    sure = 8 / np.linalg.eigvalsh(design.T @ design / 8)[-1]
    assert lab.experiment.learning_rate == pytest.approx(sure / 2, rel=0.01)
    lab.choose("target", "age")
    assert (lab.experiment.target, lab.experiment.loss) == ("age", "mse")
    assert not lab.complaints


def test_it_is_no_choice_for_numbers():
    """Under More settings it stands where the target is 0 or 1, and only there."""
    for dataset, there in (("two-features", False), ("pass-or-fail", True)):
        usual = Experiment.default(dataset).to_query()
        choices = Lab(**usual).at.selectbox("w_loss").options
        assert ("Log loss, of yes or no" in choices) == there


def test_the_mean_of_the_points_has_the_error_of_its_probabilities():
    """Beside a run in mini-batches: by NumPy, from θ of the mean."""
    run = run_of(batch_size=10)
    points = averages.points_of(run, np.array([5, 20]))
    data = run.problem.dataset
    p = 1 / (1 + np.exp(-(points.numpy()[:, :2] @ data.x.numpy().T + points.numpy()[:, 2:])))
    expected = np.sqrt(((p - data.y[:, 0].numpy()) ** 2).mean(1))
    assert averages.rmse_of(run, points) == pytest.approx(expected, rel=1e-12)


def test_a_rise_of_the_rmse_while_the_loss_falls_has_its_reason():
    """The log loss counts rows that are far off more than a square does."""
    run = run_of()
    assert (
        of_steps(run.recording, run.experiment, None)
        .templates[6]
        .endswith("the log loss goes down: rows that are far off count more in it.")
    )


def test_accuracy_is_a_line_of_its_own_beside_the_error():
    """Each of its corners is NumPy's share of rows on the right side; drawn from 3 % to 97 % of the height; its text says so."""
    run = run_of(epochs=60)
    view = error(run, LIGHT, SIDE)
    x, y = run.problem.dataset.x.numpy(), run.problem.dataset.y.numpy()[:, 0]
    theta = run.recording.epoch_theta.numpy()
    logits = x @ theta[:, :2].T + theta[:, 2]
    right = (logits * (2 * y - 1)[:, None] > 0).mean(0)
    told = dict(
        zip(*(view.tables["accuracy"][name].to_pylist() for name in ("epoch", "accuracy")), strict=True)
    )
    assert told == {k: pytest.approx(right[k]) for k in told}
    assert np.interp(range(61), list(told), list(told.values())) == pytest.approx(right)
    (line,) = re.findall(
        r'<path[^>]*d="M([^"]+)"[^>]*stroke-width="1.5"[^>]*stroke-dasharray="6,3"', drawn(view, 60)
    )
    heights = [1 - float(place.split(",")[1]) / SIDE for place in line.split("L")]
    assert heights == pytest.approx([0.03 + 0.94 * share for share in told.values()], abs=1e-3)
    assert "The dashed line is the accuracy of the training rows, from none at the bottom" in view.text
    plain = run_of(loss="mse")
    assert "accuracy" not in error(plain, LIGHT, SIDE).tables
