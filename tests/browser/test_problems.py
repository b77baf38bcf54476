"""Every data set, loss, update rule and kind of batch runs on the page, and the tabs below show their content."""

import pytest
from playwright.sync_api import expect

from gd_core.catalog import OPTIMIZER_INFO
from gd_core.recorder import record
from lab import ERROR, FIT, Lab, same_digits

QUADRATIC = "/?dataset=noisy-quadratic&scale_features=true&learning_rate=0.05&epochs=60"
TWO = "/?dataset=two-features&learning_rate=0.1&epochs=30"
ONE = "/?dataset=one-parameter&learning_rate=0.1&epochs=30"
AGREEMENT, ALONG, PARABOLA = "Predicted against actual", "y over x", "The loss as a curve"


def agrees_with_the_core(lab: Lab) -> None:
    """The live RMSE at the end is that of the same experiment trained without a page."""
    expected = record(lab.experiment).epoch_rmse
    assert lab.epoch() == len(expected) - 1
    assert same_digits(lab.live()["rmse"], float(expected[-1]))


def test_two_features_show_agreement_and_both_fits(lab: Lab):
    """Predicted against actual, and the line along each feature, all follow the player."""
    lab.open_page(TWO).train().to_end()
    agrees_with_the_core(lab)
    along = lab.page.locator(f".stVegaLiteChart[aria-label^='{ALONG}']")
    expect(along).to_have_count(2)
    at_end = [lab.drawing(AGREEMENT), *(along.nth(i).inner_html() for i in range(2))]
    lab.button("To start").click()
    assert all(
        now != then
        for now, then in zip(
            [lab.drawing(AGREEMENT), *(along.nth(i).inner_html() for i in range(2))], at_end, strict=True
        )
    )
    expect(lab.page.get_by_text("125 of 1,000 rows drawn")).to_be_visible()


def test_one_parameter_shows_the_parabola(lab: Lab):
    """A single parameter has no plane to show: its loss is a curve with the run on it."""
    lab.open_page(ONE).train().to_end()
    agrees_with_the_core(lab)
    expect(lab.chart(PARABOLA)).to_be_visible()


def test_the_mistaken_loss_shows_both_numbers(lab: Lab):
    """Under the shape mistake RMSE and the root of the minimised loss are both shown, and they differ."""
    lab.open_page(TWO + "&loss=mse-broadcast").train().to_end()
    agrees_with_the_core(lab)
    live = lab.live()
    root = float(record(lab.experiment).epoch_loss[-1]) ** 0.5
    assert same_digits(live["root_loss"], root)
    assert live["root_loss"] != live["rmse"]


def test_every_update_rule_trains(lab: Lab):
    """Each rule can be chosen, one after another, and ends where the core ends."""
    lab.open_page(QUADRATIC)
    for optimizer in OPTIMIZER_INFO:
        if optimizer != lab.experiment.optimizer:
            lab.choose("Update rule", OPTIMIZER_INFO[optimizer].title)
        lab.train().to_end()
        assert lab.experiment.optimizer == optimizer
        agrees_with_the_core(lab)


@pytest.mark.parametrize("batch_size", [1, 6])
def test_mini_batches_train(lab: Lab, batch_size):
    """A batch size counts rows, and the same seed gives the core's numbers."""
    lab.open_page(QUADRATIC + f"&batch_size={batch_size}&seed=5").train().to_end()
    agrees_with_the_core(lab)
    expect(lab.sidebar.get_by_text("Mini-batches have no sharp limit")).to_be_visible()


TABS = {
    "In numbers": "Condition number κ",
    "Parameters": "A cross every tenth of the run",
    "Steps": "The step that leaves this epoch",
    "Six steps": "the first article’s figure",
    "Gap to optimum": "What each direction does",
}


@pytest.mark.parametrize("path", [QUADRATIC + "&optimizer=adam", TWO, ONE], ids=["quadratic", "two", "one"])
def test_every_tab_has_its_content_and_leaves_the_run_alone(lab: Lab, path):
    """A tab opens while the run is shown, says what it should, and the player stays where it was."""
    lab.open_page(path).train().to_end()
    for tab, content in TABS.items():
        lab.seek(12)
        lab.page.get_by_role("tab", name=tab, exact=True).click()
        expect(lab.page.get_by_text(content)).to_be_visible()
        lab.settled().charts_at(12)
        assert lab.epoch() == 12
        lab.button("Step forward").click()
        lab.charts_at(13)


def test_a_step_taken_apart_has_this_epochs_numbers(lab: Lab):
    """Autograd, formula and finite difference agree at the player's epoch, and change with it."""
    lab.open_page(QUADRATIC + "&optimizer=momentum").train().to_end()
    lab.page.get_by_role("tab", name="Steps", exact=True).click()
    expect(lab.page.get_by_text("The step that leaves this epoch")).to_be_visible()
    recording = record(lab.experiment)
    for epoch in (3, 40):
        lab.seek(epoch)
        lab.page.wait_for_function("document.querySelector('[data-live=finite0]').textContent !== '·'")
        live = lab.live()
        for i in range(3):
            exact = float(recording.gradient[epoch, i])
            assert same_digits(live[f"g{i}"], exact)
            assert same_digits(live[f"formula{i}"], exact)
            assert same_digits(live[f"finite{i}"], exact, digits=4)


def test_a_data_set_change_shows_the_new_problem(lab: Lab):
    """Choosing another data set shows its start; the old run is found again by going back."""
    lab.open_page(QUADRATIC).train().to_end()
    lab.choose("Data set", "Two features")
    expect(lab.chart(AGREEMENT)).to_be_visible()
    assert lab.epoch() == 0
    expect(lab.button("Play")).to_be_disabled()
    lab.page.go_back()
    expect(lab.chart(FIT)).to_be_visible()
    lab.page.wait_for_function("+document.querySelector('.stVegaLiteChart input[name=epoch]').value === 60")
    expect(lab.chart(ERROR)).to_be_visible()
    assert lab.verdict()
