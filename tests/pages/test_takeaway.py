"""What can be taken away: pictures and a page of its own are made from the page's own charts, and say what they show."""

import json
import math
import re
import struct
from dataclasses import replace
from types import SimpleNamespace
from urllib.parse import parse_qsl, urlsplit

import numpy as np
import pytest
from lesson_page import LessonPage
from tags import Tags
from train_page import Lab

from gd_core import verdict
from gd_core.problem import build
from gd_core.recorder import record
from gd_core.settings.experiment import Experiment
from gd_core.settings.pins import Pin, Pins
from gd_core.theory import curvature_of, forecast_of
from pages.ui.charts.error import error
from pages.ui.charts.fit import fit
from pages.ui.charts.model import RecordedRun
from pages.ui.look import session
from pages.ui.look.current_charts import Played, Showing
from pages.ui.look.navigation import LESSONS
from pages.ui.look.palette import DARK, LIGHT
from pages.ui.player.live_runs import Runs
from pages.ui.takeaway import converter, converter_process, page_html, pictures, takeaway
from pages.ui.takeaway.chart_titles import TITLES, title_of
from pages.ui.takeaway.pictures import Place

WITH_CHARTS = ("train", "compare", *(name for name in LESSONS if name != "glossary"))
PINNED = Pins(
    pins=tuple(
        Pin("same", replace(Experiment.default(), scale_features=True, epochs=epochs, **more))
        for epochs, more in (
            (30, {"learning_rate": 0.3}),
            (60, {"holdout": 0.2}),
            (5000, {"optimizer": "adam"}),
        )
    )
)
HOSTILE = "</script><script>window.hacked = 1</script><img src=x onerror=hacked=1>"
MEGABYTE = 1e6


def run_of(**changes):
    experiment = replace(Experiment.default(), epochs=100, scale_features=True, learning_rate=0.05, **changes)
    problem = build(experiment)
    return RecordedRun(experiment, problem, curvature_of(problem.objective), record(experiment))


def drawn_on(page):
    """What a page has drawn, after its question."""
    opened = LessonPage(page, **(PINNED.to_query() if page == "compare" else {}))
    if any(button.key == "skip" for button in opened.at.button):
        opened.skip()
    return opened, opened.at.session_state[session.key(Showing)].drawn


def words_of(svg):
    """Everything written in a drawing, line by line."""
    return re.findall(r"<t(?:ext|span)\b[^>]*>([^<]+)<", svg)


# ------------------------------------------------------------------------------------------------ every page's charts


@pytest.mark.parametrize("page", WITH_CHARTS)
def test_every_chart_of_every_page_can_be_taken_away(page, monkeypatch):
    """Each has a title, keeps its meaning on the other paper, holds all its data, and no slider of the page."""
    _, light = drawn_on(page)
    monkeypatch.setattr("pages.ui.look.palette.LIGHT", DARK)
    _, dark = drawn_on(page)
    assert light.views
    assert set(light.views) == set(dark.views)
    assert len({title_of(key) for key in light.views}) == len(light.views)
    for key, view in light.views.items():
        assert title_of(key).rstrip(" 123456789") in {title.rstrip(" {}") for title in TITLES.values()}
        assert pictures.recoloured(dict(view.spec), DARK) == dict(dark.views[key].spec), key
        assert pictures.recoloured(dict(dark.views[key].spec), LIGHT) == dict(view.spec), key
        spec = pictures.picture(view, Place(3, 5), "white", ["Said."])
        text = json.dumps(spec, allow_nan=False)
        assert "bind" not in text
        assert set(re.findall(r'"data": {"name": "(\w+)"}', text)) <= set(spec["datasets"])
        values = {one["name"]: one.get("value") for one in spec["params"]}
        assert not pictures.moves(view) or (values["epoch"], values["seen"]) == (3, 5)


def test_each_colour_has_one_meaning_on_either_paper():
    """No colour of one theme stands for two of the other, so that a picture can change its paper."""
    for ours, theirs in ((LIGHT, DARK), (DARK, LIGHT)):
        pairs = set(zip(pictures._flat(ours), pictures._flat(theirs), strict=True))
        assert len(pairs) == len({one for one, _ in pairs})


