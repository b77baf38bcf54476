"""The Train page without a browser: what each press and each typed value leaves on it."""

import re
from dataclasses import replace
from fractions import Fraction
from types import SimpleNamespace
from urllib.parse import unquote_plus

import numpy as np
import pytest
from train_page import Lab

from gd_core.lessons.glossary import ENTRIES
from gd_core.outcome import Outcome, Trained, outcome
from gd_core.problem import build
from gd_core.recorder import record
from gd_core.settings.catalog import DATASET_INFO
from gd_core.settings.engines import ENGINE_NOTE, SHORT_UPDATES
from gd_core.settings.examples import EXAMPLES, OPENING
from gd_core.settings.experiment import Experiment, defaults
from gd_core.settings.experiment_fields import FIELDS
from gd_core.settings.rules import OPTIMIZER_INFO
from gd_core.tables.reading import read
from gd_core.tables.table import keep
from gd_core.theory import parabola_of
from pages.ui.charts.model import NEVER
from pages.ui.look import formulas, session
from pages.ui.player import live_runs
from pages.ui.settings import form

# ------------------------------------------------------------------------------------------------ first state


def test_the_first_visit_shows_a_start_that_waits():
    """Three charts, the model's formula, Train, Reset and New start; nothing is trained and nothing is wrong."""
    lab = Lab()
    assert len(lab.charts) == 3
    assert formulas.html(r"\hat y = a\,t^2 + b\,t + c") in lab.html
    assert lab.buttons == ["Train", "Reset", "New start"]
    assert (lab.player["trained"], lab.player["complete"], lab.player["last"]) == (False, False, 0)
    assert lab.complaints == []
    assert lab.player["note"] == ""


def test_a_bare_address_is_the_opening_example():
    """A link that is copied at once leads to what is on the page, and Back does not lead to it twice."""
    lab = Lab()
    assert lab.query == {}
    assert lab.text("learning_rate") == "0.01"
    lab.type(learning_rate="0.02")
    assert lab.experiment == replace(OPENING.experiment, learning_rate=0.02)
    assert lab.follow({}).query == {}
    assert lab.text("learning_rate") == "0.01"


def test_every_chart_has_a_text_without_numbers():
    """A chart is described in words that stay true when the run changes."""
    texts = [chart.alt for dataset in DATASET_INFO for chart in Lab(dataset=dataset).charts]
    assert len(texts) >= 9
    for text in texts:
        assert len(text.split()) > 5
        assert not re.search(r"[0-9]", text)


def test_the_words_beside_the_numbers_lead_to_their_cards():
    """Gradient, RMSE and loss, and the floor once it is told, each to the glossary's card that says the word."""
    lab = Lab()
    for words in (["gradient", "RMSE", "loss"], ["gradient", "RMSE", "floor", "loss"]):
        links = re.findall(r'<a href="glossary\?q=([^"]+)" target="_blank">([^<]+)</a>', lab.html)
        assert [word for _, word in links] == words
        for query, word in links:
            (card,) = (one for one in ENTRIES if one.term == unquote_plus(query))
            assert word.lower() in (card.term + card.answer).lower()
        lab.press("train")


# ------------------------------------------------------------------------------------------------ the attempt first


def answer_from(lab):
    """From which epoch on each chart draws the optimum; of a chart that has the floor, whether its number has been sent."""
    frames = [lab.table(number, "frame").to_pylist()[0] for number in range(len(lab.charts))]
    for frame in frames:
        if frame.get("floor_label") is not None:
            assert (frame["floor_label"] != "") == (frame["answer_from"] < NEVER)
    (found,) = {frame["answer_from"] for frame in frames if "answer_from" in frame}
    return found


def test_the_attempt_comes_before_the_answer():
    """Nothing of the optimum before the first run; with its verdict, at its last epoch, it comes; then it is known."""
    lab = Lab()
    assert answer_from(lab) == NEVER
    assert "floor" not in lab.html.partition("Formula and numbers")[2].partition("loss")[0]
    lab.press("train")
    assert answer_from(lab) == OPENING.experiment.epochs
    assert answer_from(lab.press("train")) == 0
    assert answer_from(lab.press("reset")) == 0
    assert answer_from(lab.type(learning_rate="0.3")) == 0
    assert answer_from(lab.press("new_start")) == 0
    lab.choose("dataset", "two-features")
    assert answer_from(lab) == NEVER


def test_another_problem_has_another_answer():
    """Other rows or another loss wait for an attempt of their own; other units of the same rows do not."""
    lab = Lab(dataset="two-features", epochs="7").press("train")
    assert answer_from(lab.press("train")) == 0
    for changes in ({"points": "31"}, {"noise": "2"}, {"data_seed": "5"}, {"loss": "mse-broadcast"}):
        assert answer_from(lab.follow({"dataset": "two-features", "epochs": "7"} | changes)) == NEVER
    assert answer_from(lab.follow({"dataset": "two-features", "epochs": "7", "scale_features": "true"})) == 0


def test_a_long_run_is_answered_when_it_is_complete():
    """While its epochs still come nobody knows its end; then the answer waits for the player to get there."""
    lab = Lab(dataset="noisy-quadratic", epochs="60000", engine="loop").press("train")
    assert not lab.player["complete"]
    assert answer_from(lab) == NEVER
    lab.press("stop")
    assert answer_from(lab) == lab.player["last"]


# ------------------------------------------------------------------------------------------------ Train


