"""The player: what its buttons, its keys and its slider do, and what a run costs the browser."""

import re

import pytest
from playwright.sync_api import expect

from lab import ERROR, FIT, MAP, Lab

SHORT = "/?dataset=noisy-quadratic&learning_rate=0.3&scale_features=true&epochs=100"


@pytest.fixture
def trained(lab: Lab) -> Lab:
    """A visitor whose run of 100 epochs has been played to its end."""
    return lab.open_page(SHORT).train().to_end()


def test_train_plays_to_the_end(lab: Lab):
    """One press of Train plays every epoch of the run, and then the outcome is named."""
    lab.open_page(SHORT).train()
    expect(lab.button("Pause")).to_be_visible()
    lab.speed("4×").ended()
    assert lab.epoch() == 100
    assert lab.chart_epochs() == {"100"}
    assert lab.verdict().startswith("Converged at epoch ")
    assert "floor 1.46727" in lab.verdict()


def test_every_button_moves_the_run(trained: Lab):
    """From epoch 50, each button of the player moves the slider and every chart to the epoch in its name."""
    moves = {
        "To start": 0, "Back 10": 40, "Step back": 49, "Step forward": 51, "Forward 10": 60, "To end": 100,
    }  # fmt: skip
    for name, epoch in moves.items():
        trained.seek(50).button(name).click()
        assert (name, trained.epoch(), trained.chart_epochs()) == (name, epoch, {str(epoch)})


def test_no_button_leaves_the_run(trained: Lab):
    """Steps beyond the first and the last epoch stay there."""
    for name in ("Step forward", "Forward 10", "To end"):
        trained.button(name).click()
        assert trained.epoch() == 100
    trained.seek(4).button("Back 10").click()
    assert trained.epoch() == 0
    trained.button("Step back").click()
    assert trained.epoch() == 0


def test_every_key_moves_the_run(trained: Lab):
    """←, →, Home and End do the same as the buttons, wherever on the page one is not typing."""
    trained.seek(50)
    trained.page.get_by_text("Error by epoch").click()
    for key, epoch in {"ArrowLeft": 49, "ArrowRight": 50, "End": 100, "Home": 0}.items():
        trained.page.keyboard.press(key)
        assert (key, trained.epoch(), trained.chart_epochs()) == (key, epoch, {str(epoch)})


def test_space_plays_and_pauses(trained: Lab):
    """Space at the end plays the run again from its start; space once more holds it."""
    trained.page.get_by_text("Error by epoch").click()
    trained.page.keyboard.press("Space")
    expect(trained.button("Pause")).to_be_visible()
    trained.page.keyboard.press("Space")
    expect(trained.button("Play")).to_be_visible()
    assert trained.epoch() < 100
    trained.page.keyboard.press("Space")
    expect(trained.button("Pause")).to_be_visible()
    trained.speed("4×").ended()
    assert trained.epoch() == 100


def test_keys_write_while_one_types(trained: Lab):
    """In a text field the same keys write and move the caret, and the run stays where it is."""
    trained.seek(50)
    field = trained.field("Learning rate η")
    field.click()
    for key in ("Home", "ArrowRight", "ArrowLeft", "End", "Space"):
        trained.page.keyboard.press(key)
    expect(field).to_have_value("0.3 ")
    assert trained.epoch() == 50
    expect(trained.button("Play")).to_be_visible()


def test_keys_wait_for_a_run(lab: Lab):
    """Before there is a run, space and the arrows do not start the player."""
    lab.open_page(SHORT)
    lab.page.get_by_text("Error by epoch").click()
    for key in ("Space", "ArrowRight", "End"):
        lab.page.keyboard.press(key)
        expect(lab.button("Play")).to_be_disabled()


def test_an_end_pressed_too_early_does_not_scroll(lab: Lab):
    """Home and End are the player's before there is a run, too, and on Train beside it; Page Down still scrolls."""
    lab.page.set_viewport_size({"width": 1400, "height": 500})
    lab.open_page(SHORT)
    top = "() => document.querySelector('[data-testid=stMain]').scrollTop"
    for place in (lab.page.get_by_test_id("stMain"), lab.command("Train")):
        place.focus()
        before = lab.page.evaluate(top)
        for key in ("Home", "End"):
            lab.page.keyboard.press(key)
            assert lab.page.evaluate(top) == before
        expect(lab.button("Play")).to_be_disabled()
    lab.page.keyboard.press("PageDown")
    lab.page.wait_for_function(f"(before) => ({top})() > before", arg=before)


def test_keys_belong_to_the_control_that_has_the_focus(trained: Lab):
    """On the strip of rates, ← moves its thumb and space presses its button; the run stays where it is."""
    trained.seek(50)
    strip = trained.sidebar.get_by_role("slider", name="Learning rate, logarithmic")
    strip.focus()
    with trained.rerun():
        trained.page.keyboard.press("ArrowLeft")
    assert 0.28 < float(trained.field("Learning rate η").input_value()) < 0.3
    trained.sidebar.get_by_role("button", name=re.compile("^Limit ")).focus()
    with trained.rerun():
        trained.page.keyboard.press("Space")
    assert float(trained.field("Learning rate η").input_value()) == pytest.approx(0.404382, rel=1e-5)
    assert trained.epoch() == 50
    expect(trained.button("Play")).to_be_visible()


