"""The player's JavaScript alone: buttons, keys, slider, speeds and sentences, frame by frame."""

import math
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import expect

from component import FOLDER, Component
from pages.ui.look.current_charts import Played
from pages.ui.look.numbers import with_numbers
from pages.ui.takeaway.frames import seconds_of

# What the player moves and writes into, a control with keys of its own, and room to scroll.
AROUND = """
<h1>Train</h1>
<div class="stVegaLiteChart"><input name="epoch" value="0"><input name="seen" value="0"></div>
<div class="stVegaLiteChart"><input name="epoch" value="0"></div>
<output data-live="rmse"></output> <output data-live="p0" data-digits="3"></output>
<li data-lit="stage" data-lit-value="2">Step</li> <li data-lit="epoch" data-lit-from="30">Late</li>
<label>Rate <input id="rate" value="0.3"></label>
<div role="slider" id="strip" tabindex="0" aria-label="Rates">Rates</div>
<div class="st-key-buttons"><button>Train</button></div>
<p style="height: 3000px">A long page</p>
"""
SPEEDS = {"¼×": 24, "½×": 12, "1×": 6, "2×": 3, "4×": 1.5}  # seconds that a run takes


def run(last: int = 100, *, stride: int = 1, **changes: Any) -> dict[str, Any]:
    """What the server says of a run that rests at its end: its error is 200 − epoch."""
    epochs = [*range(0, last, stride), last]
    return {
        "id": "1", "play": False, "from": last, "trained": True, "clicks": False, "continues": True,
        "last": last, "planned": last, "stride": stride, "complete": True,
        "templates": ["Epoch {epoch} → {next}: RMSE {rmse} → {next_rmse:3}.", "Epoch {epoch}: it ends here."],
        "summary": "Converged.", "note": "", "offers": [],
        "table": {
            "rmse": [200 - epoch for epoch in epochs],
            "p0": [epoch / 4 for epoch in epochs],
            "stage": [epoch % 4 for epoch in epochs],
            "template": [int(epoch == last) for epoch in epochs],
        },
        "sums": {"n0": [["p0", 2.0], ["rmse", -1.0]]}, "names": [],
    } | changes  # fmt: skip


def even(last: int = 100, **changes: Any) -> dict[str, Any]:
    """A run whose picture moves alike at every epoch."""
    epochs = range(last + 1)
    columns = {"rmse": [200 * 0.5 ** (epoch / last) for epoch in epochs], "template": [0 for _ in epochs]}
    return run(last, table=columns, sums={}, **changes)


def waiting() -> dict[str, Any]:
    """What it says before there is a run."""
    return run(0, trained=False, play=False, **{"from": 0}, table={"rmse": [200], "template": [0]}, sums={})


@pytest.fixture
def player(mounted: Callable[..., Component]) -> Component:
    """The player of a run of 100 epochs that rests at its end."""
    return mounted("player", run(), AROUND)


def test_every_button_moves_the_run(player: Component):
    """From epoch 50, each button of the player moves the slider and every chart to the epoch in its name."""
    moves = {
        "To start": 0, "Back 10": 40, "Step back": 49, "Step forward": 51, "Forward 10": 60, "To end": 100,
    }  # fmt: skip
    for name, epoch in moves.items():
        player.seek(50).button(name).click()
        assert (name, player.epoch(), player.chart_epochs()) == (name, epoch, {str(epoch)})


def test_no_button_leaves_the_run(player: Component):
    """Steps beyond the first and the last epoch stay there."""
    for name in ("Step forward", "Forward 10", "To end"):
        player.button(name).click()
        assert player.epoch() == 100
    player.seek(4).button("Back 10").click()
    assert player.epoch() == 0
    player.button("Step back").click()
    assert player.epoch() == 0


def test_every_key_moves_the_run(player: Component):
    """←, →, Home and End do the same as the buttons, wherever on the page one is not typing; not beside Control or Alt."""
    player.seek(50)
    player.page.get_by_role("heading").click()
    for key, epoch in {"ArrowLeft": 49, "ArrowRight": 50, "End": 100, "Home": 0}.items():
        player.page.keyboard.press(key)
        assert (key, player.epoch(), player.chart_epochs()) == (key, epoch, {str(epoch)})
    player.seek(50).page.get_by_role("heading").click()
    for key in ("Control+Home", "Alt+End", "Control+ArrowRight", "Alt+Space"):
        player.page.keyboard.press(key)
        assert (key, player.epoch()) == (key, 50)
    expect(player.button("Play")).to_be_visible()