def test_train_puts_the_run_on_stage():
    """The player gets the whole run, and its numbers are those of the core, epoch by epoch."""
    lab = Lab(**Experiment.default().to_query()).press("train")
    player = lab.player
    assert (player["trained"], player["complete"], player["play"], player["last"]) == (True, True, True, 1000)
    expected = record(Experiment.default()).epoch_rmse.numpy().astype(np.float32)
    assert (player["table"]["rmse"].to_numpy() == expected).all()
    assert player["summary"]
    assert lab.table(0, "run").num_rows == 1001


def test_another_press_of_train_is_another_take():
    """The same settings again: a new name for the player to start from, and the same numbers."""
    lab = Lab().press("train")
    first = lab.player
    second = lab.press("train").player
    assert first["id"] != second["id"]
    assert second["play"]
    assert first["table"].equals(second["table"])


def test_changed_settings_keep_the_run_and_say_so():
    """The run stays as it was trained, beside a sentence; with the old settings back, the sentence is gone."""
    lab = Lab().press("train")
    trained = lab.player
    changed = lab.type(learning_rate="0.02").player
    assert "changed" in changed["note"]
    assert "Train" in changed["note"]
    assert changed["id"] == trained["id"]
    assert changed["table"].equals(trained["table"])
    assert lab.experiment.learning_rate == 0.02
    assert lab.type(learning_rate="0.01").player["note"] == ""


def test_a_rate_typed_just_before_train_is_trained():
    """Field and button in the same run of the page: the new rate moves the very first step."""
    lab = Lab(**Experiment.default().to_query())
    lab.set(learning_rate="2e-5").press("train")
    table = lab.player["table"]
    slow = record(Experiment.default())
    step = float(slow.theta[1, 0] - slow.theta[0, 0])
    assert table["p0"][1] - table["p0"][0] == pytest.approx(2 * step, rel=1e-5)
    assert lab.experiment.learning_rate == 2e-5
    assert lab.player["note"] == ""


@pytest.mark.parametrize("batch_size", [0, 1, 7])
@pytest.mark.parametrize("optimizer", OPTIMIZER_INFO)
def test_every_update_rule_trains_with_every_kind_of_batch(optimizer, batch_size):
    """All rows, single rows and mini-batches of 7 of 20: the error falls, and ends as the core says."""
    if batch_size and OPTIMIZER_INFO[optimizer].over_curvature:
        return  # test_newton has the sentence
    rate = {"adagrad": 1.0, "rmsprop": 0.1, "adam": 0.1, "adamw": 0.1}.get(optimizer, 2e-4)
    experiment = Experiment(
        **defaults("noisy-quadratic", optimizer)
        | {"scale_features": True, "learning_rate": rate, "epochs": 12, "batch_size": batch_size}
    )
    lab = Lab(**experiment.to_query())
    assert lab.complaints == []
    player = lab.press("train").player
    rmse = player["table"]["rmse"].to_numpy()
    assert (player["trained"], player["last"]) == (True, 12)
    assert (rmse == record(experiment).epoch_rmse.numpy().astype(np.float32)).all()
    assert rmse[-1] < rmse[0]


FIRST_WORDS = {
    Outcome.CONVERGED: "As good as this curve gets", Outcome.DESCENDING: "Still descending", Outcome.OVERSHOOTING: "Overshooting",
    Outcome.HOVERING: "Hovering", Outcome.GROWING: "Growing", Outcome.DIVERGED: "Diverged",
    Outcome.EARLY: "Stopped early", Outcome.STILL: "Standing still",
}  # fmt: skip


@pytest.mark.parametrize("number", range(len(EXAMPLES)), ids=[example.title for example in EXAMPLES])
def test_every_example_loads_and_trains(number):
    """A press puts the example in widgets and address without a complaint; Train runs it, to the outcome that the core finds."""
    example = EXAMPLES[number].experiment
    lab = Lab().press(f"example_{number}")
    assert lab.experiment == example
    assert not lab.player["trained"]
    assert float(Fraction(lab.text("learning_rate"))) == example.learning_rate
    assert lab.at.selectbox("w_dataset").value == example.dataset
    assert lab.complaints == []
    player = lab.press("train").player
    assert player["trained"]
    assert player["complete"]
    assert player["planned"] == example.epochs
    assert player["last"] == record(example).epochs
    assert player["note"] == (EXAMPLES[number].reason if number else "")
    problem = build(example)
    found = outcome(record(example), parabola_of(example, problem.objective), Trained.of(example, problem))
    first = FIRST_WORDS[found.outcome]
    if example.penalty and found.outcome is Outcome.CONVERGED:  # a larger error has the lower loss
        first = "The loss is as low as it gets"
    if (
        example.loss == "huber" or found.here
    ) and found.outcome is Outcome.CONVERGED:  # its lowest loss is not the lowest RMSE
        first = "Converged at epoch"
    assert player["summary"].startswith(first)


def test_a_diverging_run_offers_rates_that_do_not_diverge():
    """At its end there are two rates; trained with either, the error is lower at the end than at the start."""
    lab = Lab(**(Experiment.default().to_query() | {"learning_rate": "5e-5"})).press("train")
    assert "Diverged" in lab.player["summary"]
    offers = lab.player["offers"]
    assert len(offers) == 2
    for offer in offers:
        rmse = lab.type(learning_rate=repr(offer["rate"])).press("train").player["table"]["rmse"]
        assert rmse.iloc[-1] < rmse.iloc[0]


