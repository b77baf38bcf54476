"""The board of a class: the challenge of lesson 4 is put on it, and what is handed in is trained again."""

import re
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs

import numpy as np
import pytest
import taught
import torch
from taught import Taught
from visit import Visit, app

from gd_core.classroom.rooms import NoRoom
from gd_core.problem import build
from gd_core.settings.experiment import Experiment
from gd_core.settings.task import Result, Task
from pages.ui.classroom import class_board, connection, teaching
from pages.ui.classroom.watch import now, watch
from pages.ui.look import session
from pages.ui.player import sweeps


@pytest.fixture(autouse=True)
def store(tmp_path, monkeypatch):
    taught.use(tmp_path / "data" / "classroom.sqlite3", monkeypatch)


@pytest.fixture
def page() -> Taught:
    return Taught("learning_rate").press("skip").press("class_give_task")


def hand_in(page: Taught, token: str | None, rate: float) -> str:
    task = Task.from_text(page.room.task)
    link = Result(task=task, experiment=replace(task.experiment, learning_rate=rate)).to_text()
    return connection.classroom().hand_in(page.teacher.code, token, link, now())


def rows(page: Taught) -> list[list[str]]:
    (table,) = re.findall(r'<table class="live board">.*?</table>', page.html)
    return [re.findall(r"<td[^>]*>(?:<a [^>]*>)?(.*?)(?:</a>)?</td>", row) for row in table.split("<tr>")[2:]]


def rmse_by_numpy(experiment, epochs: int) -> np.ndarray:
    """θ ← θ − η (2/N) Φᵀ(Φθ − y), written out."""
    problem = build(experiment)
    with torch.no_grad():  # linear in θ: Φ is what it predicts for each unit vector
        features = torch.stack(
            [problem.objective.predict(unit) for unit in torch.eye(3, dtype=torch.float64)], 1
        ).numpy()
    target, theta, found = problem.objective.target.numpy(), problem.start.numpy().copy(), []
    for _ in range(epochs + 1):
        rest = features @ theta - target
        found.append(np.sqrt(np.mean(rest**2)))
        theta = theta - experiment.learning_rate * 2 / len(target) * features.T @ rest
    return np.array(found)


def test_results_stand_on_the_sweep_as_their_own_runs_have_them(page):
    """Rate, lowest RMSE and epoch as NumPy finds them, the best first; on the chart each where its run ends."""
    task = Task.from_text(page.room.task)
    assert task.target is not None
    assert "nothing is handed in yet" in page.html
    one = hand_in(page, None, 0.02)
    hand_in(page, one, 0.3)
    hand_in(page, None, 5.0)
    page.run()
    assert "3 handed in by 2" in page.html
    found = rows(page)
    assert found[0][1] == "0.3"
    assert sorted(row[0] for row in found) == ["No. 1", "No. 1", "No. 2"]
    for row in found:
        rate = float(row[1])
        expected = rmse_by_numpy(replace(task.experiment, learning_rate=rate), task.experiment.epochs)
        expected = expected[1:][np.isfinite(expected[1:])]  # the start is nobody's result
        assert float(row[2]) == pytest.approx(expected.min(), rel=1e-5)
        assert int(row[3]) == 1 + expected.argmin()
        assert ("diverged" in row[4]) == (rate == 5.0)
    links = re.findall(r'href="\./\?result=([^"]+)"', page.html)
    assert len(links) == 3
    chart = [
        number for number, proto in enumerate(page.charts) if any(d.name == "marks" for d in proto.datasets)
    ][-1]
    marks = page.table(chart, "marks").to_pydict()
    assert sorted(marks["x"]) == pytest.approx([0.02, 0.3, 5.0])
    for x, y in zip(marks["x"], marks["y"], strict=True):
        if x < 1:
            ends = rmse_by_numpy(
                replace(task.experiment, learning_rate=float(f"{x:.6g}")), task.experiment.epochs
            )
            assert y == pytest.approx(ends[-1], rel=1e-5)


def test_many_results_come_in_slices(page):
    """A look trains so many, the next one the others; what it has trained it does not train again."""
    token = None
    for number in range(class_board.AT_ONCE + 3):
        token = hand_in(page, token, 0.01 + 0.001 * number)
    assert len(rows(page.run())) == class_board.AT_ONCE
    assert len(rows(page.run())) == class_board.AT_ONCE + 3


