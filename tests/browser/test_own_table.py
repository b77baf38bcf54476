"""A table of one's own, in a browser: uploaded, mended, picked, trained, and there again by its link."""

from playwright.sync_api import expect

from lab import Lab

ODD = "<script>alert(1)</script>"
ROWS = [(50, 2, 210), (72, 3, 295), ("n/a", 3, 300), (90, 4, 400), (101, 4, 410), (60, 2, 230)]
FILE = f"{ODD};rooms;price\n" + "\n".join(";".join(map(str, row)) for row in ROWS)


def test_a_file_is_uploaded_mended_picked_trained_and_reloaded(lab: Lab):
    """The bad cell is named, nothing is dropped before the choice, Train works at once, and a reload keeps it all."""
    lab.open_page(
        "/?dataset=table&table=cars&target=distance+(ft)&features=speed+(mph)&learning_rate=0.00188&epochs=50"
    )
    before = lab.query
    lab.sidebar.get_by_role("button", name="Bring a table", exact=True).click()
    with lab.rerun():
        lab.page.locator("input[type=file]").set_input_files(
            {"name": "homes.csv", "mimeType": "text/csv", "buffer": FILE.encode("utf-16")}
        )
    expect(lab.sidebar).to_contain_text(f"row 4, column {ODD}: ‘n/a’ is not a number")
    assert lab.query == before
    with lab.rerun():
        lab.sidebar.get_by_role("button", name="Leave them out", exact=True).click()
    expect(lab.sidebar).to_contain_text("1 of 6 rows are left out")
    with lab.rerun():
        lab.sidebar.get_by_role("combobox", name="Features x").click()
        lab.page.get_by_role("option", name="rooms", exact=True).click()
        # while the list is open, everything else is hidden from assistive technology
        lab.page.keyboard.press("Escape")
    with lab.rerun():
        lab.sidebar.get_by_role("button", name="Scale features", exact=True).click()
    experiment = lab.experiment
    assert (experiment.features, experiment.target, experiment.points) == ((ODD, "rooms"), "price", 5)
    lab.train().to_end()
    assert "Diverged" not in lab.verdict()
    lab.page.reload()
    lab.settled()
    assert lab.experiment == experiment
    expect(lab.sidebar).to_contain_text("From a link")
    assert lab.errors == []
