"""Continue from here: a run goes on from the epoch on screen, with the settings as they are then."""

from playwright.sync_api import expect

from gd_core.recorder import record
from gd_core.settings.experiment import Experiment
from gd_core.settings.experiment_fields import Phase
from lab import Lab, claim, same_digits

SHORT = "/?dataset=noisy-quadratic&learning_rate=0.02&scale_features=true&epochs=100"


def go_on(lab: Lab, epoch: int) -> None:
    """Stop at an epoch, press Continue from here, and go to the end of what follows."""
    lab.seek(epoch)
    before = lab.count("starts")
    lab.button("Continue from here").click()
    lab.page.wait_for_function("(before) => watch.starts > before", arg=before)
    assert lab.epoch() >= epoch
    lab.to_end()


def shows(lab: Lab, experiment: Experiment, *epochs: int) -> bool:
    """Whether the live numbers at these epochs are those that the core records."""
    recording = record(experiment)
    for epoch in epochs:
        live = lab.seek(epoch).live()
        if not same_digits(live["rmse"], float(recording.epoch_rmse[epoch])):
            return False
        if not all(same_digits(live[f"p{i}"], float(recording.epoch_theta[epoch, i])) for i in range(3)):
            return False
    return True


def test_a_continued_run_is_one_run(lab: Lab, visit):
    """Another rate goes on from epoch 40, and then momentum and Adam: each part is what the core records for the address,
    which opened elsewhere trains to the same numbers; the side bar tells the parts. The button is there from epoch 1 on and
    not while it plays; the earlier part can be forgotten."""
    button = lab.open_page(SHORT).button("Continue from here")
    with claim("there is nothing to continue before a run, at its start, and while it plays"):
        expect(button).to_be_hidden()
        lab.train()
        expect(button).to_be_hidden()
        lab.to_end()
        expect(button).to_be_visible()
        lab.seek(0)
        expect(button).to_be_hidden()
    with claim("40 epochs at one rate and 100 at another: the numbers of both parts are the core's"):
        first = lab.experiment
        lab.type("Learning rate η", "0.2")
        go_on(lab, 40)
        assert lab.last == 140
        whole = lab.experiment
        assert [(phase.epochs, phase.learning_rate) for phase in whole.phases] == [(40, 0.02), (100, 0.2)]
        assert shows(lab, first, 10, 40)
        assert shows(lab, whole, 10, 40, 41, 90, 140)
        expect(lab.note).to_have_text("")
    with claim("its address, opened elsewhere, trains to the same numbers"):
        other = visit().open_page(lab.page.url.removeprefix(lab.url)).train().to_end()
        assert other.live() == lab.live()
        other.page.close()
    with claim("it goes on with momentum, and then with Adam"):
        lab.choose("Update rule", "Momentum")
        go_on(lab, 60)
        lab.choose("Update rule", "Adam")
        go_on(lab, 90)
        whole = lab.experiment
        assert [(phase.epochs, phase.optimizer) for phase in whole.phases] == [
            (40, "gradient-descent"), (20, "gradient-descent"), (30, "momentum"), (100, "adam"),
        ]  # fmt: skip
        assert shows(lab, whole, 20, 45, 75, 91, 190)
    with claim("the side bar tells the earlier parts"):
        expect(lab.sidebar).to_contain_text(
            "Goes on after 40 epochs of gradient descent at 0.02, then 20 epochs of gradient descent at 0.2,"
            " then 30 epochs of momentum at 0.2."
        )
    with claim("forgotten, the earlier part leaves an ordinary run from the start"):
        with lab.rerun():
            lab.sidebar.get_by_role("button", name="Forget the earlier part").click()
        assert "before" not in lab.query
        lab.train().to_end()
        assert lab.last == 100


def test_the_ninth_part_gets_a_sentence(lab: Lab):
    """A run can be continued eight times; then a sentence says so, and the run stays."""
    part = Phase(10, "gradient-descent", 0.02, 0.9, 0.99, 0.9, 0.999, 1e-8)
    seven = Experiment(learning_rate=0.02, scale_features=True, epochs=10, before=(part,) * 7)
    lab.open_page("/?" + "&".join(f"{name}={text}" for name, text in seven.to_query().items()))
    lab.train().to_end()
    assert lab.last == 80
    go_on(lab, 80)
    assert lab.last == 90
    with lab.rerun():
        lab.button("Continue from here").click()
    expect(lab.sidebar).to_contain_text("Before must hold at most 8 phases. Got 9.")
    assert (lab.epoch(), lab.last) == (90, 90)
