"""The learning rate lesson: four runs, the sweep, the challenge and the claim, as they stand on the page."""

import json
from dataclasses import replace

import numpy as np
import pytest
from lesson_page import LessonPage
from true_learning_rate import drawn_scheduled, wrong

from gd_core.problem import build
from gd_core.recorder import record
from gd_core.settings.experiment import Experiment
from gd_core.theory import curvature_of, forecast_of
from pages.ui.lessons.learning_rate import goldilocks

PAGE = "learning_rate"
SCALED = replace(Experiment.default("noisy-quadratic"), scale_features=True, learning_rate=0.1, epochs=15)
PLANE = replace(Experiment.default("two-features"), learning_rate=0.1, epochs=15)
PARABOLA = replace(Experiment.default("one-parameter"), learning_rate=0.02, epochs=15)
ERRORS, SWEEP = 4, 5  # numbers of the charts under the four


def lesson(**query):
    return LessonPage(PAGE, **query)


def rates(page):
    return [float(page.at.text_input(f"rate of run {n}").value) for n in (1, 2, 3, 4)]


def ends(experiment, some):
    """RMSE at the end of a real run at each rate, ∞ where it diverged."""
    runs = [record(replace(experiment, learning_rate=rate)) for rate in some]
    return [np.inf if run.diverged_at is not None else float(run.epoch_rmse[-1]) for run in runs]


def marks(page):
    return page.table(SWEEP, "marks").to_pydict()


# -------------------------------------------------------------------------------------------------- predict first


def test_unanswered_the_charts_show_the_starts_alone():
    """Four starts and their rates; no sweep, no end, and neither limit nor zones, which would tell a rate's fate."""
    page = lesson()
    assert len(page.charts) == 6
    assert page.table(SWEEP, "curve").num_rows == 0
    assert len(set(marks(page)["y"])) == 1
    assert np.isnan(page.table(SWEEP, "frame")["limit"][0].as_py())
    assert page.table(SWEEP, "zones").num_rows == 0
    assert "limit" not in page.words.split("<style>")[0].split(".st-key")[0]
    assert "best for" not in page.words
    assert "diverged at" not in page.words


@pytest.mark.parametrize(
    ("experiment", "some"),
    [
        (SCALED, (0.01, 0.2, 0.3, 0.5)),
        (replace(SCALED, scale_features=False, learning_rate=1e-5, epochs=50), (1e-7, 2e-5, 3.5e-5, 3.6e-5)),
        (PLANE, (0.9, 0.5, 0.01, 2.0)),
        (PARABOLA, (0.2, 0.11, 0.05, 0.001)),
        (replace(SCALED, optimizer="momentum", epochs=40), (0.001, 0.02, 0.7, 0.8)),
        (replace(PLANE, optimizer="adam"), (0.01, 0.3, 3.0, 30.0)),
    ],
    ids=["scaled", "quadratic", "plane", "parabola", "momentum", "adam"],
)
def test_the_truth_is_what_the_runs_did(experiment, some):
    """For each of several problems and rates, the answer that real runs give is the one that is right."""
    truth = ends(experiment, some)
    lowest = str(int(np.argmin(truth)) + 1)
    query = experiment.to_query() | {"rates": ",".join(map(repr, some))}
    page = lesson(**query, guess=lowest)
    assert page.complaints == []
    assert page.judged == f"You were right: run {lowest}."
    table = page.player["table"]
    for i, rmse in enumerate(truth):
        if np.isfinite(rmse):
            assert float(table[f"rmse{i}"].iloc[-1]) == pytest.approx(rmse, rel=1e-5)
    other = next(str(n) for n in (1, 2, 3, 4) if str(n) != lowest)
    assert lesson(**query, guess=other).judged == f"You said: run {other}. What happened: run {lowest}."


def test_four_diverging_rates_have_no_lowest():
    """ "None" is then the right answer, and the charts stand."""
    page = lesson(**SCALED.to_query(), rates="1,2,3,4", guess="none")
    assert page.judged == "You were right: none: all diverge."
    assert page.player["summary"].startswith("All four have diverged.")
    assert len(page.charts) == 6
    wrong = lesson(**SCALED.to_query(), rates="1,2,3,4", guess="2")
    assert wrong.judged.endswith("What happened: none: all diverge.")


