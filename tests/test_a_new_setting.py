"""A setting is added in the least number of places: nothing of the lab goes on without it in silence.

The copy of the source in which this is tried has one more field, which divides the rate: it trains, stands in links,
records, tasks, flags and earlier phases by itself, and whatever does not know it says so.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ADDED = {  # where, after which text, what
    "gd_core/settings/experiment_fields.py": [
        (
            "    epsilon: float = 1e-8\n",
            "    trial: float = 0.0\n",
        ),
        (
            "    **HYPERPARAMETERS,\n",
            '    "trial": Number(low=0, high=9, title="Trial", help="Of tomorrow."),\n',
        ),
    ],
    "gd_core/settings/experiment.py": [("    epsilon: float = 1e-8\n", "    trial: float = 0.0\n")],
    "gd_core/problem.py": [
        (
            "    own = OPTIMIZER_INFO[phase.optimizer].own(phase)\n",
            "    phase = phase._replace(learning_rate=phase.learning_rate / (1 + phase.trial))\n",
        )
    ],
}
WALK = """
import contextlib, io, json, re, sys
from dataclasses import replace

from gd_core.cli.commands import main
from gd_core.export import record_file, record_reading, script
from gd_core.export.caption import in_words
from gd_core.large.run import LargeRun
from gd_core.recorder import record
from gd_core.safe_start import measured
from gd_core.settings.experiment import Experiment
from gd_core.settings.fields import ParameterError
from gd_core.settings.task import Result, Task
from gd_core.settings.pins import Pin, packed, unpacked
from gd_core.theory import why_no_limit, why_no_theory
from lesson_page import LessonPage
from pages.ui.look.navigation import LESSONS
from train_page import Lab

found = {}


def refused(do):
    try:
        do()
    except ValueError as error:
        return str(error)


run, plain = Experiment(trial=1.0, epochs=1000), Experiment(epochs=1000)
found["trains"] = bool((record(run).epoch_rmse[:50] != record(plain).epoch_rmse[:50]).any())
found["as half the rate"] = bool(
    (record(run).epoch_rmse == record(replace(plain, learning_rate=5e-6, engine="loop")).epoch_rmse).all()
)
found["link"] = run.to_query()["trial"], Experiment.from_query(run.to_query()) == (run, [])
found["bad link"] = Experiment.from_query({"trial": "10"})[1]
document = record_file.to_json(run, record(run))
found["record"] = record_reading.experiment_of(document) == run
before = run.continued(10, trial=0.0)
found["continued"] = before.before[0].trial, Experiment.from_query(before.to_query()) == (before, [])
older = json.loads(record_file.to_json(replace(before, epochs=3), record(replace(before, epochs=3))))
del older["experiment"]["before"][0]["trial"]
found["older record"] = record_reading.experiment_in(older).before[0].trial
task = Task(experiment=run, free=("trial",), locked=("learning_rate",))
found["task"] = Task.from_text(task.to_text()) == task
found["task keeps it"] = task.opened({"trial": "0.5"})[0].trial, replace(task, free=()).opened({"trial": "0.5"})[0].trial
found["pin"] = unpacked(packed([Pin("one", run)]))[0][0].experiment == run
with contextlib.redirect_stdout(io.StringIO()) as out:
    main(["train", "--trial", "1", "--epochs", "2", "--json"])
found["flag"] = json.loads(out.getvalue())["experiment"]["trial"]