def test_keys_with_a_modifier_belong_to_the_browser(trained: Lab):
    """Keys pressed together with Control or Alt move no run."""
    trained.seek(50)
    trained.page.get_by_text("Error by epoch").click()
    trained.page.keyboard.press("Control+Home")
    assert trained.epoch() == 50


def test_pause_holds_every_chart(lab: Lab):
    """Pause stops slider and charts at one epoch, and Play goes on from there."""
    lab.open_page(SHORT).train()
    lab.passed(5)
    lab.button("Pause").click()
    held = lab.paused().epoch()
    assert 5 < held < 100
    assert lab.chart_epochs() == {str(held)}
    lab.speed("4×").button("Play").click()
    lab.ended()
    assert lab.epoch() == 100


def test_dragging_the_slider_pauses(lab: Lab):
    """A hand on the slider stops the playing, and everything on the page follows it."""
    lab.open_page(SHORT).train()
    lab.seek(37).paused()
    assert lab.chart_epochs() == {"37"}
    seen = {key: lab.drawing(key) for key in (FIT, MAP, ERROR)} | {"numbers": str(lab.live())}
    assert lab.verdict().startswith("Epoch 37 → 38: ")
    lab.seek(3)
    for key in (FIT, MAP, ERROR):
        expect(lab.chart(key)).not_to_have_js_property("innerHTML", seen[key])
    assert str(lab.live()) != seen["numbers"]
    assert lab.verdict().startswith("Epoch 3 → 4: ")
    assert lab.slider.get_attribute("aria-valuetext") == "epoch 3 of 100"


def test_what_was_seen_stays_faintly(trained: Lab):
    """After scrubbing back, the error's line ends at this epoch, and what was seen of it stays behind it, faint."""

    def lengths() -> dict[str, float]:
        lines = trained.chart(ERROR).locator(
            ".mark-line path[opacity='0.3'], .mark-line path[stroke-width='2.5']"
        )
        return lines.evaluate_all(
            "all => Object.fromEntries(all.map((one) => [one.getAttribute('opacity') ?? '1', one.getBBox().width]))"
        )

    whole = lengths()
    trained.seek(20)
    after = lengths()
    assert after["0.3"] == whole["0.3"]
    assert after["1"] == pytest.approx(0.2 * whole["1"], abs=10)


def test_speed_decides_how_many_epochs_a_frame(trained: Lab):
    """“All at once” shows the end in one step; the other speeds show epochs in between."""
    speed = trained.player.get_by_role("combobox", name="Speed")
    speed.select_option("all at once")
    trained.mark()
    trained.button("Play").click()
    trained.ended()
    at_once = trained.count("frames")
    speed.select_option("4×")
    trained.mark()
    trained.button("Play").click()
    trained.ended()
    assert trained.count("frames") > at_once


def test_a_thousand_epochs_are_smooth_and_embed_nothing(lab: Lab):
    """While 1,000 epochs play, frame after frame is painted, many more than a rerun for each could, and no chart is made anew."""
    lab.open_page()
    lab.mark()
    lab.speed("½×").train().ended()
    assert lab.epoch() == 1000
    assert lab.count("frames") > 100  # of 12 seconds
    assert lab.count("frames") > 0.8 * lab.count("played")  # hardly an animation frame without a new picture
    assert lab.count("embeds") == 0


def test_another_rate_replaces_numbers_only(lab: Lab):
    """A second Train with another rate makes no chart anew, and its error is another one."""
    lab.open_page(SHORT).train().to_end()
    first = lab.live()["rmse"]
    lab.mark()
    lab.type("Learning rate η", "0.02")
    lab.train().to_end()
    assert lab.count("embeds") == 0
    assert lab.live()["rmse"] != first


def test_train_twice_plays_twice(lab: Lab):
    """Train, pressed again for the same settings, plays again from the first epoch to the same numbers."""
    lab.open_page(SHORT).train().to_end()
    first = lab.live()
    lab.train()
    expect(lab.button("Pause")).to_be_visible()
    lab.speed("4×").ended()
    assert lab.live() == first


def test_train_during_a_run_starts_again(lab: Lab):
    """Train in the middle of a run begins again at the start and plays to the end."""
    lab.open_page(SHORT).train()
    lab.speed("4×").passed(60)
    lab.train()
    assert lab.epoch() < 60
    lab.ended()
    assert lab.epoch() == 100


def test_less_motion_is_respected(visit):
    """For a visitor who asked their system for less motion, Train shows the end at once."""
    lab = visit(reduced_motion="reduce").open_page(SHORT)
    assert lab.player.get_by_role("combobox", name="Speed").input_value() == "Infinity"
    lab.train().ended()
    assert lab.epoch() == 100


def test_every_control_has_a_name(lab: Lab):
    """Each button, slider and choice of the player has a name for those who cannot see it."""
    lab.open_page(SHORT)
    assert lab.player.locator("button:visible, input, select").count() == 9
    for control in lab.player.locator("button:visible, input, select").all():
        assert re.fullmatch(r"[A-Z][\w ]+", control.get_attribute("aria-label") or "")
