"""Take away, in the browser: what is downloaded works elsewhere, and a run that plays does not notice."""

import json
import subprocess
import sys

import pytest
from playwright.sync_api import expect

from lab import ERROR, Lab

SHORT = "/?dataset=noisy-quadratic&learning_rate=0.05&scale_features=true&epochs=200"
PHONE = {"width": 390, "height": 844}


def panel(lab: Lab):
    """Open the panel, and wait until it knows where the player stands."""
    lab.page.get_by_role("button", name="Take away").click()
    dialog = lab.page.get_by_role("dialog")
    expect(dialog.get_by_role("tab", name="Pictures")).to_be_visible()
    return dialog


def opened(dialog, tab):
    dialog.get_by_role("tab", name=tab).click()
    return dialog.get_by_role("tabpanel", name=tab)


def downloaded(lab: Lab, place, button, folder):
    """Press a button and keep the file under the name that it brings along."""
    with lab.page.expect_download() as download:
        place.get_by_role("button", name=button).click()
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path


def test_a_run_plays_on_while_a_picture_is_made(lab: Lab, tmp_path):
    """No chart is embedded anew, the epoch never jumps back, and the picture's name says a moment of the playing."""
    lab.open_page(SHORT).speed("¼×").train()
    expect(lab.button("Pause")).to_be_visible()
    before = lab.count("embeds")
    dialog = panel(lab)
    lab.page.evaluate(
        """() => {
        window.epochs = [];
        const input = document.querySelector('.stVegaLiteChart input[name=epoch]');
        input.addEventListener('input', () => window.epochs.push(+input.value));
    }"""
    )
    path = downloaded(lab, opened(dialog, "Pictures"), "Error by epoch", tmp_path)
    assert path.name.startswith("noisy-quadratic_eta-0.05_error_epoch-")
    assert path.read_bytes().startswith(b"\x89PNG")
    lab.page.wait_for_function("window.epochs.length > 0")
    lab.page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    epochs = lab.page.evaluate("window.epochs")
    assert epochs == sorted(epochs)
    assert lab.count("embeds") == before
    assert lab.errors == []


def test_everything_can_be_taken_from_a_run(lab: Lab, tmp_path):
    """The picture is named by the epoch that the slider shows; link, notebook, script and record are of this run."""
    lab.open_page(SHORT).train().to_end().seek(120).charts_at(120)
    dialog = panel(lab)
    expect(opened(dialog, "Link").locator("code")).to_contain_text(
        "learning_rate=0.05&scale_features=true&epochs=200"
    )
    pictures = opened(dialog, "Pictures")
    expect(pictures).to_contain_text("epoch 120 of 200")
    with lab.rerun():  # a press in that moment would ask for a file of the buttons that are being replaced
        pictures.get_by_role("radio", name="SVG").click()
    svg = downloaded(lab, pictures, "Data and fit", tmp_path)
    assert svg.name == "noisy-quadratic_eta-0.05_fit_epoch-120.svg"
    assert "epoch 120 of 200" in svg.read_text(encoding="utf-8")
    script = downloaded(lab, opened(dialog, "PyTorch"), "Script (.py)", tmp_path)
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, timeout=120, check=True
    )
    record = json.loads(
        downloaded(lab, opened(dialog, "Record"), "Record (.json)", tmp_path).read_text("utf-8")
    )
    assert "200" in done.stdout
    assert record["experiment"]["learning_rate"] == 0.05
    csv = downloaded(lab, opened(dialog, "Record"), "Record (.csv)", tmp_path).read_text("utf-8").splitlines()
    assert len(csv) == 202


@pytest.mark.parametrize("viewport", [{"width": 1400, "height": 900}, PHONE], ids=["wide", "phone"])
def test_the_page_works_without_a_network(visit, profile, tmp_path, viewport):
    """Its slider, moved by keys, moves the marks and says the player's sentences; nothing is asked of any server."""
    lab = visit().open_page(SHORT).train().to_end().seek(50)
    said = lab.verdict()
    path = downloaded(lab, opened(panel(lab), "Web page"), "Web page (.html)", tmp_path)
    assert path.stat().st_size <= 2_000_000
    alone = profile.browser.new_context(viewport=viewport)
    try:
        alone.set_offline(True)
        page = alone.new_page()
        asked, errors = [], []
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(path.as_uri())
        expect(page.locator(".chart svg")).to_have_count(3)
        expect(page.locator("#said")).to_have_text(said)
        expect(page.locator("#verdict")).to_contain_text("RMSE")
        expect(page.locator("dl")).to_contain_text("η = 0.05")
        expect(page.get_by_role("link")).to_have_attribute("href", lab.page.url)
        marks = page.locator(f"[role=img][aria-label^='{ERROR}'] svg.marks")
        before = marks.inner_html()
        page.get_by_role("slider", name="Epoch").focus()
        page.keyboard.press("ArrowRight")
        expect(page.locator("#name")).to_have_text("epoch 51 of 200")
        page.wait_for_function(
            "([place, before]) => document.querySelector(place).innerHTML !== before",
            arg=[f"[role=img][aria-label^='{ERROR}'] svg.marks", before],
        )
        page.get_by_role("button", name="Play").press("Enter")
        expect(page.locator("#name")).to_have_text("epoch 200 of 200", timeout=60_000)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert [url for url in asked if not url.startswith("file:")] == []
        assert errors == []
    finally:
        alone.close()


def test_a_lesson_of_four_runs_can_be_taken_away_on_a_phone(visit, tmp_path):
    """Any of the runs can be chosen for the script, and nothing is wider than the screen."""
    lab = visit(viewport=PHONE).open_page("/learning_rate").answer("Skip")
    dialog = panel(lab)
    place = opened(dialog, "PyTorch")
    with lab.rerun():
        place.get_by_role("combobox", name="Run").click()
        lab.page.get_by_role("option", name="Run 3").click()
    path = downloaded(lab, place, "Script (.py)", tmp_path)
    rate = lab.page.get_by_role("textbox", name="Learning rate η of run 3").input_value()
    assert f"eta-{rate}" in path.name
    assert dialog.evaluate("one => one.scrollWidth <= one.clientWidth")
    assert lab.page.evaluate("document.documentElement.scrollWidth") <= 390
    assert lab.errors == []
