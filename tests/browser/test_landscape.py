"""The lesson of the valley in a real browser: clicks that set starts, the map's settings, side by side, the address."""

import pytest
from playwright.sync_api import expect

from lab import MAP, Lab, number
from test_screens import PHONE

PAGE = "/landscape"
GAP = "Gap to the lowest loss"
SHOWN = f"{PAGE}?dataset=noisy-quadratic&learning_rate=1e-05&epochs=40&guess=flat"


def click(lab: Lab, across: float, up: float) -> tuple[float, float]:
    """Click on the map at these shares of its plot; the values there, read off its axes."""
    box = lab.chart(MAP).locator(".role-frame > g > path.background").first.bounding_box()
    x, y = round(box["x"] + across * box["width"]), round(box["y"] + (1 - up) * box["height"])
    (slope_x, zero_x), (slope_y, zero_y) = lab.ticks(MAP, "X"), lab.ticks(MAP, "Y")
    with lab.rerun():
        lab.page.mouse.click(x, y)
    return slope_x * (x - box["x"]) + zero_x, slope_y * (y - box["y"]) + zero_y


def pick(lab: Lab, group: str, choice: str) -> None:
    """Press one of a row of choices."""
    with lab.rerun():
        lab.page.get_by_role("radiogroup", name=group).get_by_text(choice, exact=True).click()


def test_a_visit_from_question_to_verdict(lab: Lab):
    """Asked first; the answer plays the run by itself in the same drawings, and the lit row is the lagging direction."""
    lab.open_page(PAGE)
    expect(lab.button("Play")).to_be_disabled()
    lit = lab.page.locator("table.directions tr.lit")
    expect(lit).to_contain_text("3 steepest")
    lab.answer("The flattest").passed(6)
    expect(lit).to_contain_text("1 flattest")
    lab.to_end()
    assert lab.verdict().startswith("You were right: the flattest.")
    assert lab.live()["percent0"] == "96.9"
    assert lab.count("embeds") == lab.charts.count() == 2


def test_a_new_run_replaces_data_only(lab: Lab):
    """Another rate, start and number of starts: no chart is drawn anew."""
    lab.open_page(SHOWN + "&ask=false").to_end()
    lab.mark()
    lab.type("Learning rate η", "2e-5")
    lab.type("Start 1 at a, b, c", "1, -2, 3")
    lab.type("More starts", "-1, -15, 20")
    pick(lab, "Arrows −∇L", "direction")
    pick(lab, "Third parameter", "optimum")
    lab.to_end()
    assert lab.count("embeds") == 0
    expect(lab.page.locator("table.valley").filter(has_text="RMSE now").locator("tr")).to_have_count(3)


def test_clicks_set_and_add_starts(lab: Lab):
    """The first click moves start 1 and asks again; with 2 chosen one adds a start and the next moves it."""
    lab.open_page(SHOWN)
    x, y = click(lab, 0.3, 0.6)
    start = lab.experiment.start
    assert start[0] == pytest.approx(x, abs=0.02)
    assert start[1] == pytest.approx(y, abs=0.2)
    assert "guess" not in lab.query
    lab.answer("Skip")
    pick(lab, "A click sets start", "2")
    for place in ((0.7, 0.7), (0.8, 0.3)):
        x, y = click(lab, *place)
        (second,) = [tuple(map(number, part.split(","))) for part in lab.query["more"].split(";")]
        assert second[0] == pytest.approx(x, abs=0.02)
        assert second[1] == pytest.approx(y, abs=0.2)
        assert lab.experiment.start == start
    lab.to_end()
    assert lab.verdict().startswith("Start 2. ")
    assert lab.field("More starts").input_value() == lab.query["more"]


def test_starts_can_be_added_by_keyboard(lab: Lab):
    """The button has the focus and Enter adds one; it is on the map with its number."""
    lab.open_page(SHOWN)
    add = lab.sidebar.get_by_role("button", name="Add a start")
    for count in (2, 3):
        add.focus()
        with lab.rerun():
            lab.page.keyboard.press("Enter")
        assert len(lab.query["more"].split(";")) == count - 1
        expect(lab.chart(MAP).get_by_text(str(count), exact=True)).to_be_visible()


def test_side_by_side_shows_both_ends(lab: Lab):
    """The choice asks anew; then both runs play together, and only the scaled one gets to the floor."""
    lab.open_page(f"{PAGE}?dataset=noisy-quadratic&learning_rate=1e-05&epochs=100")
    pick(lab, "Features", "side by side")
    assert lab.query["compare"] == "true"
    assert lab.charts.count() == 3
    expect(lab.page.locator("table.pair")).not_to_contain_text("2,112,622")
    lab.answer("With scaled features").to_end()
    assert "2,112,622 epochs without scaling, 47 with" in lab.verdict()
    live = lab.live()
    assert number(live["without_rmse"]) == pytest.approx(18.0256, abs=1e-4)
    assert number(live["scaled_rmse"]) == pytest.approx(1.46727, abs=1e-4)
    assert number(live["scaled_1"]) == pytest.approx(-12.12, abs=0.01)
    lab.charts_at(100)


def test_the_address_holds_everything(lab: Lab):
    """A reload shows the same map, starts and answer."""
    lab.open_page(SHOWN + "&axes=valley&arrows=log&slice=optimum&more=1, 2, 3&click=2").to_end()
    before = lab.query, lab.verdict(), lab.drawing(GAP)
    expect(lab.chart(MAP).get_by_text("direction 3, steepest")).to_be_visible()
    lab.page.reload()
    lab.settled().to_end().charts_at(40)
    assert (lab.query, lab.verdict(), lab.drawing(GAP)) == before


def test_on_a_phone_nothing_scrolls_sideways(visit):
    """In both views, tables included."""
    for link in (SHOWN + "&more=1, 2, 3", SHOWN + "&compare=true"):
        lab = visit(viewport=PHONE).open_page(link).to_end()
        main = lab.page.get_by_test_id("stMain")
        assert main.evaluate("main => main.scrollWidth <= main.clientWidth")
        for table in lab.page.locator("table.valley").all():
            box = table.bounding_box()
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= PHONE["width"]


@pytest.mark.parametrize("link", [PAGE, SHOWN + "&more=1, 2, 3&arrows=log", SHOWN + "&compare=true"])
def test_axe_finds_no_serious_fault(lab: Lab, link):
    """Before the answer, with several starts, and side by side."""
    lab.open_page(link)
    assert lab.serious_faults_by_theme() == {}