def test_space_plays_and_pauses(player: Component):
    """Space at the end plays the run again from its start; space once more holds it; and then it plays on to its end."""
    player.update(**even())
    player.page.get_by_role("heading").click()
    player.page.keyboard.press("Space")
    expect(player.button("Pause")).to_be_visible()
    player.frames(3)
    assert player.epoch() == pytest.approx(50, abs=2)
    player.page.keyboard.press("Space")
    expect(player.button("Play")).to_be_visible()
    held = player.frames(3).epoch()
    assert held < 60
    player.page.keyboard.press("Space")
    expect(player.button("Pause")).to_be_visible()
    player.frames(0.1)
    assert held <= player.epoch() < held + 5
    player.frames(6)
    expect(player.button("Play")).to_be_visible()
    assert player.epoch() == 100


def test_keys_write_while_one_types(player: Component):
    """In a text field the same keys write and move the caret, and the run stays where it is."""
    player.seek(50)
    field = player.page.get_by_label("Rate", exact=True)
    field.click()
    for key in ("Home", "ArrowRight", "ArrowLeft", "End", "Space"):
        player.page.keyboard.press(key)
    expect(field).to_have_value("0.3 ")
    assert player.epoch() == 50
    expect(player.button("Play")).to_be_visible()


def test_keys_belong_to_the_control_that_has_the_focus(player: Component):
    """On another slider, on another button and on the choice of speed they move no run; on the player's own, they do."""
    player.seek(50)
    player.page.get_by_role("slider", name="Rates").focus()
    player.page.keyboard.press("ArrowLeft")
    player.page.get_by_role("button", name="Train").focus()
    player.page.keyboard.press("Space")
    speed = player.player.get_by_role("combobox", name="Speed")
    speed.focus()
    player.page.keyboard.press("ArrowRight")
    expect(speed).to_have_value("2")
    assert player.epoch() == 50
    expect(player.button("Play")).to_be_visible()
    player.button("Step back").focus()
    player.page.keyboard.press("Space")  # presses the button, as everywhere
    assert player.epoch() == 49
    player.page.keyboard.press("End")
    assert player.epoch() == 100


def test_keys_wait_for_a_run(mounted: Callable[..., Component]):
    """Before there is a run, space and the arrows do not start the player, and nothing of it but its speed can be pressed."""
    player = mounted("player", waiting(), AROUND)
    player.page.get_by_role("heading").click()
    for key in ("Space", "ArrowRight", "End"):
        player.page.keyboard.press(key)
        expect(player.button("Play")).to_be_disabled()
    assert player.player.locator("button:visible:enabled").count() == 0
    expect(player.slider).to_be_disabled()
    expect(player.player.get_by_role("combobox", name="Speed")).to_be_enabled()


def test_an_end_pressed_too_early_does_not_scroll(mounted: Callable[..., Component]):
    """Home and End are the player's before there is a run, too, and on Train beside it; Page Down still scrolls."""
    page = mounted("player", waiting(), AROUND).page
    page.evaluate("addEventListener('keydown', (event) => { window.taken = event.defaultPrevented; })")
    for place in (page.locator("body"), page.get_by_role("button", name="Train")):
        place.focus()
        page.evaluate("scrollTo(0, 200)")
        for key in ("Home", "End"):
            page.keyboard.press(key)
            assert page.evaluate("[taken, scrollY]") == [True, 200]
    page.keyboard.press("PageDown")
    page.wait_for_function("scrollY > 200")


def test_pause_holds_every_chart(mounted: Callable[..., Component]):
    """Pause stops slider and charts at one epoch, and Play goes on from there."""
    player = mounted("player", run(play=True, **{"from": 0}), AROUND).frames(1)
    player.button("Pause").click()
    held = player.epoch()
    assert 5 < held < 100
    player.frames(1)
    assert (player.epoch(), player.chart_epochs()) == (held, {str(held)})
    player.button("Play").click()
    assert held <= player.frames(0.1).epoch() < 100
    assert player.frames(6).epoch() == 100


