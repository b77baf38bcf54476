"""Pinned runs without a browser: on Train as light lines, on Compare beside each other, in one link."""

import io
import json
import re
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from lesson_page import LessonPage
from train_page import Lab

from gd_core.problem import build
from gd_core.recorder import record
from gd_core.settings.differing import differing
from gd_core.settings.experiment import Experiment
from gd_core.settings.pins import MOST, Pin, Pins, packed
from gd_core.tables.table import Table
from pages.ui.compare.comparison_table import worded
from pages.ui.look.session import key
from pages.ui.player import live_runs
from pages.ui.train import pins as session

BASE = replace(Experiment.default(), scale_features=True, epochs=60)
RATES = (0.008, 0.35, 0.38, 0.5)
FOUR = Pins(
    pins=tuple(Pin(name, replace(BASE, learning_rate=rate)) for name, rate in zip("abcd", RATES, strict=True))
)


def compared(pins: Pins = FOUR, **query: str) -> LessonPage:
    return LessonPage("compare", **pins.to_query(), **query)


def pins_of(page) -> Pins:
    found, sentences = Pins.from_query(page.query)
    assert not sentences
    return found


def cells(page, title: str) -> list[str]:
    """A line of the table, as text."""
    (row,) = re.findall(rf"<tr><th scope=\"row\">{re.escape(title)}.*?</tr>", page.words)
    return [re.sub("<.*?>", "", cell) for cell in re.findall(r"<td.*?>(.*?)</td>", row)]


def exact(page, title: str) -> list[str]:
    """The same with all digits, as they are told where the pointer rests."""
    (row,) = re.findall(rf"<tr><th scope=\"row\">{re.escape(title)}.*?</tr>", page.words)
    row = re.sub(r"<span title=\"(.*?)\">.*?</span>", r"\1", row)
    return [re.sub("<.*?>", "", cell) for cell in re.findall(r"<td.*?>(.*?)</td>", row)]


def table_of(element, name: str) -> pa.Table:
    (blob,) = [dataset.data.data for dataset in element.datasets if dataset.name == name]
    return pa.ipc.open_stream(io.BytesIO(blob)).read_all()


# ------------------------------------------------------------------------------------------------------------ Compare


def test_an_explosion_is_watched():
    """A pinned run that is gone at its first epoch plays three, and its record still ends before the bound."""
    gone = replace(BASE, learning_rate=1000.0)
    page = compared(Pins(pins=(Pin("gone", gone), Pin("too", replace(gone, learning_rate=2000.0)))))
    assert page.player["last"] == 3
    assert cells(page, "Outcome")[:2] == 2 * ["diverged at epoch 1"]
    rmse = page.player["table"]["r0"].to_numpy()
    assert rmse[[0]] == pytest.approx(record(gone).epoch_rmse.numpy(), rel=1e-6)
    assert (np.diff(np.log(rmse)) > 5).all()


def test_the_empty_page_says_what_to_do_and_offers_an_example():
    """Without pins: one sentence of what to do, no chart; one click later four rates around the limit, in the address."""
    page = LessonPage("compare")
    assert "Nothing is pinned yet" in page.words
    assert page.query == {}
    assert not page.charts
    page.press("example_rates")
    found = pins_of(page)
    assert [pin.name for pin in found.pins] == ["Slow", "Best for these epochs", "Overshooting", "Diverging"]
    assert len(page.query["pins"]) <= 2000
    assert len(page.charts) == 3
    assert cells(page, "Outcome")[3].startswith("diverged at epoch")
    assert pins_of(LessonPage("compare", **page.query)) == found