found["engine"] = run.runs_on, before.runs_on, refused(lambda: replace(run, engine="spectrum"))
found["theory"] = measured(run)[1], why_no_limit(run), json.loads(document)["theory"]["stability_limit"]
found["script"] = [refused(lambda: script.script(one, flavour)) for one in (run, before) for flavour in script.FLAVOURS]
found["phases in words"] = before.before[0].in_words, in_words(before)["First"]
smuggled = replace(task, free=("before",)).opened({"before": "5,gradient-descent,1e-05,trial=0.5"})
found["task's phases"] = smuggled[0].before, smuggled[1]
found["large"] = refused(lambda: LargeRun.of({"trial": "1", "target": "y"}))
found["lessons"] = {
    name: [said for said in LessonPage(name, **{"dataset": "two-features", "trial": "1"} if name != "deep_networks" else {"trial": "1"}).complaints if said.startswith("Trial")]
    for name in LESSONS
    if name not in ("deep_networks", "glossary")
}
lab = Lab(dataset="noisy-quadratic", trial="1.0", epochs="20").press("train")
found["train"] = lab.query.get("trial"), [said for said in lab.complaints]
lab.at.session_state["tab"] = "Steps"
lab.run()
html = "".join(element.proto.body for element in lab.at.get("html"))
found["step"] = re.search('<div class="steps">(.*?)</div>', html).group(1)
steps = lab.player["table"]["d0"].to_list()
found["player"] = abs(steps[0] / (-0.5e-5 * lab.player["table"]["g0"].to_list()[0]) - 1) < 1e-5
json.dump(found, sys.stdout)
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """What each part of a lab with one more setting has done with it."""
    copy = tmp_path_factory.mktemp("lab")
    unwanted = shutil.ignore_patterns("__pycache__")
    for folder in ("gd_core", "pages", "tests/core", "tests/pages", ".streamlit"):
        shutil.copytree(ROOT / folder, copy / folder, ignore=unwanted)
    shutil.copy(ROOT / "app.py", copy)
    for name, lines in ADDED.items():
        text = (copy / name).read_text(encoding="utf-8")
        for after, added in lines:
            assert text.count(after) == 1, f"{name} has not one place after {after!r}"
            text = text.replace(after, after + added)
        (copy / name).write_text(text, encoding="utf-8")
    paths = os.pathsep.join(str(copy / folder) for folder in ("", "tests/core", "tests/pages"))
    done = subprocess.run(
        [sys.executable, "-c", WALK],
        cwd=copy,
        env=os.environ | {"PYTHONPATH": paths},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return json.loads(done.stdout)


def test_three_files_make_it_train(found):
    """It changes the run, as it is meant to."""
    assert len(ADDED) == 3
    assert found["trains"]
    assert found["as half the rate"]


def test_all_that_holds_a_run_holds_it(found):
    """Link, record, task, pin, flag and an earlier phase; and an older record opens."""
    assert found["link"] == ["1.0", True]
    assert found["bad link"] == ["trial must be a number between 0 and 9. Got 10."]
    assert found["record"]
    assert found["continued"] == [1.0, True]
    assert found["older record"] == 0.0
    assert found["task"]
    assert found["task keeps it"] == [0.5, 1.0]
    assert found["pin"]
    assert found["flag"] == 1.0
    ten = "10 epochs of {}radient descent{} 1e−5, trial 1.0"
    assert found["phases in words"] == [ten.format("g", " at"), ten.format("G", ", η =")]
    assert found["task's phases"] == [[], ["before must keep trial at 1.0 in this task. Got 0.5."]]


def test_whatever_does_not_know_it_says_so(found):
    """Eigenvectors, theory, scripts, a large table, and each lesson; the player shows the steps that were taken."""
    says = "trial must be 0.0 {}. Got 1.0."
    assert found["engine"] == [
        "loop",
        "loop",
        "engine must be auto or loop with trial, which the eigenvectors know nothing of. Got spectrum.",
    ]
    assert found["theory"] == [
        None,
        says.format("for limits, best rates and the lowest loss to be known"),
        None,
    ]
    assert found["script"] == [says.format("in a script")] * 4
    assert found["large"] == "trial must be left out for a table that is read in pieces. Got 1."
    assert len(found["lessons"]) >= 7
    for name, complaints in found["lessons"].items():
        assert complaints == [says.format("in this lesson").replace("trial", "Trial")], name  # by its title
    assert found["train"] == ["1.0", []]
    assert found["step"] == f"<p>{says.format('for a step to be written out')}</p>"
    assert found["player"]
