"""The side bar: what a changed setting does to a run, and what a bad one does not."""

import re

import pytest
from playwright.sync_api import expect

from gd_core.problem import build
from lab import FIT, Lab, same_digits

SHORT = "/?dataset=noisy-quadratic&learning_rate=0.3&scale_features=true&epochs=100"
CHANGED = "The settings have changed since this run: Train runs the new ones."
OPENING = {
    "Points": "20", "Noise": "5", "Data seed": "2021", "Learning rate η": "0.01", "Epochs": "1000",
    "Batch size": "0", "Seed": "0",
}  # fmt: skip


def test_a_change_while_it_plays_does_not_disturb(lab: Lab):
    """A rate typed while the run plays: the run goes on to its own end, and a note says what Train would do."""
    lab.open_page(SHORT).train()
    lab.field("Learning rate η").fill("0.1")
    lab.field("Learning rate η").press("Enter")
    expect(lab.note).to_have_text(CHANGED)
    expect(lab.button("Pause")).to_be_visible()
    first = lab.speed("4×").ended().live()
    lab.train()
    expect(lab.note).to_have_text("")
    lab.to_end()
    assert lab.live()["rmse"] != first["rmse"]


def test_undoing_a_change_takes_the_note_back(lab: Lab):
    """The note goes when the settings are again those of the run, which still stands where it was."""
    lab.open_page(SHORT).train().to_end()
    lab.seek(40).type("Learning rate η", "0.1")
    expect(lab.note).to_have_text(CHANGED)
    lab.type("Learning rate η", "0.3")
    expect(lab.note).to_have_text("")
    assert lab.epoch() == 40


def test_another_problem_clears_the_stage(lab: Lab):
    """A run on other data cannot be compared: with new data the player waits again, at the start."""
    lab.open_page(SHORT).train().to_end()
    lab.type("Data seed", "7")
    expect(lab.button("Play")).to_be_disabled()
    assert lab.epoch() == 0
    assert lab.verdict().endswith("This is the start.")


def test_reset_goes_back_to_the_same_start(lab: Lab):
    """Reset clears the run and keeps every setting."""
    lab.open_page(SHORT)
    start, query = lab.live(), lab.query
    lab.train().to_end()
    with lab.rerun():
        lab.command("Reset").click()
    expect(lab.button("Play")).to_be_disabled()
    assert lab.epoch() == 0
    assert lab.chart_epochs() == {"0"}
    assert lab.live() == start
    assert lab.query == query


def test_new_start_is_random_and_in_the_address(lab: Lab):
    """New start draws another start from the next seed, again and again; the address keeps it."""
    lab.open_page(SHORT).train().to_end()
    seen = {lab.live()["p0"]}
    for seed in ("1", "2"):
        with lab.rerun():
            lab.command("New start").click()
        lab.wait_for_query(start="random", seed=seed)
        expect(lab.button("Play")).to_be_disabled()
        assert lab.field("Seed").input_value() == seed
        start = build(lab.experiment).start
        live = lab.live()
        assert all(same_digits(live[f"p{i}"], float(start[i])) for i in range(3))
        seen.add(live["p0"])
    assert len(seen) == 3


def test_my_own_numbers_start_the_run(lab: Lab):
    """Typed numbers are the start, in raw units, and the address holds them."""
    lab.open_page(SHORT)
    lab.choose("Start", "My own numbers")
    lab.type("Start at a, b, c", "2, -1.5, 3.5")
    lab.wait_for_query(start="2.0,-1.5,3.5")
    assert [lab.live()[f"r{i}"] for i in range(3)] == ["2.00000", "−1.50000", "3.50000"]


def test_scaling_is_one_switch(lab: Lab):
    """Scale features changes the formula's names, the address and the limit of the rate."""
    lab.open_page(SHORT)
    expect(lab.page.locator("table.live").first).to_contain_text("a′")
    with lab.rerun():
        lab.sidebar.get_by_text("Scale features").click()
    expect(lab.page.locator("table.live").first).not_to_contain_text("a′")
    assert "scale_features" not in lab.query


@pytest.mark.parametrize("how", ["slider", "stop"])
def test_the_strip_sets_the_rate(lab: Lab, how: str):
    """A stop of the strip, or its thumb, writes the rate into the field and the address."""
    lab.open_page(SHORT)
    with lab.rerun():
        if how == "stop":
            lab.sidebar.get_by_role("button", name=re.compile("^Limit ")).click()
        else:
            lab.sidebar.get_by_role("slider", name="Learning rate, logarithmic").focus()
            lab.page.keyboard.press("ArrowLeft")
    rate = lab.field("Learning rate η").input_value()
    assert lab.query["learning_rate"] == rate != "0.3"
    if how == "stop":
        assert float(rate) == pytest.approx(0.404382, rel=1e-5)
    else:
        assert float(rate) == pytest.approx(0.3, rel=0.05)