def test_the_table_is_what_the_runs_were():
    """Epochs to the target, final RMSE, outcome and parameters are those of each run, counted here from its recording."""
    page = compared(target="20")
    runs = [record(pin.experiment) for pin in FOUR.pins]
    reached = [np.flatnonzero(run.epoch_rmse.numpy() <= 20) for run in runs]
    expected = [f"{at[0]:,}" if len(at) else "not reached" for at in reached]
    assert cells(page, "Epochs to RMSE 20")[:4] == expected
    assert "not reached" in expected
    assert cells(page, "Learning rate η")[:4] == [str(rate) for rate in RATES]
    finals = [float(cell.replace("−", "-")) for cell in exact(page, "Final RMSE")[:4]]
    assert finals == pytest.approx([float(run.epoch_rmse[-1]) for run in runs], rel=1e-5)
    assert cells(page, "Final RMSE")[:3] == [f"{final:#.4g}" for final in finals[:3]]
    # Alike, so not told.
    assert not re.search('scope="row">(Update rule|Epochs|Points|Momentum)<', page.words)
    assert page.query["target"] == "20"


def test_runs_at_the_floor_are_equal_and_rounding_has_no_winner():
    """Of the seven rules six end within 0.005 % of NumPy's least squares: none is called lowest, the first to stay there is named."""
    page = LessonPage("compare").press("example_rules")
    pins = pins_of(page).pins
    t, y = (column.numpy()[:, 0] for column in (build(BASE).dataset.x, build(BASE).dataset.y))
    floor = np.sqrt(np.mean((np.polyval(np.polyfit(t, y, 2), t) - y) ** 2))
    away = [record(pin.experiment).epoch_rmse.numpy() > floor * (1 + 5e-5) for pin in pins]
    since = [int(np.flatnonzero(one)[-1]) + 1 for one in away]
    there = [place for place, epoch in enumerate(since) if epoch <= pins[0].experiment.epochs]
    first = min(there, key=since.__getitem__)
    assert len(there) == 6
    assert page.player["summary"].startswith(
        f"Six of seven runs are at the floor, RMSE 1.46727; first there: run {first + 1}, {pins[first].name}, "
        f"at epoch {since[first]}. "
    )
    said = [page.player["templates"][row] for row in page.player["table"]["template"]]
    assert said[-1] == "Epoch {epoch}: six of seven runs are at the floor."
    assert said[5].startswith("Epoch {epoch}: lowest is run ")
    gaps = cells(page, "Gap to the optimum")
    assert gaps.count("0 up to rounding") == sum(run_gap(pin) < 1e-16 * floor**2 for pin in pins) > 1


def run_gap(pin):
    """½ eᵀHe at the end, with e from NumPy's least squares."""
    problem, recording = build(pin.experiment), record(pin.experiment)
    features = problem.linear.features.numpy()
    best = np.linalg.lstsq(features, problem.linear.target.numpy())[0]
    return float(np.mean((features @ (recording.epoch_theta[-1].numpy() - best)) ** 2))


def test_how_the_rates_of_the_rules_were_chosen_is_said_of_them_alone():
    """Also of the link that they make; not of one whose rate was changed, nor of other runs."""
    told = "known only in hindsight"
    page = LessonPage("compare").press("example_rules")
    assert told in captions(page)
    assert told in captions(LessonPage("compare", **page.query))
    pins = list(pins_of(page).pins)
    pins[2] = Pin(pins[2].name, replace(pins[2].experiment, learning_rate=0.01))
    assert told not in captions(compared(Pins(pins=tuple(pins))))
    assert told not in captions(compared())


def captions(page):
    return " ".join(element.value for element in page.at.caption)


def test_schedules_losses_and_penalties_are_told_apart_in_words():
    """A schedule in words, Huber's δ of Huber's loss alone."""
    base = Experiment(scale_features=True, learning_rate=0.3, epochs=60)
    others = [
        replace(base, schedule="step:20:0.5", warmup=5),
        replace(base, schedule="cosine:0:0.01", batch_size=4, counted_in="updates"),
        replace(base, loss="huber", delta=0.1, penalty=0.1),
    ]
    found = {name: [worded(one, name) for one in (base, *others)] for name in differing((base, *others))}
    told = ["constant", "× 0.5 every 20 epochs", "a cosine down to 1 % of it", "constant"]
    assert found["schedule"] == told
    assert found["warmup"] == ["0", "5", "0", "0"]
    assert found["delta"] == ["–", "–", "–", "0.1"]
    assert found["penalty"] == ["0", "0", "0", "0.1"]
    assert "delta" not in differing((base, replace(base, delta=0.3)))


