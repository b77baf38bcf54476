"""Every kind of problem on the page: its charts, its numbers, and the tabs below with their content."""

from playwright.sync_api import expect

from gd_core.recorder import record
from lab import CHART, ERROR, FIT, VIEWPORT, Lab, claim, same_digits

QUADRATIC = "/?dataset=noisy-quadratic&scale_features=true&learning_rate=0.05&epochs=60"
TWO = "/?dataset=two-features&learning_rate=0.1&epochs=30"
ONE = "/?dataset=one-parameter&learning_rate=0.1&epochs=30"
LOW = {"width": 1280, "height": 720}
AGREEMENT, ALONG, PARABOLA = "Predicted against actual", "y over x", "The loss as a curve"
TABS = {
    "In numbers": "Condition number κ",
    "Parameters": "A cross every tenth of the run",
    "Steps": "The step that leaves this epoch",
    "Six steps": "the first article’s figure",
    "Gap to optimum": "What each direction does",
}


def agrees_with_the_core(lab: Lab) -> None:
    """The live RMSE at the end is that of the same experiment trained without a page."""
    expected = record(lab.experiment).epoch_rmse
    assert lab.epoch() == len(expected) - 1
    assert same_digits(lab.live()["rmse"], float(expected[-1]))


def every_tab_has_its_content(lab: Lab) -> None:
    """A tab opens while the run is shown, says what it should, and the player stays where it was and plays on."""
    for tab, content in TABS.items():
        lab.seek(12)
        lab.closer(tab).click()
        expect(lab.page.get_by_text(content)).to_be_visible()
        lab.settled().charts_at(12)
        assert lab.epoch() == 12
        lab.button("Step forward").click()
        lab.charts_at(13)


def test_the_noisy_quadratic_by_rule_and_batch(lab: Lab):
    """Under Adam every tab has its content and leaves the run alone; then another rule and batches of one row and of six.

    A rule can be chosen, and each run ends where the core ends. A step taken apart has this epoch's numbers: autograd,
    formula and finite difference agree at the player's epoch, and change with it. A batch size counts rows, and the same
    seed gives the core's numbers. Another data set shows its start, and the old run is found again by going back.
    """
    lab.open_page(QUADRATIC + "&optimizer=adam&seed=5").train().to_end()
    with claim("every tab has its content and leaves the run alone"):
        agrees_with_the_core(lab)
        every_tab_has_its_content(lab)
    with claim("a step taken apart has this epoch’s numbers"):
        lab.choose("Update rule", "Momentum")
        lab.train().to_end()
        assert lab.experiment.optimizer == "momentum"
        agrees_with_the_core(lab)
        lab.closer("Steps").click()
        expect(lab.page.get_by_text("The step that leaves this epoch")).to_be_visible()
        lab.settled()
        recording = record(lab.experiment)
        for epoch in (3, 40):
            lab.seek(epoch)
            lab.page.wait_for_function(
                "() => document.querySelector('[data-live=finite0]').textContent !== '·'"
            )
            live = lab.live()
            for i in range(3):
                exact = float(recording.gradient[epoch, i])
                assert same_digits(live[f"g{i}"], exact)
                assert same_digits(live[f"formula{i}"], exact)
                assert same_digits(live[f"finite{i}"], exact, digits=4)
    for batch_size in ("1", "6"):
        with claim(f"batches of {batch_size} train"):
            lab.type("Batch size", batch_size)
            lab.train().to_end()
            agrees_with_the_core(lab)
            expect(lab.sidebar.get_by_text("Mini-batches have no sharp limit")).to_be_visible()
    with claim("another data set shows the new problem, and Back the old run"):
        lab.choose("Data set", "Two features")
        expect(lab.chart(AGREEMENT)).to_be_visible()
        assert lab.epoch() == 0
        expect(lab.button("Play")).to_be_disabled()
        lab.page.go_back()
        expect(lab.chart(FIT)).to_be_visible()
        lab.page.wait_for_function(f"() => +document.querySelector('{CHART} input[name=epoch]').value === 60")
        expect(lab.chart(ERROR)).to_be_visible()
        assert lab.verdict()


def test_two_features_and_one_parameter(lab: Lab):
    """Two features: predicted against actual, and the line along each feature, follow the player; every tab has its content.

    Under the shape mistake RMSE and the root of the minimised loss are both shown, and they differ. A single parameter has
    no plane to show: its loss is a curve with the run on it; its tabs have their content, too.
    """
    lab.open_page(TWO).train().to_end()
    with claim("two features show agreement and both fits"):
        agrees_with_the_core(lab)
        along = lab.page.locator(f"{CHART}[aria-label^='{ALONG}']")
        expect(along).to_have_count(2)

        def drawn() -> list[str]:
            return [lab.drawing(AGREEMENT), *(along.nth(i).inner_html() for i in range(2))]

        at_end = drawn()
        lab.button("To start").click()
        assert all(now != then for now, then in zip(drawn(), at_end, strict=True))
        expect(lab.page.get_by_text("125 of 1,000 rows drawn")).to_be_visible()
        every_tab_has_its_content(lab)
    with claim("in a low window, three panels beside each other, each chart is wide enough to be read"):
        lab.in_window(LOW)
        assert min(chart.bounding_box()["width"] for chart in lab.charts.all()) >= 120
        lab.in_window(VIEWPORT)
    with claim("the mistaken loss shows both numbers"):
        lab.go(TWO + "&loss=mse-broadcast").train().to_end()
        agrees_with_the_core(lab)
        live = lab.live()
        root = float(record(lab.experiment).epoch_loss[-1]) ** 0.5
        assert same_digits(live["root_loss"], root)
        assert live["root_loss"] != live["rmse"]
    with claim("one parameter shows the parabola"):
        lab.go(ONE).train().to_end()
        agrees_with_the_core(lab)
        expect(lab.chart(PARABOLA)).to_be_visible()
        every_tab_has_its_content(lab)
