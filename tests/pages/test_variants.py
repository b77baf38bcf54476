"""The lesson of the variants, as a visitor without a browser finds it."""

import re
from dataclasses import replace
from itertools import combinations
from typing import Any

import pytest
from lesson_page import LessonPage
from true_variants import wrong

from gd_core.lessons.variants.race import line_up, race
from gd_core.lessons.variants.racers import RACERS, TITLES, USUAL
from gd_core.problem import build
from gd_core.recorder import record
from gd_core.settings.experiment import Experiment
from gd_core.theory import curvature_of
from pages.ui.charts.variants import DASHES, PLACES, SHAPES, colours_of
from pages.ui.look.palette import DARK, LIGHT

LESSON = "variants"
SMALL = {"dataset": "noisy-quadratic", "scale_features": "true", "start": "0,0,20", "epochs": "30"}
FAST = {**SMALL, "learning_rate": "0.1"}
GONE = {**SMALL, "learning_rate": "0.6", "racers": "batch,momentum,adam"}
UNSCALED = {"dataset": "noisy-quadratic", "learning_rate": "3e-6", "epochs": "20"}


@pytest.fixture(scope="module")
def bare():
    """The page as it opens. For tests that only look."""
    return LessonPage(LESSON)


def segments(page, name) -> Any:
    """A row of choices."""
    (found,) = [group for group in page.at.get("button_group") if group.key == f"{LESSON}.{name}"]
    return found


def experiment(page):
    found, sentences = Experiment.from_query({"dataset": "noisy-quadratic", **page.query})
    assert not sentences
    return found


def raced(base, keys=USUAL, target=None, **settings):
    """The same race without the page."""
    problem = build(base)
    curve = curvature_of(problem.objective)
    entries = line_up(base, keys, problem, curve, **settings)
    return race(entries, [record(one.experiment) for one in entries], problem, curve, target)


def table_of(page):
    """The cells of the table, as read: what a racer is called, then the rest."""
    (body,) = [e.proto.body for e in page.at.get("html") if "live race" in e.proto.body]
    rows = re.findall(r"<tr>(<td.*?)</tr>", body.partition("<tbody>")[2])
    return [
        [re.sub(r"<[^>]+>", "", cell).strip() for cell in re.findall(r"<td.*?</td>", row)] for row in rows
    ]


# --------------------------------------------------------------------------------------- before and after the answer


def test_it_opens_with_everyone_at_the_start(bare):
    """Eight racers and “none of them” to choose from; no path, no error, no number that the race decides."""
    labels = [b.label for b in bare.at.button if b.key and b.key.startswith(f"{LESSON} answer ")]
    assert labels == [*(TITLES[key] for key in USUAL), "None of them"]
    assert [bare.table(i, "path").num_rows for i in (0, 1)] == [8, 8]
    assert bare.table(1, "arrivals").num_rows == 0
    assert all(row[3:7] == ["", "", "", ""] for row in table_of(bare))
    assert "first is" not in bare.words


@pytest.mark.parametrize(
    "settings",
    [
        FAST,
        {**FAST, "unit": "update"},
        {**FAST, "unit": "row", "small_batches": "true"},
        {**FAST, "unit": "update", "racers": "adagrad,rmsprop"},
        {**SMALL, "learning_rate": "0.04", "target_rmse": "1.5"},
        {"dataset": "two-features", "learning_rate": "0.2", "epochs": "20", "points": "30", "noise": "0.3"},
        GONE,
        UNSCALED,
    ],
)
def test_the_truth_is_what_the_race_came_to(settings):
    """For every answer of every setting: right if and only if a race run without the page has that winner."""
    page = LessonPage(LESSON, ask="false", **settings)
    base, query = experiment(page), page.query
    keys = tuple(query["racers"].split(",")) if "racers" in query else USUAL
    target = float(query["target_rmse"]) if "target_rmse" in query else None
    finished = raced(base, keys, target, small_batches=query.get("small_batches") == "true")
    winners = finished.winners(query.get("unit", "epoch")) or ("none",)
    page.switch("ask", True)
    for key in (*keys, "none"):
        page.answer(key)
        assert page.judged.startswith("You were right: ") == (key in winners)
        page.press("ask_again")