def test_held_out_rows_have_a_line_of_their_own():
    """Where a run holds rows out, their RMSE at the end, as its recording has it; and the others say that they do not."""
    split = [replace(one.experiment, holdout=0.3, split_seed=4) for one in FOUR.pins[:2]]
    page = compared(Pins(pins=(Pin("a", split[0]), Pin("b", split[1]), FOUR.pins[2])))
    found = exact(page, "Held-out RMSE at the end")
    expected = [float(record(one).epoch_held_out_rmse[-1]) for one in split]
    assert [float(cell) for cell in found[:2]] == pytest.approx(expected, rel=1e-5)
    assert found[2] == "none held out"
    assert "Held-out RMSE" not in compared().words


def test_many_parameters_have_a_list_for_each_axis():
    """Of seven features any two, in either order, in the address; the same one twice makes the two change places."""
    generator = np.random.default_rng(4)
    wide = Table.of({name: generator.normal(size=9).round(2) for name in "abcdefgy"})
    query = {
        "dataset": "table",
        "table": wide.key,
        "target": "y",
        "features": "a,b,c,d,e,f,g",
        "epochs": "30",
    }
    experiment, sentences = Experiment.from_query(query)
    assert sentences == []
    page = compared(Pins(pins=(Pin("wide", experiment),)))
    assert not [one for one in page.at.get("segmented_control") if one.key == "compare axes"]
    lists = {letter: page.at.selectbox(f"compare axes {letter}") for letter in "xy"}
    assert [lists[letter].value for letter in "xy"] == [0, 1]
    assert lists["x"].options == ["w₁", "w₂", "w₃", "w₄", "w₅", "w₆", "w₇", "b"]
    lists["x"].set_value(6)
    page.run()
    assert page.query["axes"] == "6,1"
    run = record(experiment)
    ends = [table_of(page.charts[1], "run")[name].to_pylist()[-1] for name in ("u0", "v0")]
    assert ends == pytest.approx([float(run.epoch_theta[-1, i]) for i in (6, 1)], rel=1e-5)
    page.at.selectbox("compare axes y").set_value(6)
    page.run()
    assert page.query["axes"] == "1,6"
    again = compared(Pins(pins=(Pin("wide", experiment),)), axes="1,6")
    assert [again.at.selectbox(f"compare axes {letter}").value for letter in "xy"] == [1, 6]

    lab = Lab(**query, axes="w₃,w₁")
    assert [lab.at.selectbox(f"axes {letter}").value for letter in "xy"] == [2, 0]
    lab.at.selectbox("axes y").set_value(7)
    lab.run()
    assert lab.query["axes"] == "w₃,b"


def test_rename_reorder_remove_are_in_the_address():
    """Each change is in the link at once, and nothing else changes; the name is shown as text, whatever it is."""
    page = compared()
    page.at.text_input("compare name 1").set_value("<script>alert(1)</script> {epoch} *x*")
    page.run()
    assert "<script>" not in page.words
    assert "&lt;script&gt;" in page.words
    assert pins_of(page).pins[1].name == "<script>alert(1)</script> {epoch} *x*"
    assert all("{epoch} *x*" not in one for one in page.player["templates"])
    page.press("compare Down 0").press("compare Remove 3")
    assert pins_of(page) == FOUR.renamed(1, "<script>alert(1)</script> {epoch} *x*").moved(0, 1).without(3)
    page.press("compare Remove 0").press("compare Remove 0").press("compare Remove 0")
    assert page.query == {}
    assert "Nothing is pinned yet" in page.words