def test_an_explosion_is_watched():
    """Three epochs are played of a run that is gone at its first, with the curve off the chart and a map that grows; the
    verdict names the first, and what is taken along ends where the run has diverged, as the command line has it."""
    lab = Lab(**(Experiment.default().to_query() | {"learning_rate": "1"})).press("train")
    player = lab.player
    assert player["summary"].startswith("Diverged at epoch 1:")
    assert (player["last"], player["complete"]) == (3, True)
    rmse = player["table"]["rmse"].to_numpy()
    assert (np.diff(np.log(rmse)) > 5).all()
    assert lab.table(0, "run")["off"].to_pylist()[0] == 0
    assert abs(lab.table(0, "run")["off"].to_numpy()[1:]) == pytest.approx(rmse[1:], rel=1e-6)
    assert (np.diff(lab.table(1, "run")["zoom"].to_numpy()) > 0).all()
    assert record(lab.experiment).epochs == 0
    run = live_runs.as_run(lab.experiment, None)[0]
    shown = live_runs.to_watch(replace(run, recording=record(lab.experiment)))
    assert shown.recording.epochs == 3


def test_a_run_that_has_arrived_asks_what_happens_above_the_limit():
    """One rate, some 5 % above 2/λ of NumPy's largest eigenvalue; with it the error is larger at the end than at the start."""
    lab = Lab().press("train")
    (offer,) = lab.player["offers"]
    assert offer["label"].startswith("What happens just above the limit?")
    features = build(lab.experiment).linear.features.numpy()
    limit = 2 / np.linalg.eigvalsh(2 / len(features) * features.T @ features).max()
    assert 1.04 * limit < offer["rate"] <= 1.05 * limit
    rmse = lab.type(learning_rate=repr(offer["rate"])).press("train").player["table"]["rmse"]
    assert rmse.iloc[-1] > rmse.iloc[0]


# ------------------------------------------------------------------------------------------------ what is kept


def test_another_data_set_shows_its_own_start_and_going_back_finds_the_run():
    """Two features wait untrained with their own charts; the noisy quadratic's run is there again, and rests."""
    lab = Lab(**Experiment.default().to_query()).press("train")
    trained = lab.player
    lab.choose("dataset", "two-features")
    assert not lab.player["trained"]
    assert lab.experiment == Experiment.default("two-features")
    assert formulas.html(r"\hat y = w_1 x_1 + w_2 x_2 + b") in lab.html
    assert len(lab.charts) == 5
    back = lab.choose("dataset", "noisy-quadratic").player
    assert back["trained"]
    assert back["table"].equals(trained["table"])


def test_a_run_found_again_rests_at_its_end():
    """Two runs; going back to the first's address shows its numbers, and does not play by itself."""
    lab = Lab().press("train")
    first, query = lab.player, lab.query
    lab.type(learning_rate="0.02").press("train")
    found = lab.follow(query).player
    assert found["table"].equals(first["table"])
    assert found["id"] == first["id"]
    assert not found["play"]
    assert found["from"] == found["last"] == 1000


def test_typing_the_settings_of_an_earlier_run_leaves_the_stage_alone():
    """The run that is shown stays: it may be playing, or about to be continued with just these settings."""
    lab = Lab().press("train")
    second = lab.type(learning_rate="0.02").press("train").player
    still = lab.type(learning_rate="0.01").player
    assert still["id"] == second["id"]
    assert "changed" in still["note"]


def test_reset_keeps_runs_for_going_back():
    """Reset clears the stage, not what going back can find."""
    lab = Lab().press("train")
    first, query = lab.player, lab.query
    lab.choose("dataset", "two-features").press("reset")
    assert lab.follow(query).player["id"] == first["id"]


def test_an_address_still_on_its_way_does_not_undo_what_is_typed():
    """A request sent before the browser heard of the newest address carries an older one; the fields win."""
    lab = Lab(**Experiment.default().to_query())
    older = lab.query
    lab.type(learning_rate="2e-5")
    lab.at.query_params.clear()
    for name, text in older.items():
        lab.at.query_params[name] = text
    lab.type(epochs="111")
    assert lab.text("learning_rate") == "2e-5"
    assert lab.experiment.learning_rate == 2e-5
    assert lab.experiment.epochs == 111


@pytest.mark.parametrize("later", [0, 3600])
def test_an_address_that_comes_late_undoes_nothing(later: float, monkeypatch):
    """A request without a change, sent before the browser heard of the newest addresses, carries one of those before; an hour
    later the same address is one that somebody went to. In the order of what was typed, and as Back has it at once."""
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(form, "time", SimpleNamespace(monotonic=lambda: clock.now))
    lab = Lab(**Experiment.default().to_query())
    first = lab.query
    lab.type(learning_rate="2e-5")
    second = lab.query
    newest = replace(Experiment.default(), learning_rate=2e-5, epochs=111)
    lab.type(epochs="111")
    clock.now = later
    for older in (first, second):
        lab.at.query_params.clear()
        for name, text in older.items():
            lab.at.query_params[name] = text
        lab.run()
        shown = Experiment.from_query(older)[0] if later else newest
        assert float(lab.text("learning_rate")) == shown.learning_rate
        assert lab.text("epochs") == str(shown.epochs)
    assert lab.follow(first).experiment == Experiment.from_query(first)[0]


def test_a_short_run_is_remembered_until_enough_others_came():
    """Of more runs than KEPT_RUNS, the latest are found again and the first is not."""
    lab = Lab(**Experiment.default().to_query())
    rates = [f"{n}e-6" for n in range(1, live_runs.KEPT_RUNS + 2)]
    takes, queries = [], []
    for rate in rates:
        takes.append(lab.type(learning_rate=rate).press("train").player["id"])
        queries.append(lab.query)
    assert len(set(takes)) == len(takes)
    runs = lab.at.session_state[session.key(live_runs.Runs)].kept
    assert [experiment.learning_rate for experiment in runs] == [float(rate) for rate in rates[1:]]
    assert lab.follow(queries[1]).player["id"] == takes[1]
    assert "changed" in lab.follow(queries[0]).player["note"]