def test_other_racers_and_another_unit_ask_again():
    """They are other questions, and their answers are those who race."""
    page = LessonPage(LESSON, **FAST).answer("adam")
    segments(page, "racers").set_value(["batch", "adam"])
    page.run()
    assert not page.player["trained"]
    assert page.query["racers"] == "batch,adam"
    assert page.answers == ["batch", "adam", "none"]
    page.answer("adam")
    segments(page, "unit").set_value("row")
    page.run()
    assert not page.player["trained"]
    assert page.query["unit"] == "row"


# ------------------------------------------------------------------------------------------------- what is drawn


@pytest.mark.parametrize("unit", ["epoch", "update", "row"])
def test_the_player_counts_in_the_unit(unit):
    """Its names, its end and its sentences are those of the axis; its RMSE is that of the race at each place."""
    page = LessonPage(LESSON, ask="false", unit=unit, **FAST)
    finished = raced(experiment(page))
    end = finished.end(unit)
    data = page.player
    assert data["last"] == data["planned"] == end
    assert data["names"][0] == f"{unit} 0 / {end:,}"
    assert data["names"][-1] == f"{unit} {end:,} / {end:,}"
    assert len(data["names"]) == len(data["table"])
    assert data["templates"][1].startswith(unit.capitalize() + " {epoch}: ")
    one = finished.results[2]
    middle = len(data["table"]) // 2
    update = one.done(unit, middle * data["stride"])
    assert data["table"]["r2"][middle] == pytest.approx(one.rmse[update], rel=1e-6)


def test_the_axis_of_updates_says_what_it_leaves_out():
    """It ends after the last arrival, and the note has the number of the longest run."""
    page = LessonPage(LESSON, ask="false", unit="update", **FAST)
    end = raced(experiment(page)).end("update")
    assert page.player["note"] == (
        f"The axis ends at update {end}, after the last arrival. Stochastic makes 600 in its 30 epochs."
    )
    assert LessonPage(LESSON, ask="false", **FAST).player["note"] == ""


def test_the_table_has_the_numbers_of_the_race():
    """Rate, memory, arrival in three units and the climb back, as in a race run without the page."""
    page = LessonPage(LESSON, ask="false", **FAST)
    finished = raced(experiment(page))
    for cells, one in zip(table_of(page), finished.results, strict=True):
        assert cells[0] == one.entry.title
        assert float(cells[1].split()[0]) == pytest.approx(one.entry.experiment.learning_rate, rel=5e-3)
        assert cells[2] == {0: "nothing", 1: "1 number", 2: "2 numbers"}[one.entry.memory]
        if one.reached is None:
            assert cells[3:6] == ["–"] * 3
        else:
            shown = [float(cell.replace(",", "")) for cell in cells[3:6]]
            assert shown == pytest.approx(list(one.reached), rel=5e-3)
        assert float(cells[6]) == pytest.approx(one.climb, rel=5e-3)
    batch, stochastic = table_of(page)[0], table_of(page)[2]
    assert "RMSE never rises in its 30 updates." in batch[7]
    assert f"RMSE rises in {finished.results[2].rises} of 600 updates." in stochastic[7]