# ------------------------------------------------------------------------------------------------------------ pictures


def test_a_picture_stands_at_its_epoch():
    """The head of the error's line is at the epoch's share of the width, and at its RMSE's place on the axis."""
    run = run_of()
    view = error(run, LIGHT, 300)
    frame = {name: view.tables["frame"][name].to_pylist()[0] for name in ("y0", "y1")}
    for epoch in (25, 60):
        spec = pictures.picture(view, Place(epoch, 80), "white", [])
        svg = converter_process.svg(spec).decode()
        (head,) = re.findall(r'<path[^>]*transform="translate\(([\d.]+),([\d.]+)\)"[^>]*fill="#0A6C67"', svg)
        rmse = float(run.recording.epoch_rmse[epoch])
        down = (math.log(frame["y1"]) - math.log(rmse)) / (math.log(frame["y1"]) - math.log(frame["y0"]))
        assert [float(one) for one in head] == pytest.approx(
            [pictures.WIDTH * epoch / 100, 300 * down], abs=0.1
        )


def test_a_picture_says_its_settings_and_has_twice_its_pixels():
    """The caption stands in the SVG line by line; the PNG is twice as wide and high as the SVG."""
    run = run_of()
    caption = ["Error by epoch, epoch 7 of 100", "η = 0.05, ∂L/∂w₁ · " + "a long line of settings " * 9]
    spec = pictures.picture(error(run, LIGHT, 300), Place(7, 7), "dark", caption)
    svg = converter_process.svg(spec).decode()
    written = " ".join(words_of(svg))
    assert caption[0] in written
    assert "η = 0.05, ∂L/∂w₁" in written
    assert written.count("settings") == 9
    assert DARK.paper in svg
    png = converter_process.png(spec)
    assert png.startswith(b"\x89PNG\r\n")
    size = [float(re.search(rf'<svg[^>]* {side}="([\d.]+)"', svg)[1]) for side in ("width", "height")]
    assert list(struct.unpack(">II", png[16:24])) == pytest.approx([2 * one for one in size], abs=2)
    assert size[0] < pictures.WIDTH + 120  # a long caption is broken, not cut and not wider than the plot


def test_letters_that_the_font_lacks_are_drawn_another_way():
    """A subscript becomes a lowered digit, and what follows is back on the line; other letters stay."""
    svg = converter.with_plain_letters(
        '<g data-name="w₁"><text x="1">∂L/∂w₁ and x₂</text><text>θ, η</text></g>'
    )
    assert 'data-name="w₁"' in svg
    assert re.sub(r"<[^>]*>|\u200b", "", svg) == "∂L/∂w1 and x2θ, η"
    moves = [float(one) for one in re.findall(r'dy="(-?[\d.]+)em"', svg)]
    sizes = [float(one) for one in re.findall(r'font-size="([\d.]+)em"', svg)]
    assert moves[0] * sizes[0] + moves[1] == pytest.approx(0)


def test_a_hostile_name_is_text_in_a_picture():
    """A feature called like a script tag is written on the axis, and the drawing has no such element."""
    run = run_of()
    data = replace(run.problem.dataset, feature_names=(HOSTILE,), target_name="عمر & <b>")
    named = replace(run, problem=replace(run.problem, dataset=data))
    svg = converter_process.svg(
        pictures.picture(fit(named, LIGHT, 300), Place(0, 0), "white", [HOSTILE])
    ).decode()
    assert "<script" not in svg
    assert "<img" not in svg
    assert svg.count("&lt;img src=x onerror=hacked=1&gt;") >= 2


# -------------------------------------------------------------------------------------------------- a page of its own


@pytest.mark.parametrize("page", ["train", "variants", "deep_networks", "broadcasting"])
def test_a_page_of_its_own_is_small(page):
    """With all charts of a page, Vega in it, it takes at most 2 MB."""
    _, drawn = drawn_on(page)
    own = page_html.Page(page, "http://lab", {}, {title_of(key): view for key, view in drawn.views.items()})
    text = page_html.html(own, drawn.played, Place(1, 1), "white")
    assert 0.5 * MEGABYTE < len(text.encode()) <= 2 * MEGABYTE


