"""What is handed in is trained again, and nothing that a link claims is believed. Expected: η ↦ the closed form of one parameter."""

from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

import pytest

from gd_core.classroom import board, rules, views
from gd_core.classroom.board import NotPlaced, Placed
from gd_core.classroom.kept import HandedIn, new_token
from gd_core.classroom.rooms import NotNow
from gd_core.settings import checked_link
from gd_core.settings.experiment import Experiment
from gd_core.settings.fields import ParameterError
from gd_core.settings.task import Result, Target, Task
from gd_core.task_target import in_words

NOW = datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
TEACHERS = replace(Experiment.default("one-parameter"), learning_rate=0.001, epochs=30)
TASK = Task(
    experiment=TEACHERS, free=("learning_rate", "epochs"), locked=("dataset", "optimizer"), text="Be quick.",
    question="Why?", target=Target(0.5, 20),
)  # fmt: skip
HARDER = replace(TASK, target=Target(0.001, 20))


def handed_in(rate, number=1, task=TASK, **fields):
    ran = replace(task.experiment, learning_rate=rate)
    return HandedIn(number, number, "", Result(task=task, experiment=ran, **fields).to_text())


def placed_at(result):
    seen = board.place(result)
    assert isinstance(seen, Placed)
    return seen


def closed_form(rate, epochs):
    """RMSE by epoch: |3 + 3A|, which each epoch multiplies by 1 − 18η. A starts at 2: 9."""
    return [9 * abs(1 - 18 * rate) ** epoch for epoch in range(epochs + 1)]


@pytest.mark.parametrize("rate", [0.001, 0.01, 0.03, 0.05, 0.1, 0.11, 0.112])
def test_a_result_is_placed_where_its_run_ends(rate):
    """Lowest RMSE within the target's epochs, its epoch, the first below the target: by the closed form."""
    expected = closed_form(rate, 30)
    placed = placed_at(handed_in(rate))
    assert placed.learning_rate == rate
    assert placed.end_rmse == pytest.approx(expected[30], rel=1e-9)
    assert placed.rmse == pytest.approx(min(expected[1:21]), rel=1e-9)
    below = [epoch for epoch in range(1, 31) if expected[epoch] < 0.5]
    assert placed.reached == (below[0] if below else None)
    assert placed.in_time is bool(below and below[0] <= 20)
    assert placed.on_curve
    assert not placed.diverged


def test_the_best_come_first():
    """Who reached it soonest; then who came nearest; then what cannot be trained."""
    long = handed_in(0.05, 7, task=replace(TASK, experiment=replace(TEACHERS, epochs=100_000, engine="loop")))
    results = [handed_in(rate, number) for number, rate in enumerate((0.001, 0.05, 0.02, 0.2, 0.1), 1)] + [
        long
    ]
    seen = board.board(results)
    assert [one.handed_in.number for one in seen] == [2, 3, 5, 1, 4, 7]
    assert [isinstance(one, NotPlaced) for one in seen] == [False] * 5 + [True]
    assert isinstance(seen[-1], NotPlaced)
    assert seen[-1].sentence == "More than 20,000 updates: too long for the board. Its link opens it."
    assert [one.diverged for one in seen if isinstance(one, Placed)] == [False] * 3 + [False, True]


def test_a_run_is_trained_as_far_as_it_was_and_no_further():
    """Stopped by hand at epoch 3; and one with other epochs is not on the task's sweep."""
    stopped = placed_at(handed_in(0.02, stopped_at=3))
    assert stopped.end_rmse == pytest.approx(closed_form(0.02, 3)[-1], rel=1e-9)
    assert not stopped.on_curve


def test_a_remembered_run_is_not_trained_again():
    """A page hands over what it knows."""
    asked = []

    def remember(experiment):
        asked.append(experiment)
        return board.record(experiment)

    assert isinstance(board.place(handed_in(0.02), remember), Placed)
    assert asked == [replace(TEACHERS, learning_rate=0.02)]


def test_a_task_without_a_target_is_ranked_by_error():
    """Nothing is reached, the lowest is first."""
    free = replace(TASK, target=None)
    results = [handed_in(rate, number, task=free) for number, rate in enumerate((0.001, 0.05), 1)]
    seen = [one for one in board.board(results) if isinstance(one, Placed)]
    assert [(one.handed_in.number, one.reached, one.in_time) for one in seen] == [
        (2, None, False),
        (1, None, False),
    ]


def test_the_challenge_is_a_task_in_which_only_the_rate_is_free():
    """And whoever is at the target to rounding has reached it: here with one step of 1/18 of half the way."""
    target = closed_form(1 / 36, 1)[1]
    task = board.challenge(TEACHERS, target, "Not too small, not too large.")
    assert task.free == ("learning_rate",)
    placed = placed_at(handed_in(1 / 36, task=task))
    assert (placed.reached, placed.in_time) == (1, True)


@pytest.mark.parametrize(
    ("rmse", "told"),
    [
        (4.87585129, "4.87586"),
        (0.5, "0.500001"),
        (1 / 3, "0.333334"),
        (123456.789, "123457"),
    ],
)
def test_the_challenges_target_is_told_in_six_digits(rmse, told):
    """Rounded up, by hand: what is told is what counts, and nobody is held to digits that no page shows."""
    target = board.challenge(TEACHERS, rmse, "").target
    assert in_words(target) == f"RMSE below {told} within {TEACHERS.epochs} epochs"


