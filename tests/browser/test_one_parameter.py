"""The lesson of one parameter in a real browser: a click on the curve, the table that fills, the file, Back."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from lab import Lab, claim, number

CURVE = "The loss as a curve"
PAGE = "/one_parameter"
IN_SIGHT = """row => {
    const box = row.closest('.sheet').getBoundingClientRect(), own = row.getBoundingClientRect();
    return own.bottom <= box.bottom + 1 && own.top >= box.top;
}"""


def rows(lab: Lab):
    return lab.page.locator(".sheet tbody tr")


def click(lab: Lab, across: float) -> float:
    """Click on the curve's plot at this share of its width; the value there, read off its axis."""
    box = lab.chart(CURVE).locator(".role-frame > g > path.background").first.bounding_box()
    x, y = round(box["x"] + across * box["width"]), round(box["y"] + 0.3 * box["height"])
    slope, zero = lab.ticks(CURVE, "X")
    with lab.rerun():
        lab.page.mouse.click(x, y)
    return slope * (x - box["x"]) + zero


def test_a_visit_from_question_to_verdict(lab: Lab, tmp_path: Path):
    """Asked first; the answer plays the run by itself, in the same drawing, and its end says what came of it.

    At an epoch the last row of the table in sight is that epoch's, the line above it holds its numbers, the arrow its step.
    The spreadsheet is an .xlsx, and asking for it leaves page and player alone. A link to the same lesson changes the
    address; Back and Forward each take one press. A click on the curve sets the start to the value under the pointer, the
    axis stays, and the question is asked again; so does the field. At 0.12 the arrow is dashed and says that the loss rises;
    a point outside the chart is said to be there.
    """
    lab.open_page(f"{PAGE}?learning_rate=0.1&start=2.0&epochs=40")
    with claim("from question to verdict"):
        expect(lab.button("Play")).to_be_disabled()
        expect(rows(lab).locator("visible=true")).to_have_count(1)
        expect(lab.page.locator(".factor .sum b")).to_have_text("?")
        lab.answer("It jumps across and comes closer").passed(3)
        lab.to_end()
        assert lab.judged().startswith("You were right: it jumps across and comes closer.")
        expect(lab.page.locator(".factor .sum b")).to_have_text("−0.8")
        assert lab.count("embeds") == lab.charts.count() == 1
    with claim("table, numbers and arrow follow the player"):
        for epoch, a, following in ((0, 2.0, -3.4), (7, -1.629, -0.4967), (30, -0.99629, -1.00297)):
            lab.seek(epoch).charts_at(epoch)
            expect(rows(lab).locator("visible=true")).to_have_count(epoch + 1)
            shown = rows(lab).nth(epoch)
            expect(shown.locator("th")).to_have_attribute("aria-current", "step")
            assert shown.evaluate(IN_SIGHT)
            assert number(lab.live()["p0"]) == pytest.approx(a, abs=1e-3)
            assert number(lab.live()["next_a"]) == pytest.approx(following, abs=1e-3)
            assert number(shown.locator("td").nth(3).inner_text()) == pytest.approx(following, abs=1e-3)
        lab.seek(0)
        expect(lab.chart(CURVE).get_by_text("step −5.4, loss falls")).to_be_visible()
        expect(lab.chart(CURVE).get_by_text("slope 54")).to_be_visible()
    with claim("the spreadsheet is downloaded without a run of the page"):
        lab.to_end()
        before = lab.count("runs")
        with lab.page.expect_download() as download:
            lab.page.get_by_role("button", name="Spreadsheet with live formulas").click()
        path = tmp_path / download.value.suggested_filename
        download.value.save_as(path)
        assert path.name == "one_parameter.xlsx"
        assert path.read_bytes().startswith(b"PK")
        assert lab.count("runs") == before
        assert lab.epoch() == 40
    with claim("a link to the same lesson changes the address"):
        before = lab.query
        lab.follow("Just above 1/9")
        lab.wait_for_query(learning_rate="0.112", epochs="100")
        for move, rate in ((lab.page.go_back, "0.1"), (lab.page.go_forward, "0.112")):
            with lab.rerun():
                move()
            lab.wait_for_query(learning_rate=rate)
            expect(lab.field("Learning rate η")).to_have_value(rate)
        with lab.rerun():
            lab.page.go_back()
        assert lab.query == before
    lab.mark()
    with claim("a click on the curve sets the start"):
        before = lab.ticks(CURVE, "X")
        x = click(lab, 0.2)
        assert number(lab.field("Start A").input_value()) == pytest.approx(x, abs=0.03)
        assert lab.ticks(CURVE, "X") == before
        expect(lab.button("Play")).to_be_disabled()
        assert "guess" not in lab.query
        lab.type("Start A", "-4")  # the field does the same by keyboard
        assert lab.query["start"] == "-4.0"
    with claim("a rising loss is drawn otherwise and leaves the chart"):
        for label, text in {"Start A": "2", "Learning rate η": "0.12", "Epochs": "60"}.items():
            lab.type(label, text)
        lab.answer("It flies away").to_end()
        assert "Diverged at epoch 47" in lab.verdict()
        expect(lab.chart(CURVE).get_by_text("is off the chart")).to_be_visible()
        lab.seek(0)
        expect(lab.chart(CURVE).get_by_text("loss rises")).to_be_visible()
        assert lab.chart(CURVE).locator("line[stroke-dasharray='7,4']").count() == 1
        expect(lab.chart(CURVE).get_by_text("is off the chart")).to_have_count(0)
        assert lab.count("embeds") == 0
