"""Train's loss in relief in a browser: several valleys, a start from a click, turned by pointer and keys, played."""

from playwright.sync_api import expect

from lab import Lab, claim

DRAWN = """() => [...document.querySelectorAll('.st-key-relief *')].map((one) => one.shadowRoot?.querySelector('canvas'))
    .find((canvas) => canvas).toDataURL()"""


def drawn(lab: Lab) -> str:
    """The picture on the canvas."""
    return lab.page.evaluate(DRAWN)


def test_a_visit_to_a_loss_with_several_valleys(lab: Lab):
    """A run comes to rest in a local minimum and hears so; from a click elsewhere another finds the lowest that is known.

    In relief it is turned by the pointer and by the keys of its sliders, and follows the player; no chart is made anew.
    """
    lab.open_page("/?dataset=tide")
    with claim("a local minimum is called one"):
        lab.train().to_end()
        expect(lab.summary).to_contain_text("That is a local minimum: every way from here leads up.")
    with claim("a click sets the start, and its run ends lower"):
        map_ = lab.chart("Level lines of the loss")
        plot = map_.locator(".role-frame > g > path.background").first.bounding_box()
        with lab.rerun():
            lab.page.mouse.click(plot["x"] + 0.45 * plot["width"], plot["y"] + 0.5 * plot["height"])
        omega, phi = map(float, lab.query["start"].split(","))
        assert abs(omega - 11.2) < 0.2
        assert abs(phi) < 0.1
        lab.train().to_end()
        expect(lab.summary).to_contain_text("No lower valley was found from 200 starts.")
    with claim("it is turned by the pointer and by keys, and nothing is drawn anew"):
        with lab.rerun():
            lab.page.get_by_role("radio", name="In relief").click()
        turn, tilt = (lab.page.get_by_role("slider", name=name) for name in ("turn", "tilt"))
        expect(turn).to_be_visible()
        lab.settled()
        lab.mark()
        canvas = lab.page.locator(".st-key-relief canvas")
        canvas.evaluate("canvas => canvas.scrollIntoView({ block: 'center' })")
        box = canvas.bounding_box()
        middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        lab.page.mouse.move(*middle)
        lab.page.mouse.down()
        lab.page.mouse.move(middle[0] + 60, middle[1] + 20)
        lab.page.mouse.up()
        assert (turn.input_value(), tilt.input_value()) == ("60", "40")
        turn.focus()
        lab.page.keyboard.press("ArrowRight")
        assert turn.input_value() == "61"
        lab.page.mouse.move(0, 0)
    with claim("it follows the player"):
        at_the_end = drawn(lab)
        lab.seek(3)
        lab.page.wait_for_function(f"(before) => ({DRAWN})() !== before", arg=at_the_end)
        assert lab.count("embeds") == 0
