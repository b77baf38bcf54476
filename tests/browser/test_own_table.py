"""A table of one's own, in a browser: uploaded, mended, picked, trained, and there again by its link."""

from playwright.sync_api import expect

from lab import Lab

ODD = "<script>alert(1)</script>"
ROWS = [
    (50, 2, "no", "$210"), (72, 3, "yes", "$295"), ("n/a", 3, "no", "$300"), (90, 4, "yes", "$400"), (101, 4, "no", "$410"),
    (60, 2, "yes", "$230"),
]  # fmt: skip
FILE = f"{ODD};rooms;brick;price\n" + "\n".join(";".join(map(str, row)) for row in ROWS)


def test_a_file_is_uploaded_looked_at_picked_trained_and_reloaded(lab: Lab):
    """Nothing is drawn before it is taken; the bad cell is named; Train works at once; the rows travel when that is said.
    axe-core finds no serious fault in the menu, where the columns are looked at, and where those that are drawn are chosen."""
    lab.open_page(
        "/?dataset=table&table=cars&target=distance+(ft)&features=speed+(mph)&learning_rate=0.00188&epochs=50"
    )
    before = lab.query
    lab.sidebar.get_by_role("button", name="Bring a table", exact=True).click()
    expect(lab.page.get_by_role("button", name="Use the pasted rows")).to_be_visible()
    assert lab.serious_faults() == []
    with lab.rerun(player=False):  # what is looked at first has none
        lab.page.locator("input[type=file]").set_input_files(
            {"name": "homes.csv", "mimeType": "text/csv", "buffer": FILE.encode("utf-16")}
        )
    expect(lab.page.get_by_text("no = 0, yes = 1")).to_be_visible()
    expect(lab.page.locator(".vega-embed")).to_have_count(0)
    assert lab.query == before
    assert lab.serious_faults_by_theme() == {}
    with lab.rerun():
        lab.page.get_by_role("button", name="Use this table", exact=True).click()
    expect(lab.sidebar).to_contain_text("1 row is left out of 6, for want of a number")
    expect(lab.sidebar).to_contain_text(f"row 4, column {ODD}: ‘n/a’ is not a number")
    expect(lab.sidebar).to_contain_text("brick: no = 0, yes = 1")
    with lab.rerun():
        lab.sidebar.get_by_role("combobox", name="Features x").click()
        lab.page.get_by_role("option", name="brick", exact=True).click()
        # while the list is open, everything else is hidden from assistive technology
        lab.page.keyboard.press("Escape")
    with lab.rerun():
        lab.sidebar.get_by_role("button", name="Put the rows into the link", exact=True).click()
    experiment = lab.experiment
    assert (experiment.features, experiment.target, experiment.points) == ((ODD, "brick"), "price", 5)
    assert experiment.scale_features
    lab.train().to_end()
    assert "Diverged" not in lab.verdict()
    lab.page.reload()
    lab.settled()
    assert lab.experiment == experiment
    expect(lab.sidebar).to_contain_text("homes.csv")
    with lab.rerun():
        lab.sidebar.get_by_role("combobox", name="Features x").click()
        lab.page.get_by_role("option", name="rooms", exact=True).click()
        lab.page.keyboard.press("Escape")
    with lab.rerun():  # of three features two are drawn, which can be chosen
        lab.page.get_by_role("button", name="Along which").click()
        lab.page.get_by_role("combobox", name="Below").click()
        assert lab.serious_faults() == []
        lab.page.get_by_role("option", name="rooms", exact=True).click()
    expect(lab.page.get_by_role("combobox", name="Below")).to_have_value("rooms")
    assert lab.serious_faults_by_theme() == {}
    assert lab.errors == []
    browser = lab.page.context.browser
    assert browser
    with browser.new_context() as context:
        other = context.new_page()
        other.goto(lab.page.url)
        expect(other.get_by_test_id("stSidebar")).to_contain_text("From a link")
        expect(other.get_by_test_id("stSidebar")).to_contain_text("brick: no = 0, yes = 1")


LARGE = "shoe,debt\n" + "\n".join(f"{i},{i * 7919 % 1009 + i / 8191}" for i in range(2000))


def test_a_large_table_is_there_after_a_reload_and_for_nobody_else(lab: Lab):
    """Loaded anew, the tab has its table and its pinned run; another browser with the same address is asked for the file."""
    lab.open_page(
        "/?dataset=table&table=cars&target=distance+(ft)&features=speed+(mph)&learning_rate=0.00188"
    )
    lab.sidebar.get_by_role("button", name="Bring a table", exact=True).click()
    with lab.rerun(player=False):
        lab.page.locator("input[type=file]").set_input_files(
            {"name": "wages.csv", "mimeType": "text/csv", "buffer": LARGE.encode()}
        )
    expect(lab.page.get_by_role("button", name="Use this table", exact=True)).to_be_focused()
    lab.page.reload()  # what is looked at is there again
    expect(lab.page.get_by_role("button", name="Use this table", exact=True)).to_be_focused()
    with lab.rerun():
        lab.page.keyboard.press("Enter")
    lab.train().to_end()
    with lab.rerun():
        lab.page.get_by_role("button", name="Pin this run", exact=True).click()
    address = lab.page.url
    lab.page.reload()
    expect(lab.sidebar).to_contain_text("wages.csv 2,000 rows")
    expect(lab.page.get_by_role("button", name="1 pinned")).to_be_visible()
    expect(lab.sidebar).not_to_contain_text("needs the file")
    assert lab.page.url == address
    browser = lab.page.context.browser
    assert browser
    with browser.new_context() as context:
        other = context.new_page()
        other.goto(address)
        bar = other.get_by_test_id("stSidebar")
        expect(bar).to_contain_text("table: this link needs the file with the fingerprint")
        expect(bar).to_contain_text("Stopping distances")
        expect(other.get_by_text("shoe")).to_have_count(0)
    assert lab.errors == []


def test_a_network_of_seven_parameters_has_its_numbers_on_one_screen(lab: Lab):
    """After its run all rows and the line of the errors stand above the player, at 1400 × 900, without a box that scrolls."""
    lab.open_page(
        "/?dataset=table&table=cars&target=distance+(ft)&features=speed+(mph)&model=network&learning_rate=0.2"
        "&scale_features=true&scale_target=true&epochs=50"
    )
    lab.train().to_end()
    rows = lab.page.locator("table.many tr")
    expect(rows).to_have_count(8)
    player = lab.page.locator(".st-key-transport").bounding_box()
    errors = lab.page.locator(".panel-title", has_text="loss of the scaled y").bounding_box()
    assert player
    assert errors
    assert player["y"] + player["height"] <= 900
    assert errors["y"] + errors["height"] <= player["y"]
    assert lab.page.locator(".wide:has(> .many)").evaluate("box => box.scrollHeight <= box.clientHeight")
