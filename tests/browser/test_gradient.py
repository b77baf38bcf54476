"""The lesson on the gradient in a browser: bars that move, a row and a step size chosen by a click."""

import pytest
from playwright.sync_api import expect

from gd_core.experiment import Experiment
from gd_core.problem import build
from gd_core.recorder import record
from gd_core.slopes import contributions
from lab import number, same_digits

RUN = "/gradient?dataset=two-features&points=20&noise=3.0&start=2,1,0&learning_rate=0.1&epochs=40"
BARS, STEPS = "A bar for each row", "Distance of the finite difference"


def bars(lab, chart=0):
    """The rectangles of a chart: places and heights in pixels, from left to right; the marked one is left out."""
    boxes = lab.page.locator(f".st-key-click_bars_{chart} svg.marks .mark-rect.role-mark").first.locator(
        "path"
    )
    return boxes.evaluate_all(
        "all => all.map((bar) => bar.getBBox()).map(({ x, y, width, height }) => [x, y, width, height])"
    )


def click_at(lab, name, share_x, share_y=0.5):
    """Click on a plot, at shares of its width and height from the upper left corner."""
    plot = lab.page.locator(f".st-key-click_{name} svg.marks .role-frame > g > path.background")
    box = plot.bounding_box()
    with lab.rerun():
        lab.page.mouse.click(box["x"] + share_x * box["width"], box["y"] + share_y * box["height"])


def test_the_bars_are_the_contributions(lab):
    """At several epochs each drawn bar is as long as its row's 2(ŷᵢ − yᵢ)x₁ᵢ, and the line stands at their mean."""
    lab.open_page(RUN + "&guess=skip").to_end()
    experiment, _ = Experiment.from_query(lab.query)
    problem, recording = build(experiment), record(experiment)
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


def test_the_run_plays_by_itself_and_asks_nothing_of_the_server(lab):
    """After the answer the bars move frame by frame, without a run of the script and without a chart drawn anew."""
    lab.open_page(RUN)
    before = bars(lab)
    lab.speed("¼×").answer("They stay, but cancel: mean 0")
    lab.mark()
    lab.passed(12)  # at most two epochs a frame at this speed, however slow the machine
    lab.to_end()
    assert bars(lab) != before
    assert lab.count("frames") > 5
    assert lab.count("runs") == 0
    assert lab.count("embeds") == 0
    assert lab.verdict().startswith("You were right: they stay, but cancel: mean 0.")


def test_a_click_on_a_bar_writes_its_row_out(lab):
    """The clicked row's number stands in the field, its numbers beside it; the run stays where it is."""
    lab.open_page(RUN + "&guess=skip").to_end()
    lab.mark()
    click_at(lab, "bars_1", 2.5 / 20)
    lab.wait_for_query(row="3")
    expect(lab.field("Row i")).to_have_value("3")
    expect(lab.page.get_by_text("Row 3, and all 20 rows")).to_be_visible()
    assert lab.epoch() == 40
    assert lab.count("embeds") == 0
    expect(lab.chart(BARS).first.get_by_text("row 3").first).to_be_visible()


def test_a_click_on_the_chart_of_step_sizes_sets_h(lab):
    """Nine of sixteen powers of ten across is h = 1e-7; a field does the same, and the sentence follows."""
    lab.open_page(RUN)
    click_at(lab, "steps", 9 / 16)
    assert number(lab.query["h"]) == pytest.approx(1e-7, rel=0.3)
    expect(lab.page.locator(".said-of-h")).to_contain_text("About the best for a forward difference")
    lab.mark()
    lab.type("Step size h", "1e-300")
    expect(lab.page.locator(".said-of-h")).to_contain_text("h = 1e−300 is lost")
    expect(lab.chart(STEPS).get_by_text("your h is left of the chart")).to_be_visible()
    assert lab.live()["finite0"] == "0"
    lab.type("Step size h", "0")
    expect(lab.complaint).to_contain_text("h must be a number between 1e-300 and 1. Got 0.")
    expect(lab.field("Step size h")).to_have_value("0")
    assert lab.count("embeds") == 0


def test_a_new_run_draws_nothing_anew(lab):
    """Another rate and other data of the same kind only replace the tables of the four charts."""
    lab.open_page(RUN + "&guess=skip").to_end()
    assert lab.charts.count() == 4
    lab.mark()
    lab.type("Rate η", "0.3")
    lab.type("Noise", "0")
    lab.answer("They all shrink to nothing").to_end()
    assert lab.verdict().startswith("You were right: they all shrink to nothing.")
    assert lab.count("embeds") == 0


def test_a_reload_gives_the_same(lab):
    """Run, row, step size, kind and answer are in the address."""
    lab.open_page(RUN + "&guess=still&row=5&h=1e-10&kind=central&parameter=3").to_end()
    said, numbers, address = lab.verdict(), lab.live(), lab.query
    lab.page.reload()
    lab.settled().to_end()
    assert (lab.verdict(), lab.live(), lab.query) == (said, numbers, address)


def test_a_phone_shows_everything(visit):
    """At 390 pixels nothing scrolls sideways, and the player stays in reach."""
    lab = visit(viewport={"width": 390, "height": 844}).open_page(RUN + "&guess=skip").to_end()
    main = lab.page.get_by_test_id("stMain")
    assert main.evaluate("main => main.scrollWidth <= main.clientWidth")
    for part in lab.page.locator("table.live, svg.marks").all():
        box = part.bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 391
    expect(lab.slider).to_be_in_viewport()


def test_axe_finds_no_serious_fault(lab):
    """Nothing serious or critical, with the question open and at the end of a run."""
    lab.open_page(RUN)
    for _ in range(2):
        assert lab.serious_faults_by_theme() == {}
        if not lab.query.get("guess"):
            lab.answer("Skip").to_end()
