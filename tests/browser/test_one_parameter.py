"""The lesson of one parameter in a real browser: a click on the curve, the table that fills, the file, the address."""

import pytest
from playwright.sync_api import expect

from lab import Lab, number
from test_screens import PHONE

CURVE = "The loss as a curve"
PAGE = "/one_parameter"
SWINGS, LANDS = "It jumps across and comes closer", "One step lands on −1"


def rows(lab: Lab):
    return lab.page.locator(".sheet tbody tr")


def click(lab: Lab, across: float) -> float:
    """Click on the curve's plot at this share of its width; the value there, read off its axis."""
    box = lab.chart(CURVE).locator(".role-frame > g > path.background").first.bounding_box()
    x, y = round(box["x"] + across * box["width"]), round(box["y"] + 0.3 * box["height"])
    slope, zero = lab.ticks(CURVE, "X")
    with lab.rerun():
        lab.page.mouse.click(x, y)
    return slope * (x - box["x"]) + zero


def test_a_visit_from_question_to_verdict(lab: Lab):
    """Asked first; the answer plays the run by itself, in the same drawing, and its end says what came of it."""
    lab.open_page(PAGE)
    expect(lab.button("Play")).to_be_disabled()
    expect(rows(lab).locator("visible=true")).to_have_count(1)
    expect(lab.page.locator(".factor .sum b")).to_have_text("?")
    lab.answer(SWINGS).passed(3)
    lab.to_end()
    assert lab.verdict().startswith("You were right: it jumps across and comes closer.")
    expect(lab.page.locator(".factor .sum b")).to_have_text("−0.8")
    assert lab.count("embeds") == lab.charts.count() == 1


def test_table_numbers_and_arrow_follow_the_player(lab: Lab):
    """At an epoch the last row in sight is that epoch's, the line above it holds its numbers, the arrow its step."""
    lab.open_page(f"{PAGE}?learning_rate=0.1&start=2.0&epochs=40&guess=across").to_end()
    for epoch, a, following in ((0, 2.0, -3.4), (7, -1.629, -0.4967), (30, -0.99629, -1.00297)):
        lab.seek(epoch).charts_at(epoch)
        expect(rows(lab).locator("visible=true")).to_have_count(epoch + 1)
        shown = rows(lab).nth(epoch)
        expect(shown.locator("th")).to_have_attribute("aria-current", "step")
        assert shown.evaluate(
            "row => { const box = row.closest('.sheet').getBoundingClientRect(), own = row.getBoundingClientRect();"
            " return own.bottom <= box.bottom + 1 && own.top >= box.top }"
        )
        assert number(lab.live()["p0"]) == pytest.approx(a, abs=1e-3)
        assert number(lab.live()["next_a"]) == pytest.approx(following, abs=1e-3)
        assert number(shown.locator("td").nth(3).inner_text()) == pytest.approx(following, abs=1e-3)
    lab.seek(0)
    expect(lab.chart(CURVE).get_by_text("step −5.4, loss falls")).to_be_visible()
    expect(lab.chart(CURVE).get_by_text("slope 54")).to_be_visible()


def test_a_click_on_the_curve_sets_the_start(lab: Lab):
    """To the value under the pointer; the field says so, the axis stays, and the question is asked again."""
    lab.open_page(PAGE).answer(LANDS)
    before = lab.ticks(CURVE, "X")
    x = click(lab, 0.2)
    assert number(lab.field("Start A").input_value()) == pytest.approx(x, abs=0.03)
    assert lab.ticks(CURVE, "X") == before
    expect(lab.button("Play")).to_be_disabled()
    assert "guess" not in lab.query
    lab.type("Start A", "-4")  # the field does the same by keyboard
    assert lab.query["start"] == "-4.0"
    assert lab.count("embeds") == 1


def test_an_example_and_its_address(lab: Lab):
    """1/18 by a button: the field says 1/18, the address holds every digit, and a reload brings the same run back."""
    lab.open_page(PAGE)
    with lab.rerun():
        lab.sidebar.get_by_role("button", name="η = 1/18", exact=True).click()
    lab.answer(LANDS).to_end()
    verdict = lab.verdict()
    assert verdict.startswith("You were right: one step lands on −1.")
    assert float(lab.query["learning_rate"]) == 1 / 18
    lab.page.reload()
    lab.settled().to_end()
    assert lab.field("Learning rate η").input_value() == "1/18"
    assert lab.verdict() == verdict
    expect(lab.sidebar.get_by_role("button", name="η = 1/18: one step", exact=True)).to_be_visible()


def test_a_rising_loss_is_drawn_otherwise_and_leaves_the_chart(lab: Lab):
    """At 0.12 the arrow is dashed and says that the loss rises; a point outside the chart is said to be there."""
    lab.open_page(f"{PAGE}?learning_rate=0.12&start=2.0&epochs=60&guess=leaves").to_end()
    assert "Diverged at epoch 47" in lab.verdict()
    expect(lab.chart(CURVE).get_by_text("is off the chart")).to_be_visible()
    lab.seek(0)
    expect(lab.chart(CURVE).get_by_text("loss rises")).to_be_visible()
    assert lab.chart(CURVE).locator("line[stroke-dasharray='7,4']").count() == 1
    expect(lab.chart(CURVE).get_by_text("is off the chart")).to_have_count(0)


def test_the_spreadsheet_is_downloaded_without_a_run_of_the_page(lab: Lab, tmp_path):
    """The file is an .xlsx, and asking for it leaves page and player alone."""
    lab.open_page(f"{PAGE}?learning_rate=0.1&start=2.0&epochs=40&guess=across").to_end()
    lab.mark()
    with lab.page.expect_download() as download:
        lab.page.get_by_role("button", name="Spreadsheet with live formulas").click()
    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)
    assert path.name == "one_parameter.xlsx"
    assert path.read_bytes().startswith(b"PK")
    assert lab.count("runs") == 0
    assert lab.epoch() == 40


def test_on_a_phone_nothing_scrolls_sideways(visit):
    """At 390 px neither the page nor the table, before the answer and after it."""
    lab = visit(viewport=PHONE).open_page(PAGE)
    for answered in (False, True):
        if answered:
            lab.answer(SWINGS).to_end()
        for part in (lab.page.get_by_test_id("stMain"), lab.page.locator(".sheet")):
            assert part.evaluate("part => part.scrollWidth <= part.clientWidth")


def test_axe_finds_no_serious_fault(lab: Lab):
    """Neither while the question stands nor at the end of the run."""
    lab.open_page(PAGE)
    for answered in (False, True):
        if answered:
            lab.answer(SWINGS).to_end()
        assert lab.serious_faults_by_theme() == {}


def test_a_link_to_the_same_lesson_changes_the_address(lab: Lab):
    """The rate just above 1/9 stands in the address and survives a reload; Back and Forward each take one press."""
    lab.open_page(f"{PAGE}?learning_rate=0.1&start=2.0&epochs=40&guess=across")
    before = lab.query
    lab.follow("Just above 1/9")
    lab.wait_for_query(learning_rate="0.112", epochs="100")
    for move, rate in ((lab.page.go_back, "0.1"), (lab.page.go_forward, "0.112")):
        with lab.rerun():
            move()
        lab.wait_for_query(learning_rate=rate)
        expect(lab.field("Learning rate η")).to_have_value(rate)
    lab.page.go_back()
    lab.settled()
    assert lab.query == before