def test_a_broken_link_opens_what_can_be_read():
    """A cut link: one sentence, the runs before the cut, and an address that is whole again."""
    text = packed(FOUR.pins)
    page = LessonPage("compare", pins=text[:-8])
    (sentence,) = page.complaints
    assert "cut or changed. 4 of its runs could be read." in sentence or "3 of its runs" in sentence
    assert set(pins_of(page).pins) <= set(FOUR.pins)
    (sentence,) = LessonPage("compare", pins="1.abc").complaints
    assert "None of its runs could be read." in sentence


def test_a_bad_target_is_said_and_changes_nothing():
    """One sentence under the field; the runs and their table stay."""
    page = compared().type(target="low")
    (sentence,) = page.complaints
    assert sentence.startswith("Target RMSE must be auto or a number between")
    assert "target" not in page.query
    assert pins_of(page) == FOUR


def test_runs_of_other_data_are_told_apart():
    """Two problems: one map and fit at a time, the other chosen by a button; what cannot be compared says so."""
    other = Experiment.default("two-features")
    page = compared(FOUR.with_one(replace(other, epochs=40), "plane"))
    assert "Not all runs fit the same data" in page.words
    assert cells(page, "Epochs to")[4] == "other data"
    assert cells(page, "Data set")[3:5] == ["Noisy quadratic", "Two features"]
    assert cells(page, "Parameters at the end")[4].startswith("w₁ = ")
    assert table_of(page.charts[1], "ghosts")["ghost"].to_pylist() == [0, 1, 2, 3]
    page = compared(FOUR.with_one(replace(other, epochs=40), "plane"), shown="5")
    assert table_of(page.charts[1], "ghosts")["ghost"].to_pylist() == [4]
    assert page.charts[2].spec.count("predicted") >= 1


def test_a_long_run_is_trained_in_slices():
    """20,000 epochs of the loop do not come at once; the page is there meanwhile, and the end is that of the run in one go."""
    experiment = replace(BASE, learning_rate=1e-5, epochs=20_000, engine="loop")
    page = compared(FOUR.with_one(experiment, "long"))
    assert "Still in training: 5" in page.words
    assert not page.player["complete"]
    for _ in range(200):
        if page.player["complete"]:
            break
        page.run()
    assert page.player["complete"]
    assert len(page.player["table"]) < 1100
    end = float(exact(page, "Final RMSE")[4])
    assert end == pytest.approx(float(record(experiment).epoch_rmse[-1]), rel=1e-5)
    assert "only some are drawn" in " ".join(element.value for element in page.at.caption)


def test_a_link_of_short_runs_does_not_train_them_all_at_once():
    """Eight that the loop trains for 3,000 updates each: two with the page, the others in slices, and all of them in the end."""
    adam = Experiment.default(optimizer="adam")
    runs = [replace(adam, learning_rate=rate / 977, epochs=3000) for rate in range(1, MOST + 1)]
    page = compared(Pins(pins=tuple(Pin(str(place), run) for place, run in enumerate(runs))))
    kept = live_runs.shelves(adam).summaries
    assert [run for run in runs if kept.get(run)] == runs[:2]
    for _ in range(400):
        page.run()
        if all(map(kept.get, runs)):
            break
    assert [kept.get(run).epochs for run in runs] == [3000] * MOST


def test_every_run_opens_on_train():
    """A link for each run, with exactly its experiment and the others beside it."""
    links = [query for _, page, query in compared().links if page.endswith("train")]
    links = links or [query for _, _, query in compared().links]
    assert [Experiment.from_query(query)[0] for query in links] == [pin.experiment for pin in FOUR.pins]
    assert {query["pins"] for query in links} == {packed(FOUR.pins)}


# -------------------------------------------------------------------------------------------------------------- Train


def charts_of(lab):
    return [element.proto for element in lab.at.get("vega_lite_chart")]