def test_another_problem_has_no_board_of_this_one(page):
    """With another number of epochs the button is there again; going back, so is the board."""
    hand_in(page, None, 0.3)
    assert len(rows(page.run())) == 1
    page.type(epochs="20").press("skip")
    assert "class_give_task" in page.steps
    assert 'class="live board"' not in page.html
    page.type(epochs="15").press("skip")
    assert len(rows(page)) == 1


def test_after_the_end_nothing_is_put_on_the_board():
    """Nor is there a board without a class."""
    page = Taught("learning_rate").press("skip").press("class_end")
    assert "class_give_task" not in page.steps
    connection.classroom().delete_room(page.teacher.code, page.teacher.token, now())
    watch().changed(page.teacher.code)
    page.run()
    assert page.teacher.code == ""
    assert page.steps == []


def test_a_nickname_is_text_and_is_hidden_with_a_press(page):
    """Whatever it holds, it is shown as it is; hidden beside the board it is a number there, until it is shown again."""
    page.at.session_state["class_names"] = True  # opens the menu, which AppTest can only do by its state
    page.run().press("class_allow")
    assert page.room.nicknames
    token = connection.classroom().join(page.teacher.code, None, now())
    connection.classroom().name(page.teacher.code, token, "<b>x</b>", now())
    hand_in(page, token, 0.3)
    watch().changed(page.teacher.code)
    assert rows(page.run())[0][0] == "&lt;b&gt;x&lt;/b&gt;"
    page.at.session_state["board_names"] = True
    page.run()
    for shown, label in (("No. 1", "Hide"), ("&lt;b&gt;x&lt;/b&gt;", "Show")):
        button = page.at.button(key="board_hide 1")
        assert button.label == rf"{label} \<b\>x\<\/b\>"
        page.press("board_hide 1")
        assert rows(page)[0][0] == shown
    page.press("class_allow")
    assert not page.room.nicknames


def test_the_menu_of_nicknames_is_open_with_nobody_named():
    """It says so; and where a store fails meanwhile, why."""
    page = Taught("one_parameter")
    page.at.session_state["class_names"] = True
    page.run()
    assert "Nobody has one yet." in page.words


def test_each_ring_of_the_sweep_opens_its_run(page):
    """By the very links of the list, with whose run it is."""
    for rate in (0.02, 0.3):
        hand_in(page, None, rate)
    page.run()
    (chart,) = [k for k, proto in enumerate(page.charts) if '"link"' in proto.spec]
    marks = page.table(chart, "marks").to_pydict()
    listed = re.findall(r'<a href="(\./\?result=[^"]*)" target="_blank">(.*?)</a>', page.html)
    assert sorted(zip(marks["link"], marks["who"], strict=True)) == sorted(listed)
    for rate, link in zip(marks["x"], marks["link"], strict=True):
        ran = Result.from_text(parse_qs(link.partition("?")[2])["result"][0]).ran
        assert ran.learning_rate == pytest.approx(rate)


def test_a_class_is_opened_from_a_task():
    """In its dialog: the code, who is in, the board of the very task, what is handed in on its sweep; and the end of the class."""
    page = Visit(app())
    page.press("prepare").press("class_open")
    teacher = page.at.session_state[session.key(teaching.Teacher)]
    code = teacher.code
    connection.classroom().join(code, None, now())
    watch().changed(code)
    assert "1 is in." in page.run().html
    assert f'aria-label="Code: {", ".join(code)}"' in page.html
    page.press("class_give_task")
    task = Task.from_text(connection.classroom().room(code, now()).task)
    link = Result(task=task, experiment=replace(task.experiment, learning_rate=2e-5)).to_text()
    connection.classroom().hand_in(code, None, link, now())
    watch().changed(code)
    assert "1 handed in by 1" in page.run().html
    (toggle,) = sweep_toggles(page)
    toggle.set_value(True)
    page.run()
    marks, curve = (page.table(len(page.charts) - 1, name).to_pydict() for name in ("marks", "curve"))
    ends = rmse_by_numpy(replace(task.experiment, learning_rate=2e-5), task.experiment.epochs)
    assert marks["x"] == pytest.approx([2e-5])
    assert marks["y"] == pytest.approx([ends[-1]], rel=1e-6)
    nearest = min(range(len(curve["x"])), key=lambda k: abs(curve["x"][k] - 2e-5))
    ends = rmse_by_numpy(replace(task.experiment, learning_rate=curve["x"][nearest]), task.experiment.epochs)
    assert curve["y"][nearest] == pytest.approx(ends[-1], rel=1e-6)
    page.press("class_end")
    assert connection.classroom().room(code, now()).phase == "ended"
    page.press("class_delete")
    with pytest.raises(NoRoom):
        connection.classroom().room(code, now())
    assert "class_open" in [one.key for one in page.at.button]


