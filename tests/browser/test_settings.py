"""The side bar: what a changed setting does to a run, and what a bad one does not."""

import re

import pytest
from playwright.sync_api import expect

from gd_core.problem import build
from lab import FIT, Lab, claim, same_digits

SHORT = "/?dataset=noisy-quadratic&learning_rate=0.3&scale_features=true&epochs=100"
CHANGED = "The settings have changed since this run: Train runs the new ones."


def test_a_changed_setting_and_the_run_on_stage(lab: Lab):
    """A rate typed while a run plays does not disturb it, and a note says what Train would do; undone, the note goes. A
    field typed but not entered counts. The strip's stops and its thumb write the rate into field and address, and their keys
    are their own. Reset goes back to the same start; New start is random and in the address; other data clear the stage."""
    lab.open_page(SHORT)
    start, query = lab.live(), lab.query
    with claim(
        "a rate typed while it plays: the run goes on to its own end, and a note says what Train would do"
    ):
        lab.speed("¼×").train()
        lab.field("Learning rate η").fill("0.1")
        lab.field("Learning rate η").press("Enter")
        expect(lab.note).to_have_text(CHANGED)
        expect(lab.button("Pause")).to_be_visible()
        first = lab.speed("4×").ended().live()
        assert lab.epoch() == 100
    with claim("the note goes when the settings are again those of the run, which stands where it was"):
        lab.seek(40)
        lab.type("Learning rate η", "0.3")
        expect(lab.note).to_have_text("")
        assert lab.epoch() == 40
    with claim("a rate typed without Enter is taken in when one presses Train"):
        lab.field("Learning rate η").fill("0.02")
        lab.train().to_end()
        assert lab.query["learning_rate"] == "0.02"
        expect(lab.note).to_have_text("")
        assert lab.live()["rmse"] != first["rmse"]

    lab.type("Learning rate η", "0.3")
    lab.seek(50)
    with claim(
        "the strip's thumb, moved by a key, writes the rate into field and address; the run stays where it is"
    ):
        lab.sidebar.get_by_role("slider", name="Learning rate, logarithmic").focus()
        with lab.rerun():
            lab.page.keyboard.press("ArrowLeft")
        rate = lab.field("Learning rate η").input_value()
        assert lab.query["learning_rate"] == rate != "0.3"
        assert 0.28 < float(rate) < 0.3
    with claim("a stop of it, pressed by space, too"):
        lab.sidebar.get_by_role("button", name=re.compile("^Limit ")).focus()
        with lab.rerun():
            lab.page.keyboard.press("Space")
        rate = lab.field("Learning rate η").input_value()
        assert lab.query["learning_rate"] == rate
        assert float(rate) == pytest.approx(0.404382, rel=1e-5)
        assert lab.epoch() == 50
        expect(lab.button("Play")).to_be_visible()
    lab.type("Learning rate η", "0.3")

    with claim("Reset clears the run and keeps every setting"):
        with lab.rerun():
            lab.command("Reset").click()
        expect(lab.button("Play")).to_be_disabled()
        assert lab.epoch() == 0
        assert lab.chart_epochs() == {"0"}
        assert lab.live() == start
        assert lab.query == query
    with claim("New start draws another start from the next seed, again and again; the address keeps it"):
        lab.train().to_end()
        seen = {lab.live()["p0"]}
        for seed in ("1", "2"):
            with lab.rerun():
                lab.command("New start").click()
            lab.wait_for_query(start="random", seed=seed)
            expect(lab.button("Play")).to_be_disabled()
            assert lab.field("Seed").input_value() == seed
            theta = build(lab.experiment).start
            live = lab.live()
            assert all(same_digits(live[f"p{i}"], float(theta[i])) for i in range(3))
            seen.add(live["p0"])
        assert len(seen) == 3
    with claim("with other data the player waits again, at the start, and the fit has their dots"):
        lab.train().to_end()
        dots = lab.chart(FIT).locator(".mark-symbol.role-mark path")
        expect(dots).to_have_count(20)
        lab.type("Data seed", "7")
        expect(lab.button("Play")).to_be_disabled()
        assert lab.epoch() == 0
        assert lab.verdict().endswith("This is the start.")
        lab.type("Points", "30")
        expect(dots).to_have_count(30)
        assert lab.query["points"] == "30"


def test_starts_scales_and_bad_values(lab: Lab):
    """Typed numbers are the start, in raw units; two for three parameters get a sentence. Scale features changes the
    formula's names and the address. A bad value gets one sentence under its field, the text stays as typed, nothing else
    changes, and Train waits. Each bad value and its sentence: `tests/pages/test_train.py`."""
    lab.open_page(SHORT)
    with claim("a bad value: one sentence under its field, the text as typed, and Train runs no other value"):
        query = lab.query
        for label, text, sentence in (
            (
                "Learning rate η",
                "nan",
                "a number between 1e-18 and 1,000,000. Got nan. Train waits; the page stays at 0.3.",
            ),
            (
                "Epochs",
                "-3",
                "a whole number between 1 and 1,000,000. Got -3. Train waits; the page stays at 100.",
            ),
            ("Noise", "<b>x</b>", "Noise must be a number. Got <b>x</b>. Train waits; the page stays at 5."),
        ):
            field, usual = lab.field(label), lab.field(label).input_value()
            lab.type(label, text)
            expect(lab.complaint).to_have_count(1)
            expect(lab.complaint).to_contain_text(sentence)
            expect(field).to_have_value(text)
            below, above = lab.complaint.bounding_box(), field.bounding_box()
            assert 0 <= below["y"] - above["y"] < 100
            assert lab.query == query
            lab.command("Train").click()
            expect(lab.page.get_by_test_id("stToast").filter(has_text=sentence)).to_have_count(1)
            expect(field).to_have_value(text)
            expect(lab.button("Play")).to_be_disabled()
            lab.type(label, usual)
            expect(lab.complaint).to_have_count(0)
    with claim("typed numbers are the start, in raw units, and the address holds them"):
        lab.choose("Start", "My own numbers")
        lab.type("Start at a, b, c", "2, -1.5, 3.5")
        lab.wait_for_query(start="2.0,-1.5,3.5")
        assert [lab.live()[f"r{i}"] for i in range(3)] == ["2.00000", "−1.50000", "3.50000"]
    with claim("two numbers for three parameters: one sentence, the text stays as typed, and Train waits"):
        lab.type("Start at a, b, c", "1, 2")
        expect(lab.complaint).to_have_count(1)
        expect(lab.complaint).to_contain_text("Start must hold 3 numbers (a, b, c). Got 2.")
        lab.command("Train").click()
        expect(lab.page.get_by_test_id("stToast").filter(has_text="Got 2.")).to_have_count(1)
        expect(lab.field("Start at a, b, c")).to_have_value("1, 2")
        lab.type("Start at a, b, c", "2, -3/2, 3.5")
        expect(lab.complaint).to_have_count(0)
    with claim("Scale features changes the formula's names, the address and the limit of the rate"):
        limit = lab.sidebar.get_by_role("button", name=re.compile("^Limit "))
        before = limit.inner_text()
        expect(lab.page.locator("table.live").first).to_contain_text("a′")
        with lab.rerun():
            lab.sidebar.get_by_text("Scale features").click()
        expect(lab.page.locator("table.live").first).not_to_contain_text("a′")
        assert "scale_features" not in lab.query
        expect(limit).not_to_have_text(before)
