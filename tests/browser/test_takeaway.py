"""Take away, in the browser: what is downloaded works elsewhere, and a run that plays does not notice."""

import json
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import BrowserContext, expect

from lab import ERROR, VIEWPORT, Lab, claim

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


def test_everything_can_be_taken_from_a_run(lab: Lab, profile, tmp_path):
    """A run that plays does not notice that a picture of it is made: no chart is embedded anew, the epoch never jumps back, and
    the picture's name says a moment of the playing. At rest it is named by the epoch that the slider shows; link, notebook, script and record are of this run. The page of
    its own works without a network, wide and on a phone: its slider, moved by keys, moves the marks and says the player's
    sentences, Play goes to the end, and nothing is asked of any server."""
    lab.open_page(SHORT).speed("¼×").train()
    with claim("a run plays on while a picture is made, and the picture's name says a moment of the playing"):
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
    lab.to_end().seek(120).charts_at(120)
    said = lab.verdict()
    dialog = panel(lab)
    with claim("the link is of this run"):
        expect(opened(dialog, "Link").locator("code").first).to_contain_text(
            "learning_rate=0.05&scale_features=true&epochs=200"
        )
    with claim("the picture is named by the epoch that the slider shows, and says it"):
        pictures = opened(dialog, "Pictures")
        expect(pictures).to_contain_text("epoch 120 of 200")
        # A press in that moment would ask for a file of the buttons that are being replaced.
        with lab.rerun():
            pictures.get_by_role("radio", name="SVG").click()
        svg = downloaded(lab, pictures, "Data and fit", tmp_path)
        assert svg.name == "noisy-quadratic_eta-0.05_fit_epoch-120.svg"
        assert "epoch 120 of 200" in svg.read_text(encoding="utf-8")
    with claim("a moving picture is begun and stopped by the same key, and its bar goes with it"):
        moving = opened(dialog, "Moving picture")
        expect(moving).to_contain_text("1,280 × ")
        moving.get_by_role("button", name="Make it").focus()
        lab.page.keyboard.press("Enter")
        expect(moving.get_by_role("progressbar")).to_be_visible()
        expect(moving.get_by_role("button", name="Stop")).to_be_focused()
        lab.page.keyboard.press("Enter")
        expect(moving.get_by_role("button", name="Make it")).to_be_focused()
        expect(moving.get_by_role("progressbar")).to_have_count(0)
    with claim("axe-core finds no serious fault on any of its tabs"):
        for tab in dialog.get_by_role("tab").all_inner_texts():
            opened(dialog, tab)
            lab.page.keyboard.press("Tab")  # which makes a stop of a box that scrolls
            assert (tab, lab.serious_faults("[role=dialog]")) == (tab, [])
    with claim("the script, run by Python alone, and both records are of this run"):
        script = downloaded(lab, opened(dialog, "PyTorch"), "Script (.py)", tmp_path)
        with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True) as python:
            place = opened(dialog, "Record")
            record = json.loads(downloaded(lab, place, "Record (.json)", tmp_path).read_text("utf-8"))
            csv = downloaded(lab, place, "Record (.csv)", tmp_path).read_text("utf-8").splitlines()
            path = downloaded(lab, opened(dialog, "Web page"), "Web page (.html)", tmp_path)
            printed, _ = python.communicate(timeout=120)
        assert python.returncode == 0
        assert "200" in printed
        assert record["experiment"]["learning_rate"] == 0.05
        assert len(csv) == 202
    assert path.stat().st_size <= 2_000_000
    for size in (VIEWPORT, PHONE):
        alone = profile.browser.new_context(viewport=size)
        try:
            alone.set_offline(True)
            with claim(f"the page of its own works without a network, {size['width']} pixels wide"):
                works_alone(alone, path, said, lab.page.url)
        finally:
            alone.close()


def works_alone(alone: BrowserContext, path: Path, said: str, link: str) -> None:
    """The page of its own, opened from its file where there is no network."""
    alone.clock.install()
    page = alone.new_page()
    asked, errors = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(path.as_uri())
    with claim("without a network it stands at the epoch, with its charts, sentences, settings and link"):
        expect(page.locator(".chart svg")).to_have_count(3)
        expect(page.locator("#said")).to_have_text(said)
        expect(page.locator("#verdict")).to_contain_text("RMSE")
        expect(page.locator("dl")).to_contain_text("η = 0.05")
        expect(page.get_by_role("link")).to_have_attribute("href", link)
    with claim("its slider, moved by keys, moves the marks"):
        marks = f"[role=img][aria-label^='{ERROR}'] svg.marks"
        before = page.locator(marks).inner_html()
        page.get_by_role("slider", name="Epoch").focus()
        page.keyboard.press("ArrowRight")
        expect(page.locator("#name")).to_have_text("epoch 121 of 200")
        expect(page.locator(marks)).not_to_have_js_property("innerHTML", before)
    with claim("Play goes to the end, in six seconds for the whole run"):
        page.get_by_role("button", name="Play").press("Enter")
        page.clock.run_for(1000)
        assert 140 <= int(page.get_by_role("slider", name="Epoch").input_value()) <= 170
        page.clock.run_for(2000)
        expect(page.locator("#name")).to_have_text("epoch 200 of 200")
    with claim("nothing is wider than the window"):
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    with claim("nothing was asked of any server"):
        assert [url for url in asked if not url.startswith("file:")] == []
        assert errors == []


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