def sweep_toggles(page) -> list[Any]:
    return [one for one in page.at.toggle if one.label == "Show the sweep"]


def given_away(page) -> set[str]:
    """What the board's chart tells of rates that nobody has handed in."""
    tables = {
        name: page.table(len(page.charts) - 1, name).to_pydict() for name in ("curve", "zones", "frame")
    }
    frame = {name for name in ("limit", "best", "floor") if not np.isnan(tables["frame"][name][0])}
    return frame | {name for name in ("curve", "zones") if tables[name]["x"]}


@pytest.mark.parametrize("rates", [(0.02, 0.3), (5.0,)])
def test_the_board_does_not_tell_the_best_rate_while_it_is_asked_for(page, rates):
    """A task that hides it from students has it hidden on the wall, in words too, until that is asked for, or the class has ended."""
    for rate in rates:
        hand_in(page, None, rate)
    page.run()
    chart = len(page.charts) - 1
    text = page.charts[chart].spec
    assert given_away(page) == set()
    assert not any(word in text for word in ("Diamond", "zones of the rate", "upright"))
    marks = page.table(chart, "marks").to_pydict()
    experiment = Task.from_text(page.room.task).experiment
    for x, y in zip(marks["x"], marks["y"], strict=True):
        if x < 1:
            assert y == pytest.approx(rmse_by_numpy(replace(experiment, learning_rate=x), 15)[-1], rel=1e-5)
    gone = page.table(chart, "gone").to_pydict()["x"]
    assert gone == [rate for rate in rates if rate > 1]
    frame = page.table(chart, "frame").to_pydict()
    assert all(frame["y0"][0] < y < frame["y1"][0] for y in marks["y"])
    sweep_toggles(page)[0].set_value(True)
    page.run()
    assert given_away(page) >= {"curve", "zones", "limit", "best"}
    sweep_toggles(page)[0].set_value(False)
    assert given_away(page.run()) == set()
    page.press("class_end")
    assert sweep_toggles(page) == []
    assert "best" in given_away(page)


def test_a_task_that_shows_the_zones_shows_the_sweep():
    """Its students see limit and best rate themselves."""
    page = Visit(app())
    page.press("prepare")
    page.at.button_group("draft preset").set_value("everything")
    page.run().press("class_open").press("class_give_task")
    code = page.at.session_state[session.key(teaching.Teacher)].code
    task = Task.from_text(connection.classroom().room(code, now()).task)
    link = Result(task=task, experiment=replace(task.experiment, learning_rate=2e-5)).to_text()
    connection.classroom().hand_in(code, None, link, now())
    watch().changed(code)
    assert given_away(page.run()) >= {"curve", "best"}
    assert sweep_toggles(page) == []


@pytest.mark.parametrize(
    "other",
    [
        {"batch_size": 5},
        {"loss": "absolute"},
        {"penalty": 0.1},
        {"scale_target": True},
        {"tolerance": 0.1},
        {"epochs": 2000},
    ],
)
def test_a_task_that_no_sweep_tells_the_end_of_has_none(other):
    """Batches, another loss, an early stop: the error after these epochs is not the sweep's. The board lists them all."""
    plain = Experiment(learning_rate=1e-5)
    assert sweeps.has_one(plain)
    assert sweeps.has_one(replace(plain, schedule="cosine", warmup=3))
    assert not sweeps.has_one(replace(plain, **other))


def test_a_class_follows_to_the_lesson_that_asks_nothing():
    """Who is in, how to join, what was learned and the end; without a class there is nothing of it."""
    page = Taught("one_parameter")
    page.join(3)
    watch().changed(page.teacher.code)
    page.at.switch_page("pages/glossary.py")
    page.follow({})
    assert not page.component("keys")["may_teach"]
    assert "3 are in." in page.html
    assert page.steps == ["class_end"]
    page.press("class_end").press("class_delete")
    assert page.steps == []
    assert "ways-in" not in page.html
    assert not page.component("keys")["may_teach"]  # the button would open a room with nothing to ask