BAD = [
    ("Learning rate η", "0", "learning_rate must be a number between 1e-18 and 1,000,000. Got 0.0."),
    ("Learning rate η", "-1", "learning_rate must be a number between 1e-18 and 1,000,000. Got -1.0."),
    ("Learning rate η", "nan", "learning_rate must be a number between 1e-18 and 1,000,000. Got nan."),
    ("Learning rate η", "1e308", "learning_rate must be a number between 1e-18 and 1,000,000. Got 1e+308."),
    ("Learning rate η", "fast", "learning_rate must be a number. Got fast."),
    ("Learning rate η", "", "learning_rate must be a number. Got nothing."),
    ("Epochs", "0", "epochs must be a whole number between 1 and 1,000,000. Got 0."),
    ("Epochs", "1000000000", "epochs must be a whole number between 1 and 1,000,000. Got 1000000000."),
    ("Epochs", "1.5", "epochs must be a whole number. Got 1.5."),
    ("Seed", "-1", "seed must be a whole number between 0 and 4,294,967,295. Got -1."),
    (
        "Data seed",
        "18446744073709551616",
        "data_seed must be a whole number between 0 and 4,294,967,295. Got 18446744073709551616.",
    ),
    ("Batch size", "21", "batch_size must be at most the 20 rows of the data, or 0 for all. Got 21."),
    ("Points", "2", "points must be a whole number between 3 and 10,000. Got 2."),
    ("Noise", "<b>x</b>", "noise must be a number. Got <b>x</b>."),
]


def test_a_bad_value_gets_one_sentence(lab: Lab):
    """For each bad value: one sentence under its field, the text stays as typed, nothing else changes, Train works."""
    lab.open_page()
    query = lab.query
    for label, text, sentence in BAD:
        lab.type(label, text)
        usual = OPENING[label]
        expect(lab.complaint).to_have_count(1)
        expect(lab.complaint).to_contain_text(f"{sentence} Using {usual} instead.")
        fields = {name: lab.field(name).input_value() for name in OPENING}
        assert fields == OPENING | {label: text}
        assert lab.query == query
        lab.type(label, usual)
        expect(lab.complaint).to_have_count(0)


@pytest.mark.parametrize(("label", "text"), [("Learning rate η", "nan"), ("Epochs", "-3")])
def test_train_works_beside_a_bad_value(lab: Lab, label: str, text: str):
    """With a bad value in a field, Train runs the last good one."""
    lab.open_page(SHORT)
    lab.type(label, text)
    lab.train().to_end()
    assert lab.epoch() == 100
    expect(lab.field(label)).to_have_value(text)
    expect(lab.note).to_have_text("")


def test_a_start_of_the_wrong_length_gets_a_sentence(lab: Lab):
    """Two numbers for three parameters: one sentence, and the text stays as typed."""
    lab.open_page(SHORT)
    lab.choose("Start", "My own numbers")
    lab.type("Start at a, b, c", "1, 2")
    expect(lab.complaint).to_have_count(1)
    expect(lab.complaint).to_contain_text("start must hold 3 numbers (a, b, c). Got 2.")
    expect(lab.field("Start at a, b, c")).to_have_value("1, 2")
    lab.train().to_end()
    assert lab.epoch() == 100


def test_a_field_typed_but_not_entered_counts(lab: Lab):
    """A rate typed without Enter is taken in when one presses Train."""
    lab.open_page(SHORT)
    lab.field("Learning rate η").fill("0.02")
    lab.train().to_end()
    assert lab.query["learning_rate"] == "0.02"
    expect(lab.note).to_have_text("")


def test_spellings_of_a_rate(lab: Lab):
    """0.00001, 1e-5 and 1E-05 are the same rate, with blanks around it or not."""
    lab.open_page(SHORT)
    for text in ("0.00001", "1e-5", " 1E-05 "):
        lab.type("Learning rate η", text)
        lab.wait_for_query(learning_rate="1e-05")
        expect(lab.complaint).to_have_count(0)


def test_fit_follows_the_data(lab: Lab):
    """More points are drawn as more dots, and the address says so."""
    lab.open_page(SHORT)
    dots = lab.chart(FIT).locator(".mark-symbol.role-mark path")
    expect(dots).to_have_count(20)
    lab.type("Points", "30")
    expect(dots).to_have_count(30)
    assert lab.query["points"] == "30"