def test_a_page_of_its_own_says_what_the_player_says():
    """At each epoch the sentence of the verdict, written by the core for the same recording."""
    opened = LessonPage("train", learning_rate="0.05", scale_features="true", epochs="30").press("train")
    take = opened.at.session_state[session.key(Runs)].live_run
    problem = build(take.experiment)
    forecast = forecast_of(take.experiment, problem, curvature_of(problem.objective))
    steps = verdict.of_steps(take.recording, take.experiment, forecast)
    said = page_html.sentences(opened.at.session_state[session.key(Showing)].drawn.played)
    assert len(said) == 31
    for epoch in range(31):
        assert close(said[epoch], steps.sentence(epoch, take.recording)), epoch


def close(one, other):
    """The same words, and numbers that agree to the digits that 32 bits hold."""
    number = r"\d[\d,]*\.?\d*(?:e[−-]?\d+)?"
    plain = [re.sub(number, "#", text) for text in (one, other)]
    numbers = [
        [float(n.replace(",", "").replace("−", "-")) for n in re.findall(number, text)]
        for text in (one, other)
    ]
    return plain[0] == plain[1] and numbers[0] == pytest.approx(numbers[1], rel=2e-5)


def test_sentences_and_names_of_any_player():
    """Templates with digits, sums of columns, rows that are not every epoch, and names of their own."""
    numbers = {"a": np.array([1.0, 2.0, 3.0]), "template": np.array([0, 1, 1], np.int8)}
    played = Played(
        numbers, ("start {epoch}", "{epoch} → {next}: {twice:3}"), "", {"twice": [("a", 2.0)]}, (), 25, 30, 10
    )
    assert page_html.epochs_of(played) == [0, 10, 20]
    assert page_html.sentences(played) == ["start 0", "10 → 11: 4.00", "20 → 21: 6.00"]
    assert page_html.names_of(played)[2] == "epoch 20 of 30"
    assert [page_html.row_of(played, Place(epoch, 0)) for epoch in (0, 9, 10, 25, 99)] == [0, 0, 1, 2, 2]
    assert page_html.names_of(played._replace(names=("a", "b", "c"))) == ["a", "b", "c"]


def test_a_page_of_its_own_takes_every_text_as_text():
    """Hostile titles, settings, links and sentences add no element and end no script."""
    run = run_of()
    views = {HOSTILE: fit(run, LIGHT, 200)._replace(text=HOSTILE)}
    numbers = {"template": np.zeros(2, np.int8)}
    played = Played(numbers, (HOSTILE,), HOSTILE, {}, (HOSTILE, HOSTILE), 1, 1, 1)
    own = page_html.Page(HOSTILE, f'http://lab/?q="{HOSTILE}', {HOSTILE: HOSTILE}, views)
    text = page_html.html(own, played, Place(0, 0), "dark")
    found = Tags(text)
    assert [tag for tag, _ in found.tags].count("script") == 3
    assert "img" not in [tag for tag, _ in found.tags]
    policy = next(attrs["content"] for tag, attrs in found.tags if attrs.get("http-equiv"))
    assert policy.startswith("default-src 'none'")
    assert not [attrs for _, attrs in found.tags if set(attrs) & {"src", "onerror", "onload"}]
    data = json.loads(re.search(r'id="data">(.*?)</script>', text, re.DOTALL)[1])
    assert data["said"] == [HOSTILE] * 2
    assert f"color-scheme: {'dark'}" in text or 'content="dark"' in text


# ---------------------------------------------------------------------------------------------------------- the workshop


def test_the_workshop_comes_back_after_it_was_ended():
    """Who asks after the process has gone gets a picture all the same."""
    shop = converter_process.Workshop()
    spec = {"data": {"values": [{}]}, "mark": "point"}
    try:
        assert shop.make("svg", spec).startswith(b"<svg")
        shop._process.kill()
        shop._process.wait()
        assert shop.make("svg", spec).startswith(b"<svg")
    finally:
        shop.close()


