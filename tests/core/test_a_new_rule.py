"""A rule is added in two places, its equation and its entry. Then all of the core has it; with half of it nothing goes on."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from sign_descent import NAME, sign_descent

from gd_core import theory, verdict
from gd_core.export.caption import in_words
from gd_core.export.script import script
from gd_core.large import training as large
from gd_core.large.run import LargeRun
from gd_core.lessons.deep_networks.network import Network
from gd_core.lessons.deep_networks.recorder import record as record_network
from gd_core.lessons.learning_rate.four_rates import near_limit
from gd_core.lessons.learning_rate.goldilocks import goal_of
from gd_core.lessons.learning_rate.sweep import sweep
from gd_core.lessons.variants import race
from gd_core.optimizers import OPTIMIZERS
from gd_core.outcome import Finding, Outcome
from gd_core.problem import build, rule_of
from gd_core.recorder import record
from gd_core.settings.engines import why_no_spectrum
from gd_core.settings.experiment import Experiment
from gd_core.settings.fields import ParameterError
from gd_core.settings.pins import usual_name
from gd_core.spectrum import path
from gd_core.theory import curvature_of, forecast_of

ROOT = Path(__file__).parents[2]
WALK = """
import contextlib, io, json, subprocess, sys
from dataclasses import replace
import sign_descent
sign_descent.added()
import pytest
import torch
from gd_core.cli.commands import main
from gd_core.export.notebook import notebook
from gd_core.export.record_file import compared, document, to_json
from gd_core.export.record_reading import experiment_in, parsed
from gd_core.export.script import script
from gd_core.lessons.learning_rate.four_rates import four_rates
from gd_core.lessons.learning_rate.goldilocks import goal_of
from gd_core.lessons.learning_rate.sweep import sweep
from gd_core.lessons.variants.race import line_up, race, told
from gd_core.lessons.variants.racers import RACERS
from gd_core.outcome import Trained, outcome
from gd_core.problem import build
from gd_core.recorder import record
from gd_core.settings.experiment import Experiment
from gd_core.settings.fields import ParameterError
from gd_core.theory import curvature_of, forecast_of
from gd_core import verdict

run = replace(Experiment.default("two-features", "sign-descent"), points=20, learning_rate=0.05, epochs=40)
problem, recording = build(run), record(run)
curvature = curvature_of(problem.objective)
forecast = forecast_of(run, problem, curvature)

# trains: every step is η along each parameter
steps = recording.theta.diff(dim=0).abs()
assert torch.allclose(steps, torch.full_like(steps, 0.05), rtol=1e-12, atol=0)
# theory: no limit, and the reason is its own
assert (forecast.stability_limit, forecast.factors) == (None, None)
assert forecast.why_no_limit == sign_descent.WHY
# verdict, below a rate that jumps and above
for rate in (0.05, 2.0, 1e6):
    other = replace(run, learning_rate=rate)
    ended = record(other)
    words = verdict.of_run(ended, other, forecast, outcome(ended, curvature, Trained.of(other, problem)))
    print(words)
# its link and its record make the same run again
assert Experiment.from_query(run.to_query()) == (run, [])
there = experiment_in(parsed(to_json(run, recording)))
assert compared(document(run, problem, recording), document(there, problem, record(there)), record(there))[0]
# its script by hand prints its numbers; torch.optim has no such rule, and says so
printed = subprocess.run([sys.executable, "-c", script(run, "by-hand")], capture_output=True, text=True, check=True)
numbers = [float(cell) for cell in printed.stdout.splitlines()[-1].split()[3:]]
assert numbers == pytest.approx(recording.theta[-1].tolist(), rel=1e-12)
for make in (script, notebook):
    for one in (run, run.continued(3, optimizer="adam")):
        with pytest.raises(ValueError, match="flavour must be by-hand: torch.optim has no rule Sign descent"):
            make(one, "torch-optim")
with pytest.raises(ParameterError, match="engine must be auto or loop with sign-descent, whose steps"):
    replace(run, engine="spectrum")
# the lessons
rates = torch.tensor([0.01, 0.1], dtype=torch.float64)
left = sweep(problem.objective, problem.start, run.phase, rates, 40)
expected = [float(record(replace(run, learning_rate=rate)).loss[-1]) for rate in rates.tolist()]
assert left.tolist() == pytest.approx(expected, rel=1e-6)
assert sorted(four_rates(run, problem, curvature, forecast)) == list(four_rates(run, problem, curvature, forecast))
goal = goal_of(problem.objective, curvature, run.phase, problem.start, 40)
assert goal.epochs and goal.tried
base = replace(run, optimizer="gradient-descent", learning_rate=0.1, batch_size=5, scale_features=True)
own = build(base)
entries = line_up(base, ("batch", "sign-descent"), own, curvature_of(own.objective))
assert (entries[1].title, entries[1].limit, entries[1].memory) == ("Sign descent", None, 0)
finished = race(entries, [record(entry.experiment) for entry in entries], own, curvature_of(own.objective))
assert "Sign descent" in told(finished, "epoch")
# the command line, on a table that is read in pieces too
with open("table.csv", "w") as file:
    file.write("x,y\\n1,2\\n2,3.9\\n3,6.2\\n4,8.1\\n5,9.7\\n")
for arguments in (
    ["two-features", "--learning-rate", "0.05"], ["two-features", "--before", "3,sign-descent,0.1"],
    ["table", "--table", "table.csv", "--stream"], ["table", "--table", "table.csv", "--stream", "--batch-size", "2"],
):
    assert main(["train", *arguments, "--optimizer", "sign-descent", "--epochs", "3"]) == 0, arguments