def test_a_diverged_racer_is_said_and_marked():
    """Batch and Momentum diverge: a cross in both charts, the epoch in the table and in the summary."""
    page = LessonPage(LESSON, ask="false", **GONE)
    finished = raced(experiment(page), ("batch", "momentum", "adam"))
    gone = {one.entry.key: one.diverged_at for one in finished.results}
    assert gone["adam"] is None
    for chart in (0, 1):
        assert page.table(chart, "ends")["racer"].to_pylist() == [PLACES["batch"], PLACES["momentum"]]
    frame = {name: values[0] for name, values in page.table(0, "frame").to_pydict().items()}
    for place in (PLACES["batch"], PLACES["momentum"]):
        points = [row for row in page.table(0, "path").to_pylist() if row["racer"] == place]
        outside = [
            not (frame["x0"] <= p["x"] <= frame["x1"] and frame["y0"] <= p["y"] <= frame["y1"])
            for p in points
        ]
        # The path ends with the step that leaves the map.
        assert outside == [False] * (len(points) - 1) + [True]
    rows = table_of(page)
    assert f"Diverged at epoch {gone['batch']}." in rows[0][7]
    assert f"Diverged at epoch {gone['momentum']}." in rows[1][7]
    assert rows[0][3:7] == ["–", "–", "–", "diverged"]
    told = f"Diverged: Batch at epoch {gone['batch']}, Momentum at epoch {gone['momentum']}."
    assert page.player["summary"].endswith(told)


@pytest.mark.parametrize("unit", ["epoch", "update", "row"])
def test_at_most_a_thousand_rows_a_racer_are_drawn(unit):
    """The longest race that may be set: 40 rows for 150 epochs, everyone on mini-batches of 2."""
    page = LessonPage(
        LESSON, dataset="two-features", noise="0.5", points="40", epochs="150", learning_rate="0.07",
        batch_size="2", small_batches="true", unit=unit, ask="false",
    )  # fmt: skip
    assert page.complaints == []
    assert len(page.player["table"]) <= 1002
    for chart in (0, 1):
        drawn = page.table(chart, "path")["racer"].to_pylist()
        assert max(drawn.count(place) for place in PLACES.values()) <= 1002
        assert page.table(chart, "run").num_rows <= 1002
        types = {str(field.type) for field in page.table(chart, "path").schema}
        assert types <= {"int8", "int16", "float"}


def test_racers_are_told_apart():
    """Any two differ in two of colour, dash and shape, in both themes, and every colour stands out from its paper."""

    def luminance(colour):
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    for colours in (LIGHT, DARK):
        racers = list(zip(colours_of(colours), map(tuple, DASHES), SHAPES, strict=True))
        assert len(racers) == len(RACERS)
        for one, other in combinations(racers, 2):
            assert sum(mine != theirs for mine, theirs in zip(one, other, strict=True)) >= 2
        assert len({*colours.racers}) == 8
        for colour in colours.racers:
            low, high = sorted((luminance(colour), luminance(colours.paper)))
            assert (high + 0.05) / (low + 0.05) >= 3


# ------------------------------------------------------------------------------------------------ settings and links


def test_the_other_rates_wait_for_a_press():
    """Start, seed and the rates of all but batch are not sent before; no other field is among them."""
    page = LessonPage(LESSON, ask="false", **FAST)
    with_them = {str(field.key) for field in page.at.text_input}
    page.at.session_state["others"] = False
    without = {str(field.key) for field in page.run().at.text_input}
    rates = {
        f"rate_{rule}"
        for rule in (
            "mini-batch",
            "stochastic",
            "momentum",
            "nesterov",
            "adagrad",
            "rmsprop",
            "adam",
            "newton",
            "decaying",
        )
    }
    assert with_them - without == {f"variants.{name}" for name in rates | {"momentum", "start", "seed"}}


def test_a_typed_rate_is_used_and_an_empty_one_is_automatic_again():
    """Adam's own rate is in the table and in the address; an empty field takes it back."""
    page = LessonPage(LESSON, ask="false", **FAST).type(rate_adam="0.5")
    assert page.query["rate_adam"] == "0.5"
    assert table_of(page)[7][1].startswith("0.5 typed; auto is ")
    page.type(rate_adam="")
    assert "rate_adam" not in page.query
    assert table_of(page)[7][1].startswith("2.69 first step 1/10 of the way")