def test_what_cannot_be_drawn_is_said_in_a_sentence():
    """A specification that is none ends neither the process nor the server."""
    shop = converter_process.Workshop()
    try:
        with pytest.raises(converter_process.ConversionError, match="The file could not be made: "):
            shop.make("png", {"mark": "no such mark", "data": {"values": []}, "encoding": 3})
        assert shop.make("svg", {"data": {"values": [{}]}, "mark": "point"}).startswith(b"<svg")
    finally:
        shop.close()


# ------------------------------------------------------------------------------------------------------------- the panel


def files_on(opened):
    return [
        element.proto.label
        for element in opened.at.get("download_button")
        if "xlsx" not in element.proto.label  # the lesson's own
    ]


def test_nothing_is_made_before_someone_asks(monkeypatch):
    """A page that is opened, trained and run again makes no picture, and its converter does not start."""
    made = []
    monkeypatch.setattr(converter_process.Workshop, "make", lambda *a: made.append(a))
    opened = LessonPage("train", epochs="20")
    opened.press("train")
    assert files_on(opened) == []
    opened.press("take_away")
    assert "Error by epoch" in files_on(opened)
    assert [request[1] for request in made if request[1] == "svg"] == []


def test_train_offers_everything():
    """Link, each chart, a page, a script, a notebook; the record once there is one."""
    opened = LessonPage("train", learning_rate="1e-05", epochs="20", dataset="noisy-quadratic")
    opened.press("take_away")
    made = [
        "Data and fit",
        "Error by epoch",
        "Landscape",
        "Web page (.html)",
        "Script (.py)",
        "Notebook (.ipynb)",
    ]
    assert files_on(opened) == made
    assert "no record yet" in opened.words
    opened.press("train")
    assert files_on(opened) == [*made, "Record (.csv)", "Record (.json)"]
    link, frame, code = (element.value for element in opened.at.code)
    assert 'src="' in frame
    assert link.endswith("/?dataset=noisy-quadratic&learning_rate=1e-05&epochs=20")
    assert "import torch" in code


def test_the_limit_is_told_for_other_peoples_code():
    """In the tab of numbers and beside the script: × 2, ÷ N, ÷ (1 − β); nothing where the rule has no limit."""
    asked = {"dataset": "noisy-quadratic", "scale_features": "true", "epochs": "20"}
    opened = Lab(**asked, optimizer="momentum", momentum="0.9").press("take_away")
    rows = Experiment.default("noisy-quadratic").points
    limit = 2 * 1.9 / 4.945824203735832  # 2 (1 + β)/λ
    facts = " ".join(element.proto.body for element in opened.at.get("html"))
    told = next(element.value for element in opened.at.caption if "In other code" in element.value)
    assert told.startswith(f"Limit of the rate in this code: {verdict.significant(limit)}. In other code: ")
    for where, times, what in (
        ("½ of the mean", 2, "½ of the mean of squares: × 2."),
        ("the sum", 1 / rows, f"adds up the squares of all {rows} rows: ÷ {rows}."),
        ("1 − β", 10, "v ← βv + (1 − β)∇L: ÷ (1 − β), that is ÷ 0.1."),
    ):
        there = verdict.significant(limit * times)
        assert f"<td>The same with {where}</td><td>{there}</td>" in facts
        assert f"with {where} {there}" in told
        assert what in facts
        assert what in told
    without = Lab(**asked, optimizer="adam").press("take_away")
    assert "The same with" not in " ".join(element.proto.body for element in without.at.get("html"))
    assert not [element for element in without.at.caption if "In other code" in element.value]


@pytest.mark.parametrize("page", LESSONS)
def test_every_lesson_can_be_taken_away(page):
    """All charts of the page, and a script of each run that is one; a network has none, the glossary nothing."""
    opened, drawn = drawn_on(page)
    if page == "glossary":
        assert not [button for button in opened.at.button if button.key == "take_away"]
        return
    opened.press("take_away")
    files = files_on(opened)
    assert [title_of(key) for key in drawn.views] == files[: len(drawn.views)]
    scripts = [
        name
        for name in files
        if name in ("Script (.py)", "Notebook (.ipynb)", "Record (.csv)", "Record (.json)")
    ]
    assert len(scripts) == (0 if page == "deep_networks" else 4)
    several = {"learning_rate": 4, "variants": 8}.get(page)
    choices = [box.options for box in opened.at.selectbox if box.key in ("script_run", "record_run")]
    assert [len(one) for one in choices] == ([several] * 2 if several else [])