def test_of_two_that_end_alike_either_is_right():
    """Two runs at the same rate: whoever names one of them is right."""
    for guess in ("1", "3"):
        page = lesson(**SCALED.to_query(), rates="0.3,0.01,0.3,0.02", guess=guess)
        assert page.judged == f"You were right: run {guess}."
        assert page.player["summary"].startswith("After 15 epochs runs 1 and 3 are lowest")


# ------------------------------------------------------------------------------------------------- the four and charts


@pytest.mark.parametrize("experiment", [SCALED, PLANE, PARABOLA], ids=["scaled", "plane", "parabola"])
def test_the_four_rates_come_from_the_problem(experiment):
    """Without `rates` in the address: 2 % of the limit, the best for these epochs, almost the limit, 1.4 times it; all but
    the best are told with three digits."""
    page = lesson(**experiment.to_query())
    problem = build(experiment)
    forecast = forecast_of(experiment, problem, curvature_of(problem.objective))
    limit, best = forecast.stability_limit, forecast.best_for_epochs
    almost = max(0.95, (1 + best / limit) / 2)
    slow, second, *fast = rates(page)
    assert [slow, *fast] == [float(f"{share * limit:.3g}") for share in (0.02, almost, 1.4)]
    assert second == pytest.approx(best, rel=1e-5)
    assert "rates" not in page.query


def test_a_run_that_has_diverged_stays_at_its_end():
    """Its last error is repeated, its own chart ends there, its panel and the sentence say so."""
    page = lesson(guess="skip")
    run = record(replace(SCALED, learning_rate=rates(page)[3]))
    table = page.player["table"]
    assert len(table) == 16
    assert set(table["rmse3"].iloc[run.epochs :]) == {np.float32(run.epoch_rmse[-1])}
    assert page.table(3, "frame")["last"][0].as_py() == run.epochs
    assert page.table(2, "frame")["last"][0].as_py() == 15
    assert f"diverged at epoch {run.diverged_at}" in page.words
    sentences = [page.player["templates"][i] for i in table["template"]]
    assert "Run 4 has diverged and stays at the end." in sentences[-1]
    assert "diverged" not in sentences[run.epochs - 1]


def test_the_sweep_shows_what_single_runs_leave():
    """The curve at the four rates, a row for each of 200 rates or more, and crosses for those that have diverged."""
    page = lesson(guess="skip")
    curve = page.table(SWEEP, "curve").to_pandas()
    gone = page.table(SWEEP, "gone").to_pydict()["x"]
    assert len(curve) >= 200
    for rate, rmse in zip(rates(page)[:3], ends(SCALED, rates(page)[:3]), strict=True):
        assert float(np.interp(rate, curve["x"], curve["y"])) == pytest.approx(rmse, rel=0.03)
    assert min(gone) > float(page.table(SWEEP, "frame")["limit"][0].as_py())
    assert min(gone) > curve["x"].max()
    assert page.table(SWEEP, "zones")["zone"].to_pylist() == ["slow", "steady", "zigzags", "diverges"]


def test_the_sweep_names_the_best_rate():
    """It is theory's best for these epochs, and no other rate of the sweep leaves less."""
    page = lesson(guess="skip")
    frame = page.table(SWEEP, "frame").to_pylist()[0]
    problem = build(SCALED)
    forecast = forecast_of(SCALED, problem, curvature_of(problem.objective))
    assert frame["best"] == pytest.approx(forecast.best_for_epochs, rel=1e-6)
    assert frame["best_rmse"] <= page.table(SWEEP, "curve").to_pandas()["y"].min() * (1 + 1e-6)


def test_the_sweep_does_not_follow_the_epoch():
    """It has no epoch to move, so playing costs it nothing; the other five have one."""
    page = lesson(guess="skip")
    moved = [any(one["name"] == "epoch" for one in json.loads(chart.spec)["params"]) for chart in page.charts]
    assert moved == [True] * 5 + [False]


def test_a_rule_without_a_limit_says_why():
    """Adam: no zones, no limit, no sides of it to test; the reason stands instead."""
    page = lesson(**replace(PLANE, optimizer="adam").to_query(), guess="skip")
    assert page.table(SWEEP, "zones").num_rows == 0
    assert np.isnan(page.table(SWEEP, "frame")["limit"][0].as_py())
    assert "Adam divides by the gradient’s own size" in page.words
    assert not [button for button in page.at.button if button.key == "watch"]


# --------------------------------------------------------------------------------------------------------- own rates