def test_a_long_run_is_forgotten_when_another_is_trained(monkeypatch):
    """With more updates than KEPT_UPDATES a run stays only while it is the last."""
    monkeypatch.setattr(live_runs, "KEPT_UPDATES", 1500)
    lab = Lab(**Experiment.default().to_query())
    lab.type(epochs="1600").press("train")
    lab.type(epochs="1500").press("train")
    lab.type(epochs="1400").press("train")
    assert [experiment.epochs for experiment in lab.at.session_state[session.key(live_runs.Runs)].kept] == [
        1500,
        1400,
    ]
    query = Experiment(epochs=1600).to_query()
    assert "changed" in lab.follow(query).player["note"]
    assert lab.follow(query | {"epochs": "1500"}).player["last"] == 1500


def test_two_visitors_do_not_see_each_others_runs():
    """A run on one page is not on the other, though both share what was computed."""
    one, other = Lab(), Lab()
    one.press("train")
    assert one.player["trained"]
    assert not other.run().player["trained"]


# ------------------------------------------------------------------------------------------------ long runs


def test_a_long_run_streams_and_stop_keeps_what_is_there():
    """While it trains there is Stop instead of Reset; each run of the page brings more; Stop ends it there."""
    lab = Lab(**(Experiment.default().to_query() | {"epochs": "1000000", "engine": "loop"})).press("train")
    assert lab.buttons == ["Train", "Stop", "New start"]
    first = lab.player
    assert first["trained"]
    assert not first["complete"]
    assert first["planned"] == 1_000_000
    second = lab.run().player
    assert second["last"] > first["last"] > 0
    assert second["id"] == first["id"]
    lab.press("stop")
    assert lab.buttons == ["Train", "Reset", "New start"]
    stopped = lab.player
    assert stopped["complete"]
    assert second["last"] <= stopped["last"] < 1_000_000
    assert "Stopped at epoch" in stopped["summary"]
    assert (stopped["table"]["rmse"][: len(first["table"]) - 1] == first["table"]["rmse"][:-1]).all()
    assert lab.run().player["last"] == stopped["last"]


def test_a_long_run_along_the_eigenvectors_is_there_at_once():
    """A million epochs after one press, without Stop; the page says how, and offers the loop, which the address then asks for."""
    lab = Lab(**(Experiment.default().to_query() | {"epochs": "1000000"})).press("train")
    assert lab.buttons == ["Train", "Reset", "New start"]
    assert (lab.player["complete"], lab.player["last"]) == (True, 1_000_000)
    assert len(lab.player["table"]) <= 1001
    assert ENGINE_NOTE in [element.value for element in lab.at.caption]
    assert "engine" not in lab.query
    lab.at.segmented_control("w_engine").set_value("loop")
    lab.run()
    assert lab.query["engine"] == "loop"
    lab.press("train")
    assert lab.buttons == ["Train", "Stop", "New start"]
    lab.press("stop")
    assert ENGINE_NOTE not in [element.value for element in lab.at.caption]


def test_the_engine_is_asked_for_only_where_there_is_a_choice():
    """Not of a short run, nor of one that only the loop can train; and what does not fit is said once."""
    labels = [one.label for one in Lab(epochs="500").at.segmented_control]
    assert "Worked out" not in labels
    lab = Lab(**(Experiment.default().to_query() | {"epochs": "5000", "engine": "spectrum"}))
    assert lab.complaints == []
    assert "Worked out" in [one.label for one in lab.at.segmented_control]
    lab.at.selectbox("w_optimizer").set_value("adam")
    lab.run()
    (sentence,) = lab.complaints
    assert "Engine must be auto or loop with adam" in sentence
    assert lab.experiment.optimizer == "adam"
    assert lab.run().complaints == []
    assert "Worked out" not in [one.label for one in lab.at.segmented_control]


def test_a_long_run_that_is_done_has_no_stop_button():
    """Slices of training reach the end of 4,000 epochs, with the numbers of a run in one go."""
    experiment = Experiment(
        **defaults("noisy-quadratic", "gradient-descent") | {"epochs": SHORT_UPDATES + 1000, "engine": "loop"}
    )
    lab = Lab(**experiment.to_query()).press("train")
    for _ in range(100):
        if lab.player["complete"]:
            break
        lab.run()
    assert lab.buttons == ["Train", "Reset", "New start"]
    table = lab.player["table"]
    expected = record(experiment).epoch_rmse.numpy()[table["epoch"]].astype(np.float32)
    assert (table["rmse"].to_numpy() == expected).all()
    assert table["epoch"].iloc[-1] == experiment.epochs


# ------------------------------------------------------------------------------------------------ Reset, New start


def test_reset_goes_back_to_the_same_start():
    """Nothing is trained any more, and the start and all settings are as they were before Train."""
    lab = Lab().type(learning_rate="0.02")
    before, query = lab.player, lab.query
    lab.press("train").press("reset")
    after = lab.player
    assert not after["trained"]
    assert after["last"] == 0
    assert after["table"].equals(before["table"])
    assert lab.query == query
    assert after["id"] != before["id"]


def test_reset_before_any_run_changes_nothing():
    """There is nothing to clear, and nothing to complain about."""
    lab = Lab()
    query = lab.query
    lab.press("reset")
    assert lab.query == query
    assert not lab.player["trained"]