@pytest.mark.parametrize("how", [{"guess": "skip"}, {"ask": "false"}], ids=["answered", "not asked"])
def test_a_lessons_question_can_be_set_as_a_task(how):
    """Its link, and the frame of a course's page, ask first, with the same settings; the page's own link shows the run."""
    page = LessonPage("one_parameter", learning_rate="0.05", **how).press("take_away")
    asks, exact, frame = (block.value for block in page.at.code[:3])
    first, shown = (dict(parse_qsl(urlsplit(link).query)) for link in (asks, exact))
    assert first["learning_rate"] == "0.05"
    assert shown == first | how
    ((_, attributes),) = Tags(frame).tags
    assert dict(parse_qsl(urlsplit(attributes["src"]).query)) == first | {"embed": "true"}
    student = LessonPage("one_parameter", **first)
    assert [button for button in student.at.button if button.key == "skip"]
    assert not [button for button in page.at.button if button.key == "skip"]
    student.press("take_away")
    assert student.at.code[1].value == frame


def test_pinned_runs_can_be_taken_away():
    """Each by its number and name: its script, its record, and of a long one in training the sentence where it has one."""
    opened, drawn = drawn_on("compare")
    opened.press("take_away")
    files = files_on(opened)
    assert files[:4] == ["Error by epoch", "Landscape", "Fits", "Web page (.html)"]
    assert "Record (.json)" in files
    for key in ("script_run", "record_run"):
        (box,) = [box for box in opened.at.selectbox if box.key == key]
        assert box.options == ["1. same", "2. same", "3. same"]
        box.set_value("3. same")
    opened.at.run()
    assert "Adam" in opened.at.code[2].value
    assert "Train it on the Train page" in opened.words
    assert "Record (.json)" not in files_on(opened)
    assert len(drawn.views) == 3


def test_names_of_files_are_safe_and_telling():
    """Letters, digits, points, hyphens and underscores, whatever a page or a table brings along."""
    assert (
        takeaway.safe("noisy-quadratic", "eta-1e-5", "error", "epoch 120")
        == "noisy-quadratic_eta-1e-5_error_epoch-120"
    )
    for name in ("../../etc/passwd", "=cmd|' /C calc'!A0", "عمر", "a" * 300, "CON\\..\\x:y*", "ŷ/θ\n"):
        assert re.fullmatch(r"[A-Za-z0-9._-]{0,100}", takeaway.safe(name, "x"))
        assert not takeaway.safe(name, "x").startswith((".", "-", "="))


def test_the_html_of_a_frame_is_one_element():
    """Its address is the link's with `embed=true`, whatever the settings bring along; nothing leaves its attribute."""
    for address in (
        "http://lab/one_parameter",
        'http://lab/?table="><script>&epochs=3',
        "http://lab/?q=%22%3E&x=1",
    ):
        ((tag, attributes),) = Tags(takeaway.iframe('A "title" <b>', address)).tags
        assert (tag, attributes["title"]) == ("iframe", 'A "title" <b>')
        path, _, query = address.partition("?")
        assert attributes["src"] == path + "?embed=true" + (f"&{query}" if query else "")


def test_the_place_of_the_player_is_kept_within_its_run():
    """What the browser says is believed only inside the run; until it speaks, it is the end."""
    played = Played({"template": np.array([0])}, ("",), "", {}, (), 40, 50, 1)
    offered = SimpleNamespace(drawn=SimpleNamespace(played=played))
    for said, place in ((None, (40, 40)), ([7, 9], (7, 9)), ([-5, 1e9], (0, 40))):
        takeaway.STATE["where"] = {"at": said}
        assert takeaway._place(offered) == place
    del takeaway.STATE["where"]