"""


def test_two_places_are_enough(tmp_path):
    """Theory, verdict, record, script, lessons, commands and large tables have the rule, or say that they do not."""
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\nsys.path[:0] = [{str(ROOT)!r}, {str(Path(__file__).parent)!r}]\n{WALK}"],
        capture_output=True, text=True, cwd=tmp_path, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    descending, hovering, gone = done.stdout.splitlines()[:3]
    assert descending.startswith("Still descending after 40 epochs")
    assert hovering.startswith("Hovering after 40 epochs")
    assert "jump about the bottom" in hovering
    assert "Sign descent’s first step changes every parameter by about 1,000,000" in gone


# ------------------------------------------------------------------------------------------------------ half of a rule

USUAL = replace(Experiment.default("two-features"), points=20, epochs=3)
PROBLEM = build(USUAL)
CURVATURE = curvature_of(PROBLEM.objective)
RATE = torch.tensor([0.1], dtype=torch.float64)
SILENT = replace(
    forecast_of(USUAL, PROBLEM, CURVATURE), stability_limit=None, factors=None, best_for_epochs=None
)


class Unknown:
    """An experiment as usual, but with a rule that has no entry. A real one cannot be made."""

    def __init__(self, usual: Experiment) -> None:
        self._usual = usual
        self.optimizer = NAME
        self.phase = usual.phase._replace(optimizer=NAME)
        self.phases = (self.phase,)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._usual, name)


UNKNOWN: Any = Unknown(USUAL)
LARGE: Any = Unknown(LargeRun())
PHASE = UNKNOWN.phase


def said(outcome: Outcome) -> str:
    return verdict.of_run(record(USUAL), UNKNOWN, SILENT, Finding(outcome, 3))


PLACES = {
    "why no limit": lambda: theory.why_no_limit(UNKNOWN),
    "limit": lambda: theory.stability_limit(CURVATURE, PHASE),
    "step": lambda: theory.step_matrix(PHASE, RATE, RATE),
    "factor": lambda: theory.factor(PHASE, 0.1, 1.0),
    "gaps": lambda: theory.gaps(CURVATURE, PHASE, PROBLEM.start, RATE, 10),
    "best in the long run": lambda: theory.best_in_the_long_run(CURVATURE, PHASE),
    "best": lambda: theory.best_for(CURVATURE, PHASE, PROBLEM.start, 10),
    "first step": lambda: theory.first_step_rate(UNKNOWN, PROBLEM, CURVATURE),
    "forecast": lambda: theory.forecast_of(UNKNOWN, PROBLEM, CURVATURE),
    "growing": lambda: said(Outcome.GROWING),
    "overshooting": lambda: said(Outcome.OVERSHOOTING),
    "diverged": lambda: said(Outcome.DIVERGED),
    "epochs": lambda: verdict.of_steps(record(USUAL), UNKNOWN, SILENT),
    "caption": lambda: in_words(UNKNOWN),
    "by hand": lambda: script(UNKNOWN, "by-hand"),
    "torch.optim": lambda: script(UNKNOWN, "torch-optim"),
    "a pinned run's name": lambda: usual_name(UNKNOWN, []),
    "training": lambda: rule_of(UNKNOWN),
    "eigenvectors": lambda: why_no_spectrum(1, [NAME]),
    "a path": lambda: [*path(PROBLEM.linear.moments, PROBLEM.start, [PHASE])],
    "sweep": lambda: sweep(PROBLEM.objective, PROBLEM.start, PHASE, RATE, 3),
    "goldilocks": lambda: goal_of(PROBLEM.objective, CURVATURE, PHASE, PROBLEM.start, 3),
    "near the limit": lambda: near_limit(PROBLEM.objective, CURVATURE, PHASE, PROBLEM.start, 0.9),
    "race": lambda: race.limit_of(UNKNOWN, PROBLEM, CURVATURE),
    "large: rate": lambda: large.usual_rate(LARGE, CURVATURE, PROBLEM.start),
    "large: training": lambda: large.rule_of(LARGE),
}  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
def test_without_its_entry_no_place_goes_on(place, monkeypatch):
    """Where only the equation is there, every place raises with the rule's name: none takes another's formula or words."""
    monkeypatch.setitem(OPTIMIZERS, NAME, sign_descent)
    with pytest.raises(KeyError, match=NAME):
        PLACES[place]()


def test_without_its_entry_no_experiment_has_it(monkeypatch):
    """Nor is it offered: a link with it is refused in a sentence."""
    monkeypatch.setitem(OPTIMIZERS, NAME, sign_descent)
    with pytest.raises(ParameterError, match=f"optimizer must be one of gradient-descent, .*Got {NAME}"):
        replace(USUAL, optimizer=NAME)
    with pytest.raises(ParameterError, match=f"before: optimizer must be one of .*Got {NAME}"):
        replace(USUAL, before=(PHASE,))
    with pytest.raises(ParameterError, match=f"optimizer must be one of .*Got {NAME}"):
        LargeRun(optimizer=NAME)


def test_without_its_equation_nothing_is_trained(monkeypatch):
    """Where only the words are there, whatever takes a step raises with the rule's name."""
    for name in reversed([*OPTIMIZERS]):  # given back in their order
        monkeypatch.delitem(OPTIMIZERS, name)
    run = replace(USUAL, optimizer="adam")
    for train in (
        lambda: record(run),
        lambda: sweep(PROBLEM.objective, PROBLEM.start, run.phase, RATE, 3),
        lambda: large.rule_of(LargeRun(optimizer="adam", learning_rate=0.1)),
        lambda: record_network(Network(optimizer="adam", depth=1, epochs=1)),
    ):
        with pytest.raises(KeyError, match="adam"):
            train()
