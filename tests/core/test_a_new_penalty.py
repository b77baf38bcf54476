"""A kind of penalty is added in one place. Then all of the lab has it: training, theory, verdict, link, record, scripts, words."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
WALK = """
import contextlib, io, json, re, subprocess, sys
from dataclasses import replace
import first_penalised
first_penalised.added()
import numpy as np
import pytest
import torch
from gd_core.cli.commands import main
from gd_core.export.caption import in_words
from gd_core.export.notebook import notebook
from gd_core.export.record_file import compared, document, to_json
from gd_core.export.record_reading import experiment_in, parsed
from gd_core.export.script import FLAVOURS, script
from gd_core.lessons.learning_rate.sweep import sweep
from gd_core.outcome import Trained, outcome
from gd_core.problem import build
from gd_core.recorder import record
from gd_core.robust import lowest_of
from gd_core.settings.differing import differing
from gd_core.settings.experiment import Experiment
from gd_core.settings.pins import Pin, packed, unpacked
from gd_core.settings.task import Task
from gd_core.theory import curvature_of, forecast_of
from gd_core import verdict

plain = replace(Experiment.default("two-features"), points=20, noise=0.5, learning_rate=0.05, epochs=60)
usual = replace(plain, penalty=0.3)
run = replace(usual, penalised="first")
problem, recording = build(run), record(run)
phi, y = problem.linear.features.numpy(), problem.linear.target.numpy()

# trains: NumPy's steps, 4λ of the first parameter alone
theta = problem.start.numpy()
for told in recording.theta.numpy():
    np.testing.assert_allclose(told, theta, rtol=1e-12, atol=1e-12)
    theta = theta - 0.05 * (2 / len(y) * phi.T @ (phi @ theta - y) + 2 * 1.2 * np.array([1, 0, 0]) * theta)
# theory: optimum and limit in closed form
hessian = 2 / len(y) * phi.T @ phi + 2.4 * np.diag([1, 0, 0])
best = np.linalg.solve(hessian, 2 / len(y) * phi.T @ y)
curvature = curvature_of(problem.objective)
forecast = forecast_of(run, problem, curvature)
np.testing.assert_allclose(curvature.optimum, best, rtol=1e-9)
assert forecast.stability_limit == pytest.approx(2 / np.linalg.eigvalsh(hessian)[-1], rel=1e-10)
# verdict: it says which of the rates is too large, and by how much
far = replace(run, learning_rate=2.0)
gone = record(far)
words = verdict.of_run(gone, far, forecast, outcome(gone, curvature, Trained.of(far, problem)))
limit = 2 / np.linalg.eigvalsh(hessian)[-1]
assert float(re.search(r"limit,? (\\d+\\.\\d+)", words).group(1)) == pytest.approx(limit, rel=1e-2), words
# of the losses that are no parabola as well: no slope is left at Huber's lowest point
huber = build(replace(run, loss="huber"))
at = lowest_of(huber.objective).optimum.clone().requires_grad_()
rows = torch.nn.functional.huber_loss(huber.linear.features @ at, huber.linear.target)
(rows + 1.2 * at[0] ** 2).backward()
assert float(at.grad.abs().max()) < 1e-9
# of all that holds a run: link, record, task, pin, flag, caption, table of differences
assert run.to_query()["penalised"] == "first"
assert Experiment.from_query(run.to_query()) == (run, [])
there = experiment_in(parsed(to_json(run, recording)))
assert there == run
assert compared(document(run, problem, recording), document(there, problem, record(there)), record(there))[0]
task = Task(experiment=run, free=("penalised",), locked=("learning_rate",))
assert Task.from_text(task.to_text()) == task
assert unpacked(packed([Pin("one", run)]))[0][0].experiment == run
assert in_words(run)["Penalised"] == "first"
assert differing((usual, run)) == ("penalised",)
with contextlib.redirect_stdout(io.StringIO()) as out:
    main(["train", "two-features", "--penalty", "0.3", "--penalised", "first", "--epochs", "2", "--json"])
assert json.loads(out.getvalue())["experiment"]["penalised"] == "first"
# scripts of both flavours print its numbers, Newton's step too; so the notebook's cells
for one, flavours in ((run, FLAVOURS), (replace(run, optimizer="newton", learning_rate=0.5, epochs=5), ("by-hand",))):
    for flavour in flavours:
        text = script(one, flavour)
        assert "0.3 times four times the first squared parameter, and no intercept." in text
        printed = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
        numbers = [float(cell) for cell in printed.stdout.splitlines()[-1].split()[3:]]
        assert numbers == pytest.approx(record(one).theta[-1].tolist(), rel=1e-11), flavour
        assert "four times the first squared parameter" in json.dumps(notebook(one, flavour))
# a lesson's sweep
rates = torch.tensor([0.01, 0.1], dtype=torch.float64)
left = sweep(problem.objective, problem.start, run.phase, rates, 60)
assert left.tolist() == pytest.approx([float(record(replace(run, learning_rate=rate)).loss[-1]) for rate in rates.tolist()], rel=1e-6)
# the page: its choice, its words in In numbers, its formula
from train_page import Lab

lab = Lab(settings="open", **(run.to_query() | {"epochs": "20"}))
field = lab.at.selectbox("w_penalised")
assert field.options == ["The weights", "All parameters", "The first parameter"], field.options
assert lab.press("train").query["penalised"] == "first"
lab.at.session_state["tab"] = "In numbers"
lab.run()
html = "".join(element.proto.body for element in lab.at.get("html"))
assert "λ times the sum of four times the first squared parameter, and no intercept, for columns as they are." in html
assert any("4λθ₁² is minimised" in one.value for one in lab.at.caption)
"""


def test_one_place_is_enough():
    """All that knows of a penalty knows this one by its entry."""
    paths = [str(ROOT), str(Path(__file__).parent), str(ROOT / "tests" / "pages")]
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\nsys.path[:0] = {paths}\n{WALK}"],
        capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