def test_new_start_draws_another_random_start_each_time():
    """From seed to seed, with the parameters that the core starts from; a run on stage makes room."""
    lab = Lab(**Experiment.default().to_query()).press("train")
    starts = [tuple(lab.player["table"].loc[0, ["p0", "p1", "p2"]])]
    for seed in (1, 2, 3):
        lab.press("new_start")
        assert not lab.player["trained"]
        assert lab.experiment == Experiment(start="random", seed=seed)
        assert lab.text("seed") == str(seed)
        starts.append(tuple(lab.player["table"].loc[0, ["p0", "p1", "p2"]]))
        assert starts[-1] == tuple(
            record(Experiment(start="random", seed=seed, epochs=1)).theta[0].numpy().astype("f4")
        )
    assert len(set(starts)) == 4


def test_new_start_after_the_last_seed_begins_again():
    """2³² − 1 is followed by 0."""
    lab = Lab(seed=str(2**32 - 1)).press("new_start")
    assert lab.text("seed") == "0"
    assert lab.complaints == []


# ------------------------------------------------------------------------------------------------ bad values


BAD = [
    ("learning_rate", "fast", "fast"),
    ("learning_rate", "", "nothing"),
    ("learning_rate", "0", "0."),
    ("learning_rate", "-0.5", "-0.5"),
    ("learning_rate", "nan", "nan"),
    ("learning_rate", "inf", "inf"),
    ("learning_rate", "1,500", "1,500"),
    ("epochs", "0", "0"),
    ("epochs", "10.5", "10.5"),
    ("epochs", "1000001", "1000001"),
    ("batch_size", "-1", "-1"),
    ("batch_size", "21", "21"),
    ("batch_size", "all", "all"),
    ("points", "2", "2"),
    ("points", "10001", "10001"),
    ("noise", "-1", "-1"),
    ("noise", "loud", "loud"),
    ("data_seed", "-7", "-7"),
    ("data_seed", "4294967296", "4294967296"),
    ("seed", "1.5", "1.5"),
    ("seed", "x" * 60, "x" * 39),
    ("momentum", "1", "1."),
    ("alpha", "2", "2."),
    ("beta1", "-0.1", "-0.1"),
    ("beta2", "one", "one"),
    ("epsilon", "0", "0."),
    ("weight_decay", "2", "2."),
]
RULE_WITH = {
    "momentum": "momentum",
    "alpha": "rmsprop",
    "beta1": "adam",
    "beta2": "adam",
    "epsilon": "adagrad",
    "weight_decay": "adamw",
}


@pytest.mark.parametrize(("name", "typed", "quoted"), BAD)
def test_a_bad_value_gets_one_sentence_and_changes_nothing_else(name, typed, quoted):
    """The sentence names the field as its label does, and the value; the text stays as typed, the address the last good experiment."""
    experiment = Experiment.default(optimizer=RULE_WITH.get(name, "gradient-descent"))
    lab = Lab(**experiment.to_query()).type(**{name: typed})
    (sentence,) = lab.complaints
    assert sentence.startswith(f"{lab.at.text_input(f'w_{name}').label} must be ")
    assert f"Got {quoted}" in sentence
    assert lab.text(name) == typed
    assert lab.experiment == experiment
    other = "epochs" if name != "epochs" else "seed"
    lab.type(**{other: "77"})
    assert len(lab.complaints) == 1
    assert lab.experiment == Experiment(**(vars(experiment) | {other: 77}))


SENTENCES = [
    (
        "learning_rate",
        "0",
        "Learning rate η must be a number between 1e-18 and 1,000,000. Got 0. Train waits; the page stays at 0.01.",
    ),
    (
        "learning_rate",
        "-1",
        "Learning rate η must be a number between 1e-18 and 1,000,000. Got -1. Train waits; the page stays at 0.01.",
    ),
    (
        "learning_rate",
        "nan",
        "Learning rate η must be a number between 1e-18 and 1,000,000. Got nan. Train waits; the page stays at 0.01.",
    ),
    (
        "learning_rate",
        "1e308",
        "Learning rate η must be a number between 1e-18 and 1,000,000. Got 1e308. Train waits; the page stays at 0.01.",
    ),
    (
        "learning_rate",
        "fast",
        "Learning rate η must be a number. Got fast. Train waits; the page stays at 0.01.",
    ),
    (
        "learning_rate",
        "",
        "Learning rate η must be a number. Got nothing. Train waits; the page stays at 0.01.",
    ),
    (
        "epochs",
        "0",
        "Epochs must be a whole number between 1 and 1,000,000. Got 0. Train waits; the page stays at 1000.",
    ),
    (
        "epochs",
        "1000000000",
        "Epochs must be a whole number between 1 and 1,000,000. Got 1000000000. Train waits; the page stays at 1000.",
    ),
    ("epochs", "1.5", "Epochs must be a whole number. Got 1.5. Train waits; the page stays at 1000."),
    (
        "seed",
        "-1",
        "Seed must be a whole number between 0 and 4,294,967,295. Got -1. Train waits; the page stays at 0.",
    ),
    (
        "data_seed",
        "18446744073709551616",
        "Data seed must be a whole number between 0 and 4,294,967,295. Got 18446744073709551616. Train waits; the page stays at 2021.",
    ),
    (
        "batch_size",
        "21",
        "Batch size must be at most the 20 rows of the data, or 0 for all. Got 21. Train waits; the page stays at 0.",
    ),
    (
        "points",
        "2",
        "Points must be a whole number between 3 and 10,000. Got 2. Train waits; the page stays at 20.",
    ),
    ("noise", "<b>x</b>", "Noise must be a number. Got <b>x</b>. Train waits; the page stays at 5."),
]