def test_a_typed_rate_is_in_the_address_and_asks_again():
    """All four stand there then; the question is open again."""
    page = lesson(guess="2")
    page.at.text_input("rate of run 3").set_value("0.1")
    page.run()
    assert rates(page)[2] == 0.1
    assert [float(one) for one in page.query["rates"].split(",")] == rates(page)
    assert "guess" not in page.query
    page.press("usual_rates")
    assert "rates" not in page.query
    assert rates(page)[2] == 0.384


@pytest.mark.parametrize("text", ["abc", "", "-1", "nan", "1e9", "0"])
def test_a_bad_rate_keeps_what_was_typed_and_says_the_rule(text):
    """One sentence under the field; the run goes on with the last good rate; a good one takes it back."""
    page = lesson()
    page.at.text_input("rate of run 1").set_value(text)
    page.run()
    shown = text or "nothing"
    assert page.complaints == [
        f"rate of run 1 must be a number between 1e-18 and 1,000,000. Got {shown}. Using 0.00809 instead."
    ]
    assert page.at.text_input("rate of run 1").value == text
    assert marks(page)["x"][0] == pytest.approx(0.00809)
    page.at.text_input("rate of run 1").set_value("0.02")
    page.run()
    assert page.complaints == []
    assert rates(page)[0] == 0.02


def test_another_problem_has_its_own_rates():
    """Rates that were typed for one data set, or without scaling, mean nothing for another."""
    page = lesson(**SCALED.to_query(), rates="0.1,0.2,0.3,0.4")
    assert rates(page) == [0.1, 0.2, 0.3, 0.4]
    page.switch("scale_features", False)
    assert "rates" not in page.query
    assert rates(page)[3] == float(f"{1.4 * 3.53986e-5:.3g}")
    page.choose("dataset", "one-parameter")
    assert rates(page)[1] == pytest.approx(1 / 18, rel=1e-5)
    page.type(epochs="30")
    assert rates(page)[1] == pytest.approx(1 / 18, rel=1e-5)


def test_a_link_with_another_start_and_data_is_followed():
    """Settings of the Train page that the lesson does not show are kept: start, points, noise, seed."""
    experiment = replace(SCALED, start=(1.0, 2.0, 3.0), points=30, noise=1.0, data_seed=7)
    page = lesson(**experiment.to_query(), guess="skip")
    assert page.complaints == []
    first = float(record(experiment).epoch_rmse[0])
    assert float(page.player["table"]["rmse0"].iloc[0]) == pytest.approx(first, rel=1e-6)


# ------------------------------------------------------------------------------------------------ the challenge, the claim


def test_an_attempt_is_scored_against_the_best_fixed_rate():
    """30 epochs: 0.1 needs 27, the best fixed rate 9. Its own number of epochs is that of a real run."""
    page = lesson(**replace(SCALED, epochs=30).to_query(), guess="2")
    before = page.player["id"]
    page.press("try")
    needed = int((record(replace(SCALED, epochs=30)).epoch_rmse <= 1.54077).nonzero()[0])
    assert needed == 27
    assert "With η = 0.1 you needed **27 epochs**. The best fixed rate needs 9. Score **33**." in page.words
    page.press("show_best")
    assert "The best fixed rate, 0.302, needs 9." in page.words
    page.type(learning_rate="0.3").press("try")
    assert "With η = 0.3 you needed **9 epochs**. No fixed rate needs fewer. Score **100**." in page.words
    assert page.words.count("★ best") == 1
    assert "<td>2</td><td>0.3</td><td>9</td><td>100 ★ best</td>" in page.words
    assert page.query["learning_rate"] == "0.3"
    assert page.query["guess"] == "2"
    assert page.player["id"] == before


def test_where_rates_were_only_tried_the_page_says_how_many():
    """With momentum the best is that of so many rates: named as such, whether the attempt is worse, as good, or better."""
    swinging = replace(PLANE, optimizer="momentum", epochs=200)
    problem = build(swinging)
    curvature = curvature_of(problem.objective)
    goal = goldilocks.goal_of(problem.objective, curvature, swinging.phase, problem.start, 200)
    tried = f"of the {goal.tried:,} rates tried"
    page = lesson(**swinging.to_query(), guess="2").press("try")
    needed = int((record(swinging).epoch_rmse <= goal.rmse).nonzero()[0])
    assert goal.epochs < needed
    score = round(100 * goal.epochs / needed)
    assert (
        f"you needed **{needed} epochs**. The best {tried} needs {goal.epochs}. Score **{score}**."
        in page.words
    )
    page.type(learning_rate=repr(goal.learning_rate)).press("try")
    assert f"you needed **{goal.epochs} epochs**. None {tried} needs fewer. Score **100**." in page.words