def words_of(lab):
    return " ".join(element.proto.body for element in lab.at.get("html"))


@pytest.mark.parametrize("intercept", [True, False])
def test_parameters_are_told_in_raw_units_with_a_scaled_target(intercept):
    """At the end and at the optimum, beside each other and in a list: those of NumPy's line through the raw rows."""
    fields = {"dataset": "table", "table": "cars", "target": "distance (ft)", "features": "speed (mph)", "epochs": "400"}  # fmt: skip
    scaled = {"scale_features": "true", "scale_target": "true", "intercept": str(intercept).lower(), "learning_rate": "0.4"}  # fmt: skip
    first = Experiment.from_query(fields | scaled)[0]
    rows = build(first).dataset
    x, y = rows.x[:, 0].numpy(), rows.y[:, 0].numpy()
    columns = np.stack([x, np.ones_like(x)][: 1 + intercept], 1)
    line = np.linalg.lstsq(columns, y, rcond=None)[0]
    assert not intercept or line == pytest.approx(
        [3.932409, -17.579095], rel=1e-6
    )  # as published with the rows
    two = Pins(pins=(Pin("a", first), Pin("b", replace(first, learning_rate=0.45))))
    page = compared(two)
    for name, value in zip(("w₁ (speed, mph)", "b"), line, strict=False):
        told = [float(cell.replace("−", "-")) for cell in exact(page, f"{name} at the end")]
        assert told == pytest.approx(3 * [value], rel=1e-5)
    wave = replace(first, model="sine", intercept=True, learning_rate=0.1, epochs=10)
    listed = cells(compared(Pins(pins=(Pin("a", first), Pin("w", wave)))), "Parameters at the end")[0]
    assert f"w₁ (speed, mph) = {line[0]:.6g}"[:-1] in listed
    if intercept:
        assert f"b = −{-line[1]:.6g}"[:-1] in listed


def test_a_pinned_run_is_a_light_line_beside_the_next():
    """Pin, change the rate, train: fit, map and error hold the pinned run; the address holds it; unpin takes it away."""
    first = replace(BASE, learning_rate=0.008)
    lab = Lab(**first.to_query()).press("train").press("pin")
    assert Pins.from_query(lab.query)[0].pins == (Pin("Gradient descent 0.008", first),)
    lab.type(learning_rate="0.3").press("train")
    fit, on_map, error = charts_of(lab)[:3]
    run = record(first)
    rmse = np.array(table_of(error, "run")["r0"])
    assert rmse == pytest.approx(run.epoch_rmse.numpy(), rel=1e-6)
    assert np.array(table_of(on_map, "run")["u0"]) == pytest.approx(run.epoch_theta[:, 0].numpy(), rel=1e-5)
    assert table_of(fit, "run").num_rows == 61
    assert (lab.player["table"]["pin0"] == run.epoch_rmse.numpy().astype(np.float32)).all()
    assert "Gradient descent 0.008" in words_of(lab)
    lab.press("pin_remove_0") if "pin_remove_0" in [b.key for b in lab.at.button] else lab.type(learning_rate="0.008").press("train").press("pin")  # fmt: skip
    assert "pins" not in lab.query
    assert all("ghosts" not in [one.name for one in chart.datasets] for chart in charts_of(lab))


def test_a_link_with_pins_opens_train_with_them():
    """The teacher's link: settings and pinned runs in one address; a broken one says so and the settings are there."""
    lab = Lab(**BASE.to_query(), **FOUR.to_query())
    assert lab.at.session_state[key(session.Pinned)].pins == FOUR
    assert len(table_of(charts_of(lab)[2], "ghosts")) == 4
    lab = Lab(**BASE.to_query(), pins="1.abc")
    (sentence,) = lab.complaints
    assert "None of its runs could be read." in sentence
    assert lab.experiment == BASE


