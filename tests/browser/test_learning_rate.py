"""The learning rate lesson in a real browser: four runs under one player, a click on the sweep, the challenge."""

import pytest
from playwright.sync_api import Locator, expect

from lab import PHONE, VIEWPORT, Lab, claim, same_digits

TABLET = {"width": 820, "height": 1180}
# Labels of the sweep, numbers of its axes beside them, that lie on one another or reach beyond the chart.
CROWDED = """() => {
    const chart = document.querySelector('.st-key-click_sweep svg.marks');
    const edge = chart.getBoundingClientRect();
    const labels = [...chart.querySelectorAll('.mark-text.role-mark text')]
        .filter((one) => one.textContent.trim().length > 1 && getComputedStyle(one).stroke === 'none')
        .map((one) => [one.textContent.trim(), one.getBoundingClientRect()]);
    const meet = (a, b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
    const found = labels.filter(([, a]) => a.left < edge.left || a.right > edge.right).map(([name]) => `${name} beyond the chart`);
    labels.forEach(([name, a], place) => labels.slice(place + 1).forEach(([other, b]) => meet(a, b) && found.push(`${name} on ${other}`)));
    return labels.length > 2 ? found : ['labels are missing'];
}"""


def rate(lab: Lab, number: int) -> Locator:
    return lab.page.get_by_role("textbox", name=f"Learning rate η of run {number}", exact=True)


def press(lab: Lab, name: str) -> None:
    with lab.rerun():
        lab.page.get_by_role("button", name=name, exact=True).click()


def test_four_runs_play_side_by_side(lab: Lab):
    """After the answer all charts but the sweep move together, without a new embed; a click gives a run its rate.

    At the end it is judged. At 1400 × 900 the question, the six charts and the player with its sentence need no scrolling.
    In the middle of the sweep's logarithmic axis lies the root of its two ends; nobody is asked again. An attempt is listed
    with its epochs and score, and the run above goes on undisturbed. Other data sets have another picture: paths on the map,
    or jumps along the parabola; six charts, and a truth that is told.
    """
    lab.open_page("/learning_rate?pick=3")
    expect(lab.charts).to_have_count(6)
    lab.mark()
    with claim("the runs play to their end and are judged"):
        lab.answer("Run 2").passed(2).play_through()
        assert lab.chart_epochs() == {"15"}
        assert lab.judged().startswith("You were right: run 2.")
        assert same_digits(lab.live()["rmse1"], 1.46982, 5)
        diverged = lab.page.get_by_text("· diverged at epoch 13", exact=True)
        expect(diverged).to_be_visible()
    with claim("everything is on one screen"):
        for part in (lab.page.locator(".st-key-predict"), *lab.charts.all(), lab.player.locator(".said")):
            box = part.bounding_box()
            assert box["y"] >= 0
            assert box["y"] + box["height"] <= 900
    lab.seek(5)
    expect(diverged).to_be_hidden()
    with claim("a click on the sweep gives a run its rate"):
        before = {n: rate(lab, n).input_value() for n in (1, 2, 4)}
        plot = lab.page.locator(
            ".st-key-click_sweep svg.marks .role-frame > g > path.background"
        ).bounding_box()
        with lab.rerun():
            lab.page.mouse.click(plot["x"] + plot["width"] / 2, plot["y"] + plot["height"] / 3)
        limit = 0.4043815
        assert float(rate(lab, 3).input_value()) == pytest.approx(limit * (4e-3 * 2.5) ** 0.5, rel=0.02)
        assert {n: rate(lab, n).input_value() for n in (1, 2, 4)} == before
        assert lab.query["guess"] == "skip"
        assert lab.query["rates"].split(",")[2] == rate(lab, 3).input_value()
        assert lab.count("embeds") == 0
    with claim("a rate is tried and scored, and the run goes on undisturbed"):
        lab.type("Epochs", "30")
        lab.answer("Skip").to_end()
        starts = lab.count("starts")
        press(lab, "Try this rate")
        expect(lab.page.locator("table.attempts tr").last).to_have_text("10.12733 ★ best")
        press(lab, "Show the best rate")
        expect(lab.page.get_by_text("The best fixed rate, 0.302, needs 9.")).to_be_visible()
        assert lab.epoch() == 30
        assert (lab.count("embeds"), lab.count("starts")) == (0, starts)
    for dataset in ("two-features", "one-parameter"):
        with claim(f"{dataset} has another picture"):
            lab.go(f"/learning_rate?dataset={dataset}&epochs=15").answer("Run 2").to_end()
            assert lab.charts.count() == 6
            assert lab.judged().startswith("You were right: run 2.")


def test_no_label_of_the_sweep_lies_on_another(visit):
    """On a desk, a tablet, a phone and a projector: with a narrow zone, a best rate above the limit, or one high up in the chart."""
    lab = visit()
    for name, settings in {
        "plain": "",
        "above the limit": "&schedule=exponential:0.8&warmup=3",
        "high up": "&epochs=1&schedule=cosine:0:0.01",
    }.items():
        lab.page.set_viewport_size(VIEWPORT)
        lab.open_page(f"/learning_rate?guess=skip{settings}")
        for size in (VIEWPORT, TABLET, PHONE):
            with claim(f"{name}, {size['width']} pixels"):
                lab.page.set_viewport_size(size)
                assert lab.at_rest().page.evaluate(CROWDED) == []
        with claim(f"{name}, projector"):
            lab.page.set_viewport_size({"width": 1280, "height": 720})
            lab.go(f"/learning_rate?guess=skip&view=projector{settings}").settled()
            assert lab.page.evaluate(CROWDED) == []