def test_an_attempt_better_than_all_that_were_tried_is_told_so(monkeypatch):
    """It scores 100, and is the best in the list, not the first with 100."""
    worse = goldilocks.Goal(rmse=1.54, share=0.001, epochs=27, learning_rate=0.1, tried=12)
    monkeypatch.setattr(goldilocks, "goal", lambda _: worse)
    page = lesson(**replace(SCALED, epochs=30).to_query(), guess="2").press("try")
    assert "None of the 12 rates tried needs fewer. Score **100**." in page.words
    page.type(learning_rate="0.3").press("try")
    assert "That beats the best of the 12 rates tried here: it needs 27. Score **100**." in page.words
    assert page.words.count("★ best") == 1
    assert "<td>2</td><td>0.3</td><td>9</td><td>100 ★ best</td>" in page.words


def test_attempts_that_do_not_arrive_say_why():
    """Too small: not reached, with the error at the end; too large: diverged. Both score 0."""
    page = lesson(**replace(SCALED, learning_rate=0.001).to_query(), guess="2").press("try")
    assert "With η = 0.001 the target is not reached in 15 epochs: RMSE" in page.words
    assert "Score **0**" in page.words
    page.type(learning_rate="0.7").press("try")
    assert "With η = 0.7 the run diverged: the target is never reached." in page.words
    page.type(learning_rate="abc")
    rows = page.words.count("<tr><td>")
    page.press("try")
    assert page.words.count("<tr><td>") == rows


def test_attempts_belong_to_their_problem():
    """Another data set starts an empty list; going back finds the old one."""
    page = lesson(**SCALED.to_query(), ask="false").press("try")
    assert 'table class="live attempts"' in page.words
    page.choose("dataset", "two-features")
    assert 'table class="live attempts"' not in page.words
    page.choose("dataset", "noisy-quadratic")
    assert 'table class="live attempts"' in page.words


def test_a_start_at_the_optimum_has_nothing_to_reach():
    """And nothing to see on either side of the limit."""
    page = lesson(**replace(PARABOLA, start=(-1.0,)).to_query(), guess="skip")
    assert "there is nothing to reach" in page.words
    assert "this start has no error along the steepest direction" in page.words


@pytest.mark.parametrize(
    ("percent", "words"),
    [
        ("99", "**It settles.** At η = 0.4003 the error along the steepest direction keeps 98 %"),
        ("100", "**It bounces for ever.** At exactly the limit, η = 0.4044"),
        ("101", "10⁶ × its first value at epoch **357**"),
        (
            "50",
            "**It settles.** At η = 0.2022 all of the error along the steepest direction is gone after one epoch.",
        ),
        ("20", "It does not jump at all: it comes from one side."),
    ],
)
def test_the_claim_is_tested_on_both_sides(percent, words):
    """The answer is computed, and neither asks again nor plays anew."""
    page = lesson(guess="2")
    before = page.player["id"]
    if percent in ("99", "100", "101"):
        page.press(f"percent_{percent}")
    else:
        page.type(percent=percent)
    assert words in page.words
    assert page.player["id"] == before
    assert page.query.get("percent", "99") == percent


def test_the_tested_rate_can_be_watched():
    """Exactly the limit becomes run 4; who has seen the run is not asked again."""
    page = lesson(guess="2").press("percent_100").press("watch")
    assert rates(page)[3] == pytest.approx(0.404381538, rel=1e-8)
    assert page.player["trained"]
    assert "exactly the limit" in page.words
    assert page.query["guess"] == "skip"


# ------------------------------------------------------------------------------------------ further, with single rows


def test_how_to_arrive_opens_on_demand_and_after_the_answer():
    """Before, nothing of it is sent, since it tells the floor; then a chart, the numbers, and links to both runs."""
    assert "single rows" not in lesson(further="true").words.partition("<style>")[0]
    assert len(lesson(guess="2").charts) == 6
    page = lesson(guess="2", further="true")
    assert page.complaints == []
    assert len(page.charts) == 7
    assert page.table(6, "path").num_rows > 100
    assert "single rows hover about RMSE 1.629 over the last 20 epochs; the floor is 1.467." in page.words
    (label, _, constant), (_, _, shrinking), *_ = page.links
    assert label == "The constant rate on Train, its mean beside it"
    assert (constant["batch_size"], shrinking["schedule"]) == ("1", "inverse-time:0.1")
    assert constant["learning_rate"] == shrinking["learning_rate"] == "0.0797"