# ---------------------------------------------------------------------------------------------------------- the store


@pytest.fixture
def room(classroom):
    """A room with a board, its code and its teacher's token."""
    opened, teacher = classroom.open_room(NOW)
    classroom.steer(opened.code, teacher, partial(rules.give_task, task=TASK.to_text()), NOW)
    return opened.code, teacher


def test_results_stand_on_the_board_by_student(classroom, room):
    """A link or its text, twice the same once, each student by a number, a nickname where there is one that is not hidden."""
    code, teacher = room
    classroom.steer(code, teacher, partial(rules.allow_nicknames, allowed=True), NOW)
    ada = classroom.join(code, None, NOW)
    classroom.name(code, ada, "Ada", NOW)
    first, second = handed_in(0.02).result, handed_in(0.03).result
    other = classroom.hand_in(code, None, first, NOW)  # who only has the app
    assert classroom.hand_in(code, ada, f"https://lab.example/?result={first}&view=projector", NOW) == ada
    for link in (f"  {second}\n", second):
        classroom.hand_in(code, ada, link, NOW)
    seen = classroom.board(code, NOW)
    assert [(one.who, one.nickname, one.result) for one in seen] == [
        (1, "", first),
        (2, "Ada", first),
        (2, "Ada", second),
    ]
    assert classroom.look(code, NOW).tally.joined == 1
    classroom.hide_nickname(code, teacher, 1, NOW)
    assert {one.nickname for one in classroom.board(code, NOW)} == {""}
    assert classroom.hand_in(code, other, second, NOW) == other


def forged(**changes):
    """A result's link that somebody has written with the project's own code."""
    data = {"k": TASK._data(), "c": {"learning_rate": "0.02"}} | changes
    return checked_link.pack("result", {key: value for key, value in data.items() if value is not None})


@pytest.mark.parametrize(
    ("link", "sentence"),
    [
        ("", "^result must"),
        (None, "^result must"),
        ("x" * 10**6, "^result must"),
        (handed_in(0.02).result[:-1] + "A", "^result must"),
        (TASK.to_text(), "^result must"),
        (forged(c={"dataset": "two-features"}), "dataset is locked in this task"),
        (forged(c={"optimizer": "adam"}), "optimizer is locked"),
        (forged(c={"learning_rate": "nan"}), "^result must keep to its task"),
        (forged(s=10**9), "stopped_at must be"),
        (forged(k=HARDER._data()), "another task than the board's"),
        (forged(k=replace(TASK, free=("learning_rate",), locked=())._data()), "another task than the board's"),
    ],
)  # fmt: skip
def test_a_forged_result_is_refused(classroom, room, link, sentence):
    """Cut, of another kind, with what is locked, with a task of one's own: each is a sentence, and the board stays empty."""
    with pytest.raises((NotNow, ParameterError), match=sentence):
        classroom.hand_in(room[0], None, link, NOW)
    assert classroom.board(room[0], NOW) == ()


def test_a_result_that_claims_numbers_has_those_of_its_run(classroom, room):
    """What is written beside the settings is not read, and not kept."""
    classroom.hand_in(room[0], None, forged(rmse=0, reached=1, best=0.0), NOW)
    (kept,) = classroom.board(room[0], NOW)
    assert kept.result == handed_in(0.02).result
    assert placed_at(kept).rmse == pytest.approx(closed_form(0.02, 20)[-1], rel=1e-9)


def test_a_board_is_one_tasks_board(classroom, room):
    """Another task has its own; without one nothing is taken; after the end neither; each student has an end of results."""
    code, teacher = room
    token = classroom.hand_in(code, new_token(), handed_in(0.02).result, NOW)
    for number in range(19):
        classroom.hand_in(code, token, handed_in(0.021 + number / 1000).result, NOW)
    with pytest.raises(NotNow, match="at most 20 results of each"):
        classroom.hand_in(code, token, handed_in(0.05).result, NOW)
    classroom.steer(code, teacher, partial(rules.give_task, task=HARDER.to_text()), NOW)
    assert classroom.board(code, NOW) == ()
    classroom.hand_in(code, token, handed_in(0.02, task=HARDER).result, NOW)
    assert len(classroom.board(code, NOW)) == 1
    classroom.steer(code, teacher, partial(rules.give_task, task=TASK.to_text()), NOW)
    assert len(classroom.board(code, NOW)) == 20
    classroom.steer(code, teacher, partial(rules.give_task, task=""), NOW)
    with pytest.raises(NotNow, match="no board"):
        classroom.hand_in(code, token, handed_in(0.02).result, NOW)
    classroom.steer(code, teacher, rules.end, NOW)
    with pytest.raises(NotNow, match="has ended"):
        classroom.hand_in(code, token, handed_in(0.02).result, NOW)


def test_students_get_the_task_from_the_room(classroom, room):
    """Its address in the app, as long as there is one; a text that is no task's is refused."""
    look = classroom.look(room[0], NOW)
    seen = views.for_student(look.room, look.tally)
    assert seen.task == f"?task={TASK.to_text()}"
    with pytest.raises(ParameterError, match=r"^task must"):
        rules.give_task(look.room, "x")
    assert views.for_student(rules.end(look.room), look.tally).task == ""
