"""The lesson on the gradient in a browser: bars that move, a row and a step size chosen by a click."""

import pytest
from playwright.sync_api import expect

from gd_core.lessons.gradient.per_row import contributions
from gd_core.problem import build
from gd_core.recorder import record
from lab import Lab, claim, number, same_digits

RUN = (
    "/gradient?dataset=two-features&points=20&noise=3.0&start=2,1,0&learning_rate=0.1&epochs=40&further=true"
)
BARS, STEPS = "A bar for each row", "Distance of the finite difference"


def bars(lab, chart=0):
    """The rectangles of a chart: places and heights in pixels, from left to right; the marked one is left out."""
    boxes = lab.page.locator(f".st-key-click_bars_{chart} svg.marks .mark-rect.role-mark").first.locator(
        "path"
    )
    return boxes.evaluate_all(
        "all => all.map((bar) => bar.getBBox()).map(({ x, y, width, height }) => [x, y, width, height])"
    )


def typed(lab, text):
    """Type a step size, which stands beside its chart."""
    field = lab.page.get_by_role("textbox", name="Step size h", exact=True)
    with lab.rerun():
        field.fill(text)
        field.press("Enter")


def click_at(lab, name, share_x, share_y=0.5):
    """Click on a plot, at shares of its width and height from the upper left corner."""
    plot = lab.page.locator(f".st-key-click_{name} svg.marks .role-frame > g > path.background")
    plot.evaluate("plot => plot.scrollIntoView({ block: 'center' })")  # not under the player
    box = plot.bounding_box()
    with lab.rerun():
        lab.page.mouse.click(box["x"] + share_x * box["width"], box["y"] + share_y * box["height"])


def test_bars_rows_and_step_sizes(lab: Lab):
    """After the answer the bars move by themselves, each as long as its row's pull; a click chooses a row or a step size.

    Frame by frame, without a run of the script and without a chart drawn anew. At several epochs each drawn bar is as long
    as its row's 2(ŷᵢ − yᵢ)x₁ᵢ, and the line stands at their mean. A clicked row's number stands in the field, its numbers
    beside it, and the run stays where it is. Nine of sixteen powers of ten across the chart of step sizes is h = 1e-7; the
    field does the same, and the sentence follows. Another rate and other data of the same kind only replace the tables.
    """
    lab.open_page(RUN)
    assert lab.charts.count() == 4
    before = bars(lab)
    lab.mark()
    with claim("the run plays by itself and asks nothing of the server"):
        lab.speed("¼×").answer("They stay, but cancel: mean 0")
        runs = lab.count("runs")
        lab.passed(12)  # at most two epochs a frame at this speed, however slow the machine
        lab.to_end()
        assert bars(lab) != before
        assert lab.count("frames") > 5
        assert lab.count("runs") == runs
        assert lab.judged().startswith("You were right: they stay, but cancel: mean 0.")
    with claim("the bars are the contributions"):
        problem, recording = build(lab.experiment), record(lab.experiment)
        slope, at = lab.ticks(f"{BARS}: what it adds to the slope for w₁,", "Y")
        for epoch in (0, 5, 40):
            lab.seek(epoch).charts_at(epoch)
            pull = contributions(problem.objective, recording.epoch_theta[epoch])[:, 0].tolist()
            drawn = bars(lab)
            assert len(drawn) == 20
            for (_, y, _, height), value in zip(drawn, pull, strict=True):
                far = y if value > 0 else y + height  # the end that is not on the zero line
                assert slope * far + at == pytest.approx(value, abs=1.0)
            assert same_digits(lab.live()["g0"], float(recording.gradient[epoch, 0]))
            assert number(lab.live()["sum0"]) == pytest.approx(sum(pull), rel=1e-3)
    with claim("a click on a bar writes its row out"):
        click_at(lab, "bars_1", 2.5 / 20)
        lab.wait_for_query(row="3")
        expect(lab.field("Row i")).to_have_value("3")
        expect(lab.page.get_by_text("Row 3, and all 20 rows")).to_be_visible()
        assert lab.epoch() == 40
        expect(lab.chart(BARS).first.get_by_text("row 3").first).to_be_visible()
    with claim("a click on the chart of step sizes sets h"):
        click_at(lab, "steps", 9 / 16)
        assert number(lab.query["h"]) == pytest.approx(1e-7, rel=0.3)
        expect(lab.page.locator(".said-of-h")).to_contain_text("About the best for a forward difference")
        typed(lab, "1e-300")
        expect(lab.page.locator(".said-of-h")).to_contain_text("h = 1e−300 is lost")
        expect(lab.chart(STEPS).get_by_text("your h is left of the chart")).to_be_visible()
        assert lab.live()["finite0"] == "0"
        typed(lab, "0")
        expect(lab.page.get_by_text("h must be a number between 1e-300 and 1. Got 0.")).to_be_visible()
        expect(lab.page.get_by_role("textbox", name="Step size h", exact=True)).to_have_value("0")
    with claim("a new run draws nothing anew"):
        lab.type("Rate η", "0.3")
        lab.type("Noise", "0")
        lab.answer("They all shrink to nothing").to_end()
        assert lab.judged().startswith("You were right: they all shrink to nothing.")
        assert lab.count("embeds") == 0