@pytest.mark.parametrize("dataset", ["two-features", "one-parameter"])
def test_where_there_is_nothing_to_see_of_them_it_is_shown_elsewhere(dataset):
    """On the lesson's own rows, and it says why; also by a rule that has no limit."""
    page = lesson(guess="2", further="true", optimizer="adam").choose("dataset", dataset)
    page = page if page.player["trained"] else page.skip()
    assert "Shown on Noisy quadratic, with scaled features: these data have" in page.words
    assert "single rows hover about RMSE 1.629" in page.words


# ------------------------------------------------------------------------------------------------------------- the links


def test_links_lead_on_with_the_settings_that_they_promise():
    """The lowest run on the Train page with its rate; two features here; the next lesson last."""
    page = lesson(guess="2")
    (train, _, query), (two, where, plane), (last, lesson_page, _) = page.links
    assert train == "The lowest run on the Train page"
    assert Experiment.from_query({k: v.replace("%2C", ",") for k, v in query.items()}) == (
        replace(SCALED, learning_rate=rates(page)[1]),
        [],
    )
    assert (two, where, Experiment.from_query(plane)) == ("Two features", PAGE, (PLANE, []))
    assert (last, lesson_page) == ("Next: lesson 5, Landscape", "landscape")


def test_unanswered_the_train_link_does_not_give_it_away():
    """Before the answer it holds run 1, not the winner."""
    (label, _, query), *_ = lesson().links
    assert label == "Run 1 on the Train page"
    assert float(query["learning_rate"]) == 0.00809


@pytest.mark.parametrize("seeds", [range(15), range(15, 30)], ids=["first", "second"])
def test_what_is_said_of_four_rates_is_true(seeds):
    """Which run is lowest when, the best rate, how far each came, both sides of the limit: loops in NumPy agree, at random."""
    assert {seed: found for seed in seeds if (found := list(wrong(seed, most=60)))} == {}


@pytest.mark.parametrize("seeds", [range(12), range(12, 24)])
def test_what_is_said_of_four_rates_under_a_schedule_is_true(seeds):
    """Who is lowest, which epochs are above the limit, the best of all η up to it, both sides of it: by plain loops in NumPy."""
    assert {
        seed: found for seed in seeds if (found := list(wrong(seed, most=60, draw=drawn_scheduled)))
    } == {}


STEPS = replace(SCALED, schedule="step:5:0.5")


def test_a_schedule_is_followed_from_a_link_and_chosen_at_the_side():
    """Four rates of their own, the formula and the sentence say it; another choice is another run, and the question stands again."""
    page = lesson(**STEPS.to_query(), guess="skip")
    assert page.complaints == []
    assert "of its own, × 0.5 every 5" in page.words
    assert page.table(SWEEP, "zones")["zone"].to_pylist()[-2:] == ["zigzags", "too large at first"]
    truth = ends(STEPS, rates(page))
    assert page.table(SWEEP, "marks")["y"].to_pylist()[:3] == pytest.approx(truth[:3], rel=1e-6)
    assert truth[1] < truth[0]
    assert truth[3] == np.inf
    assert "above it until epoch" in page.words
    page.choose("schedule", "cosine:0:0.01")
    assert page.query["schedule"] == "cosine:0:0.01"
    assert page.judged == ""
    page.type(warmup="3").skip()
    assert page.query["warmup"] == "3"
    curve = page.table(SWEEP, "curve").to_pandas()
    run = record(
        replace(SCALED, schedule="cosine:0:0.01", warmup=3, learning_rate=float(curve["x"].iloc[40]))
    )
    assert curve["y"].iloc[40] == pytest.approx(float(run.epoch_rmse[-1]), rel=1e-9)


def test_the_challenge_is_that_of_the_schedule():
    """It says which schedule, and an attempt is the run under it."""
    page = lesson(**STEPS.to_query(), guess="skip")
    assert "with one rate η, × 0.5 every 5 epochs, in as few" in page.words
    page.type(learning_rate="0.01").press("try")
    run = record(replace(STEPS, learning_rate=0.01))
    assert f"RMSE {float(run.epoch_rmse[-1]):.4g} at the end" in page.words
