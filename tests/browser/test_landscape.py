"""The lesson of the valley in a real browser: clicks that set starts, the map’s settings, and side by side."""

import pytest
from playwright.sync_api import expect

from lab import MAP, Lab, claim, number

PAGE = "/landscape"


def click(lab: Lab, across: float, up: float) -> tuple[float, float]:
    """Click on the map at these shares of its plot; the values there, read off its axes."""
    box = lab.chart(MAP).locator(".role-frame > g > path.background").first.bounding_box()
    x, y = round(box["x"] + across * box["width"]), round(box["y"] + (1 - up) * box["height"])
    (slope_x, zero_x), (slope_y, zero_y) = lab.ticks(MAP, "X"), lab.ticks(MAP, "Y")
    with lab.rerun():
        lab.page.mouse.click(x, y)
    return slope_x * (x - box["x"]) + zero_x, slope_y * (y - box["y"]) + zero_y


def pick(lab: Lab, group: str, choice: str) -> None:
    """Press one of a row of choices."""
    with lab.rerun():
        lab.page.get_by_role("radiogroup", name=group).get_by_text(choice, exact=True).click()


def test_a_visit_from_question_to_verdict_and_more_starts(lab: Lab):
    """Asked first; the answer plays the run in the same drawings; clicks and keys set starts; no chart is drawn anew.

    The lit row is the lagging direction. The first click on the map moves start 1 and asks again; with 2 chosen one click
    adds a start and the next moves it. With the focus on the button Enter adds one, on the map with its number. Another
    rate, start and number of starts, arrows and the other slice only replace data.
    """
    lab.open_page(PAGE)
    with claim("from question to verdict"):
        expect(lab.button("Play")).to_be_disabled()
        lit = lab.page.locator("table.directions tr.lit")
        expect(lit).to_contain_text("3 steepest")
        lab.answer("The flattest").passed(6)
        expect(lit).to_contain_text("1 flattest")
        lab.to_end()
        assert lab.judged().startswith("You were right: the flattest.")
        assert lab.live()["percent0"] == "96.9"
        assert lab.count("embeds") == lab.charts.count() == 2
    lab.mark()
    with claim("clicks set and add starts"):
        x, y = click(lab, 0.3, 0.6)
        start = lab.experiment.start
        assert start[0] == pytest.approx(x, abs=0.02)
        assert start[1] == pytest.approx(y, abs=0.2)
        assert "guess" not in lab.query
        lab.answer("Skip")
        pick(lab, "A press sets start", "2")
        for place in ((0.7, 0.7), (0.8, 0.3)):
            x, y = click(lab, *place)
            (second,) = [tuple(map(number, part.split(","))) for part in lab.query["more"].split(";")]
            assert second[0] == pytest.approx(x, abs=0.02)
            assert second[1] == pytest.approx(y, abs=0.2)
            assert lab.experiment.start == start
        lab.to_end()
        assert lab.verdict().startswith("Start 2. ")
        assert lab.field("More starts").input_value() == lab.query["more"]
    with claim("starts can be added by keyboard"):
        add = lab.sidebar.get_by_role("button", name="Add a start")
        for count in (3, 4):
            add.focus()
            with lab.rerun():
                lab.page.keyboard.press("Enter")
            assert len(lab.query["more"].split(";")) == count - 1
            expect(lab.chart(MAP).get_by_text(str(count), exact=True)).to_be_visible()
    with claim("a new run replaces data only"):
        lab.type("Learning rate η", "2e-5")
        lab.type("Start 1 at a, b, c", "1, -2, 3")
        lab.type("More starts", "-1, -15, 20")
        pick(lab, "Arrows −∇L", "direction")
        pick(lab, "Third parameter", "optimum")
        lab.answer("Skip").to_end()
        assert lab.count("embeds") == 0
        expect(lab.page.locator("table.valley").filter(has_text="RMSE now").locator("tr")).to_have_count(3)


def test_side_by_side_shows_both_ends(lab: Lab):
    """The choice asks anew; then both runs play together, and only the scaled one gets to the floor."""
    lab.open_page(f"{PAGE}?dataset=noisy-quadratic&learning_rate=1e-05&epochs=100")
    pick(lab, "Features", "side by side")
    assert lab.query["compare"] == "true"
    assert lab.charts.count() == 3
    expect(lab.page.locator("table.pair")).not_to_contain_text("2,112,622")
    lab.answer("With scaled features").to_end()
    assert "2,112,622 without scaling, 47 with" in lab.verdict()
    live = lab.live()
    assert number(live["without_rmse"]) == pytest.approx(18.0256, abs=1e-4)
    assert number(live["scaled_rmse"]) == pytest.approx(1.46727, abs=1e-4)
    assert number(live["scaled_1"]) == pytest.approx(-12.12, abs=0.01)
    lab.charts_at(100)