def test_a_hand_on_the_slider_pauses(mounted: Callable[..., Component]):
    """It stops the playing; charts, numbers, sentence and the slider's own words follow; what was seen of the run is kept."""
    player = mounted("player", run(play=True, **{"from": 0}), AROUND).frames(3)
    seen = player.epoch()
    player.seek(37)
    player.frames(1)
    expect(player.button("Play")).to_be_visible()
    assert (player.epoch(), player.chart_epochs()) == (37, {"37"})
    assert player.verdict() == "Epoch 37 → 38: RMSE 163.0 → 162."
    assert player.live() == {"rmse": "163.000", "p0": "9.25"}
    assert player.slider.get_attribute("aria-valuetext") == "epoch 37 of 100"
    lit = player.page.locator(".lit")
    assert lit.all_inner_texts() == ["Late"]
    player.seek(2)
    assert lit.all_inner_texts() == ["Step"]
    assert player.page.locator("input[name=seen]").input_value() == str(seen)
    player.seek(90)
    assert player.page.locator("input[name=seen]").input_value() == "90"


def test_speed_decides_how_long_a_run_takes(mounted: Callable[..., Component]):
    """Six seconds at 1×, whatever its length, but a short run shows 2.5 epochs a second; “all at once” is one frame."""
    player = mounted("player", even(play=True, **{"from": 0}), AROUND)

    def takes(seconds: float) -> None:
        """Half of the run in half the time, and then all of it."""
        last = player.last
        player.seek(0).button("Play").click()
        assert player.frames(seconds / 2).epoch() == pytest.approx(last / 2, abs=1 + last / 20)
        expect(player.button("Pause")).to_be_visible()
        assert player.frames(seconds / 2 + 0.1).epoch() == last
        expect(player.button("Play")).to_be_visible()

    for name, seconds in SPEEDS.items():
        player.speed(name)
        takes(seconds)
    player.speed("1×")
    for last, seconds in ((1000, 6), (6, 2.4)):
        player.update(**even(last, id=str(last)))
        takes(seconds)
    player.speed("all at once").seek(0).button("Play").click()
    assert player.frames(1 / 60).epoch() == 6
    expect(player.button("Play")).to_be_visible()


def test_time_goes_where_the_picture_moves(mounted: Callable[..., Component]):
    """Of 1,000 epochs that arrive with the 24th, the first are seen one by one, and those that show nothing in 0.6 seconds."""
    epochs = range(1001)
    columns = {
        "rmse": [1 + 20 * 0.7**epoch for epoch in epochs],
        "p0": [3 - 2 * 0.8**epoch for epoch in epochs],
        "template": [0 for _ in epochs],
    }
    # Nearer than 0.5 % of its way: the parameter is later than the error.
    rests = math.ceil(math.log(0.005) / math.log(0.8))
    player = mounted("player", run(1000, table=columns, sums={}, play=True, **{"from": 0}), AROUND)
    for share in (0.25, 0.5, 0.75):
        assert player.frames(5.4 / 4).epoch() == pytest.approx(share * rests, abs=1)
    player.frames(5.4 / 4 + 0.3)
    assert 300 < player.epoch() < 700
    assert player.frames(0.35).epoch() == 1000


def test_a_run_that_is_still_trained_plays_evenly(mounted: Callable[..., Component]):
    """Where it will move is not known yet: the player goes over the planned epochs in six seconds."""
    player = mounted("player", run(100, planned=600, complete=False, play=True, **{"from": 0}), AROUND)
    assert player.frames(0.6).epoch() == pytest.approx(60, abs=2)


def test_less_motion_is_respected(mounted: Callable[..., Component]):
    """For a visitor who asked their system for less motion, a new run shows its end at once."""
    player = mounted("player", waiting(), AROUND, reduced_motion="reduce")
    assert player.player.get_by_role("combobox", name="Speed").input_value() == "Infinity"
    player.update(**run(id="2", play=True) | {"from": 0}).frames(2 / 60)
    assert player.epoch() == 100
    expect(player.summary).to_have_text("Converged.")