def test_a_share_that_was_typed_is_told_as_one():
    """What the page stays at is 1/18, as it stands in the field, not its 16 digits."""
    lab = Lab().type(learning_rate="1/18").type(learning_rate="fast")
    assert lab.experiment.learning_rate == 1 / 18
    assert lab.complaints == [
        "Learning rate η must be a number. Got fast. Train waits; the page stays at 1/18."
    ]


def test_sentences_about_bad_values_to_the_letter():
    """Field, rule, value and what the page stays at; the other texts and the address stay, and a good value takes it back."""
    lab = Lab()
    fields = {name: lab.text(name) for name, _, _ in SENTENCES}
    for name, typed, sentence in SENTENCES:
        lab.type(**{name: typed})
        assert lab.complaints == [sentence]
        assert {field: lab.text(field) for field in fields} == fields | {name: typed}
        assert lab.query == {}
        assert lab.type(**{name: fields[name]}).complaints == []


@pytest.mark.parametrize("text", ["0.00001", "1e-5", " 1E-05 "])
def test_spellings_of_a_rate(text):
    """They are the same rate, with blanks around it or not."""
    lab = Lab().type(learning_rate=text)
    assert lab.complaints == []
    assert lab.query["learning_rate"] == "1e-05"


def test_a_bad_value_that_is_mended_is_forgotten():
    """The sentence goes, and the new value counts."""
    lab = Lab().type(learning_rate="fast").type(learning_rate="0.5")
    assert lab.complaints == []
    assert lab.experiment.learning_rate == 0.5


def test_each_of_several_bad_values_has_its_sentence():
    """Three fields, three sentences; Train runs nothing else in their place, and what is mended."""
    lab = Lab().type(learning_rate="?", epochs="-3", noise="1e9")
    assert sorted(sentence.split(" must be")[0] for sentence in lab.complaints) == [
        "Epochs",
        "Learning rate η",
        "Noise",
    ]
    assert not lab.press("train").player["trained"]
    assert len(lab.complaints) == 3
    lab.type(learning_rate="1/18", epochs="1,000", noise="0,5").press("train")
    assert lab.complaints == []
    assert (lab.player["trained"], lab.player["last"], lab.query["noise"]) == (True, 1000, "0.5")
    assert float(lab.query["learning_rate"]) == 1 / 18


@pytest.mark.parametrize(
    ("numbers", "quoted"),
    [
        ("1, 2", "Got 2"),
        ("a, b, c", "Got a, b, c"),
        ("1, 2, 1e10", "Got c = 10000000000.0"),
        ("nan,0,0", "a = nan"),
    ],
)
def test_a_start_that_cannot_be_gets_one_sentence(numbers, quoted):
    """Too few numbers, words, and numbers out of range: the start stays at the zeros that the field begins with."""
    lab = Lab(**Experiment.default().to_query())
    lab.choose("start", "numbers").type(numbers=numbers)
    (sentence,) = lab.complaints
    assert sentence.startswith("Start must ")
    assert quoted in sentence
    assert lab.text("numbers") == numbers
    assert lab.experiment == replace(Experiment.default(), start=(0.0, 0.0, 0.0))


def test_numbers_typed_as_a_start_are_the_first_row():
    """With scaled features the table's start, turned back to raw units, is what was typed."""
    lab = Lab()
    lab.choose("start", "numbers").type(numbers="1, -2, 30.5")
    assert lab.experiment.start == (1.0, -2.0, 30.5)
    player = lab.player
    row = player["table"].iloc[0]
    raw = [sum(weight * row[part] for part, weight in player["sums"][f"r{i}"]) for i in range(3)]
    assert raw == pytest.approx([1, -2, 30.5], abs=1e-4)


# ------------------------------------------------------------------------------------------------ links


def test_a_links_settings_arrive_in_the_widgets():
    """Every field of a link that has them all stands in its widget, and the address stays the link."""
    link = {
        "dataset": "noisy-quadratic",
        "points": "31",
        "noise": "2.5",
        "data_seed": "7",
        "loss": "mse-broadcast",
        "optimizer": "adam",
        "learning_rate": "0.25",
        "beta1": "0.8",
        "beta2": "0.95",
        "epsilon": "1e-06",
        "batch_size": "8",
        "scale_features": "true",
        "start": "1.0,2.0,3.0",
        "seed": "11",
        "epochs": "42",
        "axes": "a,c",
    }
    lab = Lab(**link)
    assert lab.complaints == []
    assert lab.query == link
    typed = {
        name: float(Fraction(lab.text(name)))
        for name in link
        if f"w_{name}" in [w.key for w in lab.at.text_input]
    }
    assert typed == {
        name: float(link[name])
        for name in (
            "points", "noise", "data_seed", "learning_rate", "beta1", "beta2", "epsilon", "batch_size", "seed", "epochs",
        )
    }  # fmt: skip
    chosen = {name: lab.at.selectbox(f"w_{name}").value for name in ("dataset", "loss", "optimizer", "start")}
    assert chosen == {
        "dataset": "noisy-quadratic",
        "loss": "mse-broadcast",
        "optimizer": "adam",
        "start": "numbers",
    }
    assert [float(part) for part in lab.text("numbers").split(",")] == [1, 2, 3]
    assert lab.at.toggle("w_scale_features").value is True
    assert lab.at.segmented_control("axes").value == (0, 2)
    assert "over a′ and c′" in lab.charts[1].alt