def test_going_back_unpins_and_coming_from_a_lesson_does_not():
    """An address from before the pin takes it off; a menu that drops the address keeps it."""
    first = replace(BASE, learning_rate=0.008)
    lab = Lab(**first.to_query()).press("train").press("pin")
    with_pin = lab.query
    assert "pins" not in lab.follow(first.to_query()).query
    assert lab.follow(with_pin).query == with_pin
    lab.at.switch_page("pages/compare.py").run()
    assert lab.query["pins"] == with_pin["pins"]
    lab.at.switch_page("pages/train.py").run()
    assert lab.query["pins"] == with_pin["pins"]


def test_the_ninth_run_is_refused_in_one_sentence():
    """Eight are pinned; the ninth gets a sentence, and the eight stay."""
    eight = Pins(pins=tuple(Pin(str(n), replace(BASE, learning_rate=n * 1e-3)) for n in range(1, MOST + 1)))
    lab = Lab(**BASE.to_query(), **eight.to_query()).press("train").press("pin")
    assert any("at most 8 runs" in one.replace("\\", "") for one in lab.markdown_of_complaints)
    assert Pins.from_query(lab.query)[0] == eight


def test_what_cannot_be_compared_is_said():
    """Other data is not drawn; scaled features are drawn by fit and error, not on the map. Each with its reason."""
    pins = Pins(
        pins=(
            Pin("noisier", replace(BASE, noise=9.0)),
            Pin("not scaled", replace(BASE, scale_features=False, learning_rate=1e-5)),
        )
    )
    lab = Lab(**BASE.to_query(), **pins.to_query())
    words = words_of(lab)
    assert "Run 1 is not on these charts: other data." in words
    assert "Run 2 is not on the landscape: scaled features have other coordinates." in words
    fit, on_map, error = charts_of(lab)[:3]
    assert table_of(error, "ghosts")["ghost"].to_pylist() == [1]
    assert table_of(fit, "ghost_labels")["ghost"].to_pylist() == [1]
    assert "ghosts" not in [one.name for one in on_map.datasets]


def test_of_several_features_a_pinned_run_is_said_to_be_a_straight_line():
    """Its points are not drawn: the panel's note and the charts' texts say what is."""
    plane = Experiment.default("two-features")
    two = Pins(pins=(Pin("a", replace(plane, epochs=40)), Pin("b", replace(plane, epochs=60))))
    lab = Lab(**plane.to_query(), **two.to_query())
    assert "pinned runs as their straight trends" in words_of(lab)
    agreement, *along = [chart.alt for chart in charts_of(lab)[:3]]
    assert "the trend of predicted over actual values of each of the pinned runs 1, 2." in agreement
    assert all("the fitted line of each of the pinned runs 1, 2." in text for text in along)
    assert "straight" not in words_of(Lab(**plane.to_query()))


def test_pins_too_long_for_train_stay_out_of_its_address(monkeypatch):
    """The session and Compare's link keep them; Train's link stays short and its page says where they are."""
    monkeypatch.setattr(session, "LONGEST_ON_TRAIN", 50)
    first = replace(BASE, learning_rate=0.008)
    lab = Lab(**first.to_query()).press("train").press("pin")
    assert "pins" not in lab.query
    assert len(lab.at.session_state[key(session.Pinned)].pins.pins) == 1
    lab.at.switch_page("pages/compare.py").run()
    assert Pins.from_query(lab.query)[0].pins[0].experiment == first


def test_a_run_that_was_stopped_is_pinned_as_far_as_it_went():
    """What was seen is what is pinned: the epochs that were trained, not those that were planned."""
    lab = (
        Lab(**replace(BASE, epochs=1_000_000, learning_rate=1e-4, engine="loop").to_query())
        .press("train")
        .press("stop")
    )
    done = lab.player["last"]
    lab.press("pin")
    assert Pins.from_query(lab.query)[0].pins[0].experiment.epochs == done
    assert json.loads(json.dumps(lab.query))