def test_a_new_run_plays_from_its_start(player: Component):
    """Another press of Train plays again from the first epoch, also in the middle; the same run once more does not move it."""
    for number in ("2", "3"):
        player.update(id=number, play=True, **{"from": 0})
        expect(player.button("Pause")).to_be_focused()
        assert player.frames(0.1).epoch() < 10
        assert 40 < player.frames(3).epoch() < 60
    there = player.update(note="The settings have changed.").epoch()
    assert there > 40
    expect(player.note).to_have_text("The settings have changed.")
    assert player.frames(6).epoch() == 100
    expect(player.button("Play")).to_be_visible()


def test_the_end_is_told_and_offers_a_way_on(player: Component):
    """There the outcome stands in the sentence's place, and its offers send their rate; before it, neither is there."""
    player.update(offers=[{"label": "Set the rate to the limit 0.4", "rate": 0.4}])
    offer = player.player.get_by_role("button", name=re.compile("^Set the rate"))
    assert player.verdict() == "Converged."
    offer.click()
    assert player.sent() == [("rate", 0.4)]
    player.seek(99)
    expect(offer).to_be_hidden()
    assert player.verdict() == "Epoch 99 → 100: RMSE 101.0 → 100."


def test_a_run_goes_on_from_where_it_stands(player: Component):
    """“Continue from here” sends the epoch; it is there from epoch 1 on, where runs can be continued, and not while one plays."""
    go_on = player.button("Continue from here")
    player.seek(40)
    go_on.click()
    assert player.sent() == [("continue_from", 40)]
    player.seek(0)
    expect(go_on).to_be_hidden()
    player.button("Play").click()
    player.frames(1)
    expect(go_on).to_be_hidden()
    player.button("Pause").click()
    expect(go_on).to_be_visible()
    player.update(continues=False)
    expect(go_on).to_be_hidden()


def test_a_run_in_training_is_waited_for(mounted: Callable[..., Component]):
    """At the live edge the player waits for more and then goes on; the slider reaches to what is planned; stopped, to what there is."""
    begun = run(50, play=True, complete=False, planned=1000, **{"from": 0})
    player = mounted("player", begun, AROUND)
    player.speed("all at once")
    player.frames(0.1)
    assert (player.epoch(), player.last) == (50, 1000)
    expect(player.button("Pause")).to_be_visible()
    expect(player.summary).to_be_hidden()
    more = run(80, play=True, complete=False, planned=1000, **{"from": 0})
    assert player.update(**more).frames(0.1).epoch() == 80
    player.seek(30)
    player.update(**run(90, complete=False, planned=1000, **{"from": 0})).frames(1)
    assert player.epoch() == 30
    player.update(**run(90, planned=1000, summary="Stopped.", **{"from": 0})).to_end()
    assert (player.epoch(), player.last, player.verdict()) == (90, 90, "Stopped.")


def test_the_end_of_a_run_in_training_comes_when_it_comes(mounted: Callable[..., Component]):
    """To end, or the slider drawn beyond what is there, leads on with what arrives; a step elsewhere takes that back."""
    part = {"complete": False, "planned": 1000, "from": 0}
    player = mounted("player", run(50, play=True, **part), AROUND)
    player.button("To end").click()
    assert player.epoch() == 50
    assert player.update(**run(80, **part)).epoch() == 80
    player.button("Back 10").click()
    assert player.update(**run(90, **part)).epoch() == 70
    player.seek(85)
    player.seek(500)
    assert player.update(**run(300, **part)).epoch() == 300
    assert player.update(**run(700, **part)).epoch() == 500
    player.button("To end").click()
    player.update(**run(720, planned=1000, summary="Stopped.", **{"from": 0}))
    assert (player.epoch(), player.last, player.verdict()) == (720, 720, "Stopped.")
    player.button("Play").click()
    assert player.update(**run(720, planned=1000, summary="Stopped.", **{"from": 0})).epoch() < 720


def test_one_epoch_in_several_is_drawn(mounted: Callable[..., Component]):
    """Of a long run the slider rests on drawn epochs, and a step leads to the next of them."""
    player = mounted("player", run(1000, stride=20), AROUND)
    assert player.seek(150).epoch() == 140
    for name, epoch in {"Step forward": 160, "Step back": 140, "Forward 10": 340, "Back 10": 140}.items():
        player.button(name).click()
        assert (name, player.epoch(), player.chart_epochs()) == (name, epoch, {str(epoch)})
    assert player.verdict() == "Epoch 140 → 141: RMSE 60.00 → 40.0."