def test_a_link_that_is_followed_later_replaces_the_widgets():
    """Back in the browser changes the address of a page that is open: its widgets follow."""
    lab = Lab().type(learning_rate="0.5")
    lab.at.query_params.clear()
    for name, text in Experiment.default("one-parameter").to_query().items():
        lab.at.query_params[name] = text
    lab.run()
    assert lab.at.selectbox("w_dataset").value == "one-parameter"
    assert float(lab.text("learning_rate")) == 0.1
    assert lab.experiment == Experiment.default("one-parameter")


def test_links_are_followed_one_after_another():
    """Also after one that led away from numbers of one's own, whose field is gone then."""
    lab = Lab().choose("start", "numbers").follow({})
    assert lab.at.selectbox("w_start").value == "published"
    lab.follow({"epochs": "20"})
    assert lab.experiment == Experiment(epochs=20)


HOSTILE = {
    "dataset": "../../etc/passwd",
    "loss": "<script>alert(1)</script>",
    "optimizer": "sgd",
    "points": "1e9",
    "noise": "nan",
    "data_seed": "-1",
    "learning_rate": "0; drop table",
    "momentum": "99",
    "alpha": "x",
    "beta1": "",
    "beta2": "inf",
    "epsilon": "-inf",
    "epochs": "9" * 400,
    "batch_size": "٣٣٣٣٣٣",
    "scale_features": "yes",
    "start": "1,2,3,4,5",
    "seed": "0x10",
    "before": "250,gradient-descent;",
}


def test_a_hostile_link_gets_one_sentence_for_each_bad_field():
    """Every field broken at once: as many sentences as fields, no exception, and the defaults are shown."""
    lab = Lab(**HOSTILE, axes="a,zzz", unknown="x" * 1000)
    found = [re.match(r"(.+?)(?::| must)", sentence)[1] for sentence in lab.complaints]
    assert sorted(found) == sorted(FIELDS[name].title for name in HOSTILE)
    assert max(map(len, lab.complaints)) < 300
    assert lab.experiment == Experiment.default()
    assert len(lab.charts) == 3
    assert lab.press("train").player["trained"]


LINKS_WITH = {
    "unknown names": ({"dataset": "nothing", "optimizer": "magic", "loss": "none", "unknown": "1"}, 3),
    "numbers": ({"learning_rate": "nan", "epochs": "1e9", "seed": "-1", "data_seed": str(2**64), "noise": "inf"}, 5),
    "words": ({"learning_rate": "fast", "points": "many", "scale_features": "perhaps", "start": "x,y,z"}, 4),
    "code": ({"learning_rate": "<script>alert(1)</script>", "start": "<img src=x onerror=alert(1)>"}, 2),
    "markdown": ({"dataset": "[x](javascript:alert(1)) $$\\frac{1}{0}$$ :red[a]"}, 1),
    "long": ({"learning_rate": "9" * 3000, "start": "1," * 500}, 2),
    "phases": ({"before": ";".join(["1,momentum,1e-05,0.9"] * 50)}, 1),
    "too much": ({"points": "10000", "batch_size": "1", "epochs": "1000000"}, 1),
    "axes": ({"axes": "a,a"}, 0),
    "other axes": ({"axes": "<b>,c,c,c"}, 0),
    "empty": ({"learning_rate": "", "dataset": "", "axes": ""}, 2),
}  # fmt: skip


@pytest.mark.parametrize("kind", LINKS_WITH)
def test_a_hostile_link_gets_sentences(kind):
    """Whatever a link holds: a sentence for each bad value, a sound address afterwards, and Train works."""
    values, sentences = LINKS_WITH[kind]
    lab = Lab(**values)
    assert len(lab.complaints) == sentences
    if lab.experiment.total_epochs * lab.experiment.updates_per_epoch <= 3000:
        assert lab.press("train").player["summary"]


@pytest.mark.parametrize("name", HOSTILE)
def test_one_bad_field_in_a_link_leaves_the_others_as_they_are(name):
    """One sentence that names it; the other fields of the link are followed."""
    good = Experiment(
        **(vars(Experiment.default()) | {"points": 25, "seed": 3, "epochs": 17, "learning_rate": 2e-5})
    )
    lab = Lab(**(good.to_query() | {name: HOSTILE[name]}))
    (sentence,) = lab.complaints
    assert re.match(rf"{re.escape(FIELDS[name].title)}(:| must)", sentence)
    for field in {"points", "seed", "epochs", "learning_rate"} - {name}:
        assert getattr(lab.experiment, field) == getattr(good, field), field


@pytest.mark.parametrize(
    "text",
    [
        "![](https://a.example/b.png)",
        "[x](https://a.example)",
        "$x^2$",
        ":red[x]",
        "**x** _y_ `z`",
        "<b>x</b>",
    ],
)
def test_what_a_link_says_is_quoted_and_not_rendered(text):
    """No picture, link, formula, colour or tag of a stranger: every sign that Markdown knows stands behind a backslash."""
    lab = Lab(dataset=text)
    (sentence,), (markdown,) = lab.complaints, lab.markdown_of_complaints
    assert f"Got {text}" in sentence
    assert not re.search(r"(?<!\\)[][!()$:*_`<>]", markdown.split("Got ")[1])


def test_a_sentence_about_a_link_is_gone_after_the_next_change():
    """It was said; the widgets hold good values."""
    lab = Lab(learning_rate="fast")
    assert len(lab.complaints) == 1
    assert lab.type(epochs="12").complaints == []


