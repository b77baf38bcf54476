"""Continue from here: a run goes on from the epoch on screen, with the settings as they are then."""

from playwright.sync_api import expect

from gd_core.experiment import Experiment
from gd_core.recorder import record
from lab import Lab, same_digits

SHORT = "/?dataset=noisy-quadratic&learning_rate=0.02&scale_features=true&epochs=100"


def go_on(lab: Lab, epoch: int) -> None:
    """Stop at an epoch, press Continue from here, and let the rest be played."""
    lab.seek(epoch)
    before = lab.count("starts")
    lab.button("Continue from here").click()
    lab.page.wait_for_function("(before) => watch.starts > before", arg=before)


def shows(lab: Lab, experiment: Experiment, epoch: int) -> bool:
    """Whether the live numbers at an epoch are those that the core records."""
    recording = record(experiment)
    live = lab.seek(epoch).live()
    return same_digits(live["rmse"], float(recording.epoch_rmse[epoch])) and all(
        same_digits(live[f"p{i}"], float(recording.epoch_theta[epoch, i])) for i in range(3)
    )


def test_a_continued_run_is_one_run(lab: Lab):
    """40 epochs at one rate and 100 at another: both parts are what the core records for the address, epoch by epoch."""
    lab.open_page(SHORT).train().to_end()
    first = lab.experiment
    lab.type("Learning rate η", "0.2")
    go_on(lab, 40)
    assert lab.epoch() >= 40
    lab.to_end()
    assert lab.last == 140
    whole = lab.experiment
    assert [(phase.epochs, phase.learning_rate) for phase in whole.phases] == [(40, 0.02), (100, 0.2)]
    for epoch in (10, 40):
        assert shows(lab, first, epoch)
        assert shows(lab, whole, epoch)
    for epoch in (41, 90, 140):
        assert shows(lab, whole, epoch)
    expect(lab.note).to_have_text("")


def test_another_rule_takes_over(lab: Lab):
    """A run can go on with momentum, and then with Adam; the side bar tells the earlier parts."""
    lab.open_page(SHORT).train().to_end()
    lab.choose("Update rule", "Momentum")
    go_on(lab, 30)
    lab.to_end()
    lab.choose("Update rule", "Adam")
    go_on(lab, 60)
    lab.to_end()
    whole = lab.experiment
    assert [(phase.epochs, phase.optimizer) for phase in whole.phases] == [
        (30, "gradient-descent"), (30, "momentum"), (100, "adam"),
    ]  # fmt: skip
    for epoch in (20, 45, 61, 160):
        assert shows(lab, whole, epoch)
    expect(lab.sidebar).to_contain_text(
        "Goes on after 30 epochs of gradient descent at 0.02, then 30 epochs of momentum at 0.02."
    )


def test_the_earlier_part_can_be_forgotten(lab: Lab):
    """Forget the earlier part leaves an ordinary run from the start."""
    lab.open_page(SHORT).train().to_end()
    go_on(lab, 40)
    lab.to_end()
    with lab.rerun():
        lab.sidebar.get_by_role("button", name="Forget the earlier part").click()
    assert "before" not in lab.query
    lab.train().to_end()
    assert lab.last == 100


def test_a_continued_run_is_in_its_link(lab: Lab, visit):
    """The address of a continued run, opened elsewhere, trains to the same numbers."""
    lab.open_page(SHORT).train().to_end()
    lab.type("Learning rate η", "0.2")
    go_on(lab, 25)
    lab.to_end()
    other = visit().open_page(lab.page.url.removeprefix(lab.url))
    other.train().to_end()
    assert other.live() == lab.live()


def test_there_is_nothing_to_continue_at_the_start(lab: Lab):
    """The button is there from epoch 1 on, and not while it plays."""
    go_on_button = lab.open_page(SHORT).button("Continue from here")
    expect(go_on_button).to_be_hidden()
    lab.train()
    expect(go_on_button).to_be_hidden()
    lab.to_end()
    expect(go_on_button).to_be_visible()
    lab.seek(0)
    expect(go_on_button).to_be_hidden()


def test_the_ninth_part_gets_a_sentence(lab: Lab):
    """A run can be continued eight times; then a sentence says so, and the run stays."""
    lab.open_page(SHORT.replace("epochs=100", "epochs=10")).train().to_end()
    for part in range(8):
        go_on(lab, lab.last)
        lab.to_end()
        assert lab.last == 20 + 10 * part
    lab.seek(lab.last)
    with lab.rerun():
        lab.button("Continue from here").click()
    expect(lab.sidebar).to_contain_text("before must hold at most 8 phases. Got 9.")
    assert lab.last == 90
    lab.train().to_end()
    assert lab.last == 90