def test_a_chart_drawn_anew_is_brought_to_its_epoch(player: Component):
    """It begins at epoch 0, and soon stands where the others do."""
    player.seek(40)
    player.page.evaluate("document.querySelector('.stVegaLiteChart input[name=epoch]').value = 0")
    player.charts_at(40)


def test_every_control_has_a_name(player: Component):
    """Each button, slider and choice of the player has a name for those who cannot see it."""
    player.seek(0)
    assert player.player.locator("button:visible, input, select").count() == 9
    for control in player.player.locator("button:visible, input, select").all():
        assert re.fullmatch(r"[A-Z][\w ]+", control.get_attribute("aria-label") or "")


def test_a_finger_that_swipes_or_rests_sets_no_start(mounted: Callable[..., Component]):
    """Of touches of a plot one that neither moves nor stays long is a click, told as shares of the plot; of a pointer each."""
    plot = (
        '<div class="st-key-click_map" style="position: fixed; inset: 0 auto auto 0"><svg class="marks" width="200" '
        'height="100"><g class="role-frame"><g><path class="background" d="M0 0h200v100H0z"/></g></g></svg></div>'
    )
    player = mounted("player", run(clicks=True), around=plot)
    touch = """([kind, moved, stayed]) => {
        const on = document.querySelector('path.background');
        const at = (name, x, timeStamp) => {
            const event = new PointerEvent(name, { bubbles: true, clientX: x, clientY: 25, pointerType: kind });
            Object.defineProperty(event, 'timeStamp', { value: timeStamp });
            on.dispatchEvent(event);
        };
        alone.sent.length = 0;
        at('pointerdown', 50, 1000);
        at('click', 50 + moved, 1000 + stayed);
        return alone.sent;
    }"""
    told = [["clicked", [0.25, 0.75, 0, "map"]]]
    first = player.page.evaluate(touch, ["touch", 0, 80])
    assert [[name, [*place[:2], 0, place[3]]] for name, place in first] == told
    assert player.page.evaluate(touch, ["touch", 20, 80]) == []
    assert player.page.evaluate(touch, ["touch", 0, 900]) == []
    assert len(player.page.evaluate(touch, ["mouse", 0, 900])) == 1


@pytest.mark.parametrize("width", [320, 700, 1000])
def test_what_is_offered_is_never_wider_than_the_player(mounted: Callable[..., Component], width: int):
    """A long offer breaks its line: nothing of it lies off the screen."""
    label = (
        "What happens just above the limit? Set the rate to 0.424, and see how the error grows from there on"
    )
    player = mounted("player", run(offers=[{"label": label, "rate": 0.424}]))
    player.page.set_viewport_size({"width": width, "height": 600})
    offer = player.page.get_by_role("button", name=label).bounding_box()
    assert offer is not None
    assert offer["x"] + offer["width"] <= width


def test_a_moving_picture_takes_its_time_as_the_player_does(player: Component):
    """Each row stays as long in one as in the other: of runs that rest early, late or never, stand still, or diverge."""
    script = with_numbers(FOLDER / "player" / "player.js").replace("export default", "const component =")
    for rows in (2, 3, 16, 101, 1001):
        epochs = np.arange(rows)
        for rate in (0.3, 0.9, 0.999, 1.0, 1.3):
            with np.errstate(over="ignore"):
                rmse = np.float32(1) + np.float32(20) * np.power(rate, epochs).astype(np.float32)
            table = {"rmse": rmse, "p0": (3 - 0.97**epochs).astype(np.float32), "other": np.sin(epochs)}
            plain = {name: [repr(float(one)) for one in column] for name, column in table.items()}
            theirs = player.page.evaluate(
                """([script, columns, rows]) => {
                const number = (text) => ({ inf: Infinity, nan: NaN })[text] ?? +text;
                for (const name in columns) columns[name] = Float64Array.from(columns[name], number);
                return [...new Function('columns', 'rows', `${script}; return secondsOf(columns, rows);`)(columns, rows)];
            }""",
                [script, plain, rows],
            )
            played = Played(table, ("",), "", {}, (), rows - 1, rows - 1, 1)
            assert seconds_of(played) == pytest.approx(theirs, rel=1e-12), (rows, rate)
