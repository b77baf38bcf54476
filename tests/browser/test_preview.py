"""While the rate is dragged on Train, the charts draw where it would lead."""

import re

import numpy as np
from playwright.sync_api import expect

from lab import ERROR, MAP, Lab, claim

DASHED = ".mark-line path[stroke-dasharray='4,3']"
STRONG = ".mark-line path[stroke-width='2.5']"


def drawn(lab: Lab, chart: str, line: str) -> np.ndarray:
    """A line's points in pixels, [points, 2]."""
    path = lab.chart(chart).locator(line).first
    expect(path).to_have_attribute("d", re.compile(r"^M.*L"))
    points = re.findall(r"(-?[\d.]+(?:e-?\d+)?),(-?[\d.]+(?:e-?\d+)?)", path.get_attribute("d") or "")
    return np.array(points, dtype=float)


def drag(lab: Lab, share: float) -> float:
    """Move the thumb and hold it; the rate that the strip says."""
    strip = lab.page.get_by_role("slider", name="Learning rate, logarithmic")
    strip.evaluate("(one, at) => { one.value = at; one.dispatchEvent(new Event('input')); }", 1000 * share)
    return float(re.findall(r"η = ([\d.]+):", strip.get_attribute("aria-valuetext") or "")[0])


def test_the_charts_follow_the_rate_while_it_is_dragged(lab: Lab):
    """What is drawn for a rate that is not trained is where it then goes, on map and error chart, without a message to the
    server; the old verdict is not said beside it. It goes when the rate is trained, and Adam has none."""
    lab.open_page("/?dataset=noisy-quadratic&learning_rate=0.02&scale_features=true&epochs=100")
    lab.train().to_end()
    expect(lab.summary).to_be_visible()
    with claim("before the thumb moves nothing is dashed"):
        assert lab.chart(ERROR).locator(DASHED).count() == 0
    for share in (0.55, 0.799):
        with claim("the dashed lines are the run’s own at that rate"):
            rate = drag(lab, share)
            expect(lab.chart(ERROR)).to_contain_text("dashed: the new rate, not trained yet")
            expect(lab.summary).to_be_hidden()
            foreseen = {name: drawn(lab, name, DASHED) for name in (ERROR, MAP)}
            lab.type("Learning rate η", f"{rate:.12g}")
            expect(lab.chart(ERROR).locator(DASHED)).to_have_count(1)
            lab.train().to_end()
            for name, points in foreseen.items():
                run = drawn(lab, name, STRONG)
                # each point of the run, thinned, is one of the dashed line
                apart = np.abs(run[:, None] - points[None]).max(-1).min(1)
                assert apart.max() < 0.6, name
        with claim("a trained rate needs no preview"):
            expect(lab.chart(ERROR).locator(DASHED)).to_have_count(0)
            expect(lab.summary).to_be_visible()
    with claim("a rule without a closed form says that it has none"):
        lab.open_page(
            "/?dataset=noisy-quadratic&optimizer=adam&learning_rate=0.1&scale_features=true&epochs=100"
        )
        strip = lab.page.get_by_role("slider", name="Learning rate, logarithmic")
        strip.evaluate("one => { one.value = 300; one.dispatchEvent(new Event('input')); }")
        expect(
            lab.page.get_by_text("Charts follow the rate only for gradient descent on all rows")
        ).to_be_visible()