def test_each_racer_opens_on_the_train_page_as_it_ran():
    """Eight links to Train, each with exactly the racer's experiment."""
    page = LessonPage(LESSON, small_batches="true", rate_adam="0.7", **FAST)
    base = experiment(page)
    problem = build(base)
    entries = line_up(
        base, USUAL, problem, curvature_of(problem.objective), small_batches=True, rates={"adam": 0.7}
    )
    found = {label: query for label, where, query in page.links if where in ("", "train")}
    for entry in entries:
        there, sentences = Experiment.from_query(found[entry.title])
        assert not sentences
        assert there == entry.experiment


def test_the_last_link_is_the_next_lesson(bare):
    """Sizes of batch by update on this page, then the hills."""
    own, following = bare.links[-2:]
    assert own[1] == LESSON
    assert own[2]["racers"] == "batch,mini-batch,stochastic"
    assert own[2]["unit"] == "update"
    assert following[1] == "hills"


@pytest.mark.parametrize(
    "name",
    [
        "Sizes of batch",
        "Rules only",
        "Newton’s step",
        "Single rows, decaying rate",
        "Rate above the limit",
        "Not scaled",
    ],
)
def test_an_example_sets_everything(name):
    """Whatever was typed before, the example is the one with the lesson's own start and automatic rates."""
    page = LessonPage(LESSON, ask="false", rate_adam="5", target_rmse="9", small_batches="true", **FAST)
    page.press(f"example_{name}")
    assert not {"rate_adam", "target_rmse", "small_batches"} & set(page.query)
    found = experiment(page)
    assert found.start == (0.0, 0.0, 20.0)
    diverged = "Diverged" in page.player["summary"]
    nobody = page.player["summary"].startswith("No one")
    assert (diverged, nobody) == (name == "Rate above the limit", name == "Not scaled")


def test_single_rows_arrive_at_a_decaying_rate():
    """At a constant rate they hover; the table says how far apart the two are at last, and to which rate the decaying one has come."""
    page = LessonPage(LESSON, ask="false").press("example_Single rows, decaying rate")
    *_, constant, decaying = table_of(page)
    assert decaying[0].endswith("Stochastic (decaying)")
    assert decaying[1].endswith("of its limit 0.0902, ÷ (1 + 0.1 k) at epoch k")
    assert (
        "Its rate ends at 9.17 % of the first. Over the last 10 epochs its RMSE is 1.470 on average, Stochastic’s 1.650."
        in decaying[7]
    )
    assert "on average" not in constant[7]


def test_newton_is_there_at_once_and_the_table_says_why():
    """One update where batch needs many; what a step leaves, and that H is 3 × 3, whose third power is 27. At another rate it says what that leaves."""
    page = LessonPage(LESSON, ask="false").press("example_Newton’s step")
    *_, newton = table_of(page)
    assert newton[0].endswith("Newton")
    assert newton[1] == "1 50 % of its limit 2"
    assert newton[2:5] == ["3 numbers", "1", "1"]
    assert (
        "all directions are alike: a step leaves 0 % of the error in each. 1 update to the target, batch 66."
        in newton[7]
    )
    assert (
        "Inverts H, 3 × 3 numbers, which costs about P³: 27 here, a billion for 1,000 parameters."
        in newton[7]
    )
    assert page.player["summary"].startswith("Newton is first at RMSE ")
    *_, newton = table_of(page.type(rate_newton="0.5"))
    assert "a step leaves 50 % of the error in each. 4 updates to the target" in newton[7]


def test_another_data_set_has_its_own_settings():
    """Two features with 40 rows and some noise; its own rate, at which everyone but few arrives."""
    page = LessonPage(LESSON, ask="false").choose("dataset", "two-features")
    found = experiment(page)
    assert (found.points, found.noise, found.learning_rate) == (40, 0.5, 0.07)
    assert replace(found, batch_size=0).updates_per_epoch == 1
    assert " first at RMSE " in page.player["summary"]


@pytest.mark.parametrize("seeds", [range(20), range(20, 40)], ids=["first", "second"])
def test_what_is_said_of_a_race_is_true(seeds):
    """Who is first, who is lowest when, how often an error rises: loops in NumPy agree, over random races."""
    assert {seed: found for seed in seeds if (found := wrong(seed, most=6))} == {}
