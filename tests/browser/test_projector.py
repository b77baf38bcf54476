"""Projector mode in a real browser, by keyboard alone: large type, one screen, a key for everything, and the card."""

from playwright.sync_api import expect

from lab import CHART, Lab, claim

SMALL, LARGE = {"width": 1280, "height": 720}, {"width": 1920, "height": 1080}
SHORT = "/?dataset=noisy-quadratic&learning_rate=0.1&scale_features=true&epochs=40"
SIZES = """() => {
  const zoom = (one) => one.currentCSSZoom ?? 1, px = (one) => parseFloat(getComputedStyle(one).fontSize) * zoom(one);
  const roots = [...document.querySelectorAll('*')].map((one) => one.shadowRoot).filter(Boolean);
  const said = roots.map((root) => root.querySelector('.said p:not([hidden])')).find(Boolean);
  return { said: px(said), labels: Math.min(...[...document.querySelectorAll('CHART .role-axis-label text')].map(px)) };
}""".replace("CHART", CHART)


def key(lab: Lab, name: str) -> Lab:
    """Press a key that makes the page's script run, and wait for it."""
    with lab.rerun():
        lab.page.keyboard.press(name)
    return lab


def on_one_screen(lab: Lab, charts: int) -> None:
    """The first charts, the player and its sentence are on screen, and the player covers none of them."""
    player = lab.player.bounding_box()
    size = lab.page.viewport_size
    assert player["y"] + player["height"] <= size["height"]
    for number in range(charts):
        box = lab.charts.nth(number).locator("svg.marks").bounding_box()
        assert box["y"] >= 0
        assert box["y"] + box["height"] <= player["y"]
        assert box["x"] + box["width"] <= size["width"]


def test_train_by_keyboard_alone(visit):
    """P, T, space, arrows, End, R, plus, N, the card and P again: each does what the card says, and nothing else."""
    lab = visit(viewport=SMALL).open_page(SHORT)
    rate = lab.field("Learning rate η")
    rate.press("End")
    rate.press("p")  # typed, not pressed
    expect(rate).to_have_value("0.1p")
    rate.press("Backspace")
    assert "view" not in lab.query
    rate.blur()
    key(lab, "p").wait_for_query(view="projector")
    expect(lab.sidebar).not_to_be_in_viewport()
    on_one_screen(lab, 3)
    sizes = lab.page.evaluate(SIZES)
    assert sizes["said"] >= 22
    assert sizes["labels"] >= 16
    before = lab.count("starts")
    lab.page.keyboard.press("t")
    lab.page.wait_for_function("(before) => watch.starts > before", arg=before)
    lab.page.keyboard.press("End")
    lab.ended()
    on_one_screen(lab, 3)
    numbers = lab.page.locator(".st-key-numbers")
    expect(numbers).to_be_hidden()
    lab.page.keyboard.press("f")
    expect(numbers).to_be_in_viewport(ratio=1)
    lab.page.keyboard.press("ArrowLeft")
    assert lab.epoch() == 39
    lab.page.keyboard.press("f")
    expect(numbers).to_be_hidden()
    lab.page.keyboard.press("Home")
    lab.page.keyboard.press("Space")
    lab.passed(0)

    lab.page.keyboard.press("?")
    card = lab.page.get_by_role("dialog", name="Keys")
    expect(card).to_contain_text("Train")
    lab.play_through()  # it goes on behind the card
    assert lab.epoch() == 40
    query, starts, epoch = lab.query, lab.count("starts"), lab.epoch()
    for name in ("t", "r", "n", "p", "ArrowLeft", "Home"):
        lab.page.keyboard.press(name)
    lab.page.keyboard.press("Escape")
    expect(card).to_be_hidden()
    assert (lab.query, lab.count("starts"), lab.epoch()) == (query, starts, epoch)

    key(lab, "+").wait_for_query(learning_rate="0.2")
    key(lab, "-").wait_for_query(learning_rate="0.1")
    lab.page.keyboard.press("Control+p")  # the browser's own
    key(lab, "r")
    expect(lab.button("Play")).to_be_disabled()
    key(lab, "n")
    assert lab.query["view"] == "projector"
    assert lab.query != query
    lab.mark()
    key(lab, "p")
    expect(lab.sidebar).to_be_in_viewport()
    assert "view" not in lab.query
    assert lab.count("embeds") <= lab.charts.count()


def test_lessons_by_keyboard_alone(visit):
    """A digit answers, the end is on one screen, R asks again, S skips, and N goes on to the next lesson, as large; all of
    it on a projector of 720 lines and one of 1080."""
    lab = visit(viewport=SMALL).open_page("/one_parameter?view=projector")

    def fits_both(charts: int) -> None:
        for size in (LARGE, SMALL):
            with claim(f"all is on one screen of {size['height']} lines"):
                on_one_screen(lab.in_window(size), charts)

    fits_both(1)
    key(lab, "3").wait_for_query(guess="across")
    lab.page.keyboard.press("End")
    lab.ended()
    assert lab.judged().startswith("You were right")
    fits_both(1)
    with claim("the table's last row is above the player"):
        row = lab.page.locator(".sheet tr").filter(has_text="40").last.bounding_box()
        assert row["y"] + row["height"] <= lab.player.bounding_box()["y"]
    key(lab, "r")
    expect(lab.button("Play")).to_be_disabled()
    key(lab, "s").wait_for_query(guess="skip", view="projector")
    lab.page.keyboard.press("n")
    expect(lab.page.get_by_role("heading", level=1)).to_have_text("Four steps")
    lab.settled().wait_for_query(view="projector")
    fits_both(2)
    key(lab, "1")
    lab.page.keyboard.press("End")
    lab.ended()
    fits_both(2)
    lab.open_page("/deep_networks?view=projector&depth=6&width=8&epochs=40")
    key(lab, "s")
    lab.page.keyboard.press("End")
    lab.ended()
    fits_both(3)


def test_each_of_several_quick_presses_counts(visit):
    """Neither is one lost that comes before the page has answered the last, nor does a field that it has not drawn yet undo one."""
    lab = visit(viewport=SMALL).open_page(f"{SHORT}&view=projector")
    for _ in range(6):
        lab.page.keyboard.press("-")
    lab.wait_for_query(learning_rate="0.0015625")
    rate = 0.0015625
    for _ in range(6):
        rate *= 2
        lab.page.keyboard.press("+")
        lab.wait_for_query(learning_rate=f"{rate:g}" if rate < 0.1 else "0.1")
    lab.at_rest()
    assert lab.query["learning_rate"] == "0.1"
    expect(lab.page.locator(".st-key-w_learning_rate input")).to_have_value("0.1")