# ------------------------------------------------------------------------------------------------ nothing is drawn anew


CHANGES = {
    "another rate": {"learning_rate": "0.003"},
    "other epochs": {"epochs": "123"},
    "many epochs": {"epochs": "2999"},
    "another start": {"start": "random", "seed": "5"},
    "own numbers": {"start": "1.0,2.0,3.0"},
    "other data": {"data_seed": "9", "points": "33"},
}
LINKS = {
    dataset: Experiment.default(dataset).to_query() for dataset in ("noisy-quadratic", "two-features")
}  # one parameter has neither three starting numbers nor other data


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("dataset", LINKS)
def test_a_change_of_numbers_leaves_specifications_and_texts_alone(dataset, change):
    """Between two rates, epochs, starts or data, trained or not, only tables differ: the browser keeps its charts."""
    lab = Lab(**LINKS[dataset])
    waiting = lab.charts
    trained = lab.press("train").charts
    other = Lab(**(LINKS[dataset] | CHANGES[change])).press("train").charts
    for one in (waiting, trained):
        assert [chart.spec for chart in one] == [chart.spec for chart in other]
        assert [chart.alt for chart in one] == [chart.alt for chart in other]
        assert [chart.id for chart in one] == [chart.id for chart in other]
    assert [chart.datasets for chart in trained] != [chart.datasets for chart in other]


@pytest.mark.parametrize("dataset", LINKS)
@pytest.mark.parametrize(
    "tab", ["Parameters", "Gap to optimum", "Six steps", "Steps", "In numbers", "In relief"]
)
def test_every_tab_opens_before_and_after_a_run(tab, dataset):
    """None raises, and the charts in it have specifications without numbers of the run."""
    lab = Lab(**LINKS[dataset])
    lab.at.session_state["tab"] = tab
    before = [chart.spec for chart in lab.run().charts]
    first = [chart.spec for chart in lab.press("train").charts]
    second = [chart.spec for chart in lab.type(learning_rate="2e-6", epochs="700").press("train").charts]
    assert first == second
    assert first[: len(before)] == before
    panels = len(lab.charts) - (3 if dataset == "noisy-quadratic" else 5)
    assert panels == {"Parameters": 3, "Gap to optimum": 1, "In relief": 0, "Six steps": 6}.get(tab, 0)


# ------------------------------------------------------------------------------------ other people's conventions


def test_a_tolerance_ends_the_run_and_its_axis():
    """All that there is is drawn of 100,000 epochs that end after 1,626; 0 takes it back."""
    usual = {"scale_features": "true", "learning_rate": "0.001", "epochs": "100000"}
    lab = Lab(dataset="noisy-quadratic", **usual).type(tolerance="0.01").press("train")
    experiment = lab.experiment
    assert experiment.tolerance == 0.01
    expected = record(experiment).epoch_rmse.numpy()
    player = lab.player
    assert (player["complete"], player["last"], player["planned"]) == (True, len(expected) - 1, 100_000)
    assert len(player["table"]) > 500
    assert (player["table"]["rmse"].to_numpy() == expected[player["table"]["epoch"]].astype(np.float32)).all()
    assert player["summary"].startswith(
        f"Stopped at epoch {len(expected) - 1:,}, where the loss changed by less"
    )
    # The run stays until another is trained.
    assert lab.type(tolerance="0.02").player["last"] == len(expected) - 1
    lab.type(tolerance="0")
    assert "tolerance" not in lab.query


def test_rows_in_order_are_offered_of_mini_batches():
    """Where all rows are taken at once there is no order."""
    lab = Lab(dataset="noisy-quadratic", learning_rate="0.00001", epochs="12")
    assert "Shuffle" not in [one.label for one in lab.at.toggle]
    lab.type(batch_size="5")
    lab.at.toggle("w_shuffle").set_value(False)
    lab.run()
    assert lab.query["shuffle"] == "false"
    lab.press("train")
    expected = record(lab.experiment).epoch_rmse.numpy().astype(np.float32)
    assert (lab.player["table"]["rmse"].to_numpy() == expected).all()


def test_a_rate_below_the_least_is_told_what_to_do():
    lab = Lab().type(learning_rate="1e-19")
    (sentence,) = lab.complaints
    assert "Learning rate η must be at least 1e-18. Got 1e-19." in sentence
    assert "scale the features. Train waits; the page stays at 0.01." in sentence


@pytest.mark.parametrize(
    ("scaled", "rate", "end"),
    [("true", "0.5", "so the features are scaled."), ("false", "1e-18", "scale the features.")],
)
def test_columns_that_no_rate_suits_are_named(scaled, rate, end):
    """Their limit is 5.4e−21; nothing is scaled without a word, and nobody is led to a rate that is refused."""
    rows = "\n".join(f"{(k + 10) * 10**9},{3 * k + k % 4}" for k in range(12))
    table = keep(read(f"people,price\n{rows}\n").table)
    link = {"dataset": "table", "table": table.key, "target": "price", "features": "people", "epochs": "20"}
    lab = Lab(**link, scale_features=scaled, learning_rate=rate).press("train")
    (said,) = [one.value for one in lab.at.markdown if "the least that can be typed is 1e−18" in one.value]
    assert said.replace("\\", "").endswith(end)
    offers = [offer["rate"] for offer in lab.player["offers"]]
    assert all(offer >= 1e-18 for offer in offers)
    if scaled == "false":
        assert "No rate from 1e−18 on settles here: scale the features" in lab.player["summary"]
