"""The moving picture, read by Pillow: its pictures, its times, and what moves in it; how it is made, stopped, and waits."""

import json
import time
from dataclasses import replace
from html import unescape
from io import BytesIO
from types import SimpleNamespace

import numpy as np
import pytest
from lesson_page import LessonPage
from PIL import Image

from gd_core.problem import build
from gd_core.recorder import record
from gd_core.settings.experiment import Experiment
from gd_core.theory import curvature_of
from pages.ui.charts.error import error
from pages.ui.charts.fit import fit
from pages.ui.charts.model import RecordedRun
from pages.ui.look.current_charts import Played
from pages.ui.look.palette import LIGHT
from pages.ui.takeaway import converter, converter_process, frames, making
from pages.ui.takeaway.making import Film

EPOCHS = 8
RUN = replace(Experiment.default(), epochs=EPOCHS, scale_features=True, learning_rate=0.05)
SAID = ("Epoch {epoch}: <b>&", "The end.")


def played(rows, *, summary="Said at the end, with w₁ & <script>.", **columns):
    epochs = np.arange(rows)
    table = {"rmse": 5.0 - epochs, "template": (epochs == rows - 1).astype(np.int8)} | columns
    return Played(table, SAID, summary, {}, (), rows - 1, rows - 1, 1)


@pytest.fixture(scope="module")
def drawn():
    """A moving picture of the error of a run, with how it was asked for."""
    problem = build(RUN)
    run = RecordedRun(RUN, problem, curvature_of(problem.objective), record(RUN))
    views = {"Error": error(run, LIGHT, 300), "Fit": fit(run, LIGHT, 300)}
    theirs = played(EPOCHS + 1, rmse=np.asarray(run.recording.epoch_rmse))
    spec = frames.film(views, theirs, "white", "η = 0.05", width=853, again=True)
    shop, told = converter_process.Workshop(), []
    try:
        made = shop.make("film", spec, told.append)
    finally:
        shop.close()
    return SimpleNamespace(
        file=Image.open(BytesIO(made)), played=theirs, spec=spec, told=told, weight=len(made)
    )


def pictures(file):
    for number in range(file.n_frames):
        file.seek(number)
        yield np.asarray(file.convert("RGB")).astype(int), file.info["duration"]


def of_colour(picture, colour):
    rgb = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    return abs(picture - rgb).max(-1) <= 12


def test_each_epoch_stands_for_its_time(drawn):
    """A picture an epoch, 0.4 seconds each as in the player, a second more for the first and three for the last; for ever."""
    durations = [ms for _, ms in pictures(drawn.file)]
    assert durations == [1400, *[400] * (EPOCHS - 1), 3000]
    assert drawn.file.info["loop"] == 0
    assert drawn.told == [*range(1, EPOCHS + 2)]
    size = frames.Size.of(drawn.played, 2, "η = 0.05", 853)
    assert drawn.file.size == (size.width, size.height)
    assert sum(durations) == pytest.approx(1000 * size.seconds)
    assert size.megabytes / 3 < drawn.weight / 1e6 < 3 * size.megabytes


def test_what_moves_is_where_the_epoch_is(drawn):
    """The line of the error and the bar under the charts end where the epoch's share of their width is, in every picture."""
    error_until, bar_until = [], []
    for picture, _ in pictures(drawn.file):
        run = of_colour(picture, LIGHT.run)
        below = drawn.spec["charts"][0]["y"] + frames.HEIGHTS[2]
        error_until.append(np.flatnonzero(run[:below, : frames.WIDTH // 2].any(0)).max())
        bar = np.flatnonzero(run[below:, frames.BAR :].any(0))
        bar_until.append(bar.max() + 1 if len(bar) else 0)
    whole = frames.WIDTH - frames.EDGE - frames.BAR
    assert bar_until == pytest.approx([whole * epoch / EPOCHS for epoch in range(EPOCHS + 1)], abs=3)
    way = np.subtract(error_until, error_until[0])
    assert way[-1] > 200
    assert way == pytest.approx([way[-1] * epoch / EPOCHS for epoch in range(EPOCHS + 1)], abs=5)


def test_the_paper_is_white(drawn):
    """On a white slide the picture has no edge: 255, not nearly."""
    for picture, _ in pictures(drawn.file):
        corners = picture[[0, 0, -1, -1], [0, -1, 0, -1]]
        assert corners.tolist() == [[255] * 3] * 4


def test_every_text_is_text(drawn):
    """Epoch, sentence, verdict and settings stand in it, and what looks like a tag is none."""
    said = [unescape(frame["svg"]) for frame in drawn.spec["frames"]]
    assert "epoch 3 of 8" in said[3]
    assert "Epoch 3: <b>&" in said[3]
    assert "Said at the end, with w₁ & <script>." in said[-1]
    assert "η = 0.05" in drawn.spec["open"]
    assert "<b>" not in json.dumps(drawn.spec["frames"])
    assert "<script" not in json.dumps(drawn.spec)


def test_what_is_nearly_the_paper_is_the_paper():
    """Beside a thousand shades of nearly white, white stays white, and the colours of the marks stay theirs."""
    shades = np.random.default_rng(0).integers(248, 256, (100, 100, 3)).astype(np.uint8)
    shades[:, :50] = 255
    shades[:10, :10] = (10, 108, 103)
    picture = Image.fromarray(shades)
    kept = np.asarray(picture.quantize(palette=converter.palette_of([picture] * 3), dither=0).convert("RGB"))
    assert (kept[20:, :50] == 255).all()
    assert abs(kept[:10, :10].astype(int) - (10, 108, 103)).max() <= 3


@pytest.mark.parametrize("rows", [2, 16, 61, 1001])
def test_no_moving_picture_is_long(rows):
    """At most 61 pictures and ten seconds, however long the run; first and last epoch are among them."""
    shown = frames.moments(played(rows, rmse=0.97 ** np.arange(rows)))
    assert (shown[0].row, shown[-1].row) == (0, rows - 1)
    assert len(shown) <= 61
    assert sum(ms for _, ms in shown) <= 10_000
    assert all(ms % 10 == 0 and ms >= 20 for _, ms in shown)


def test_a_run_that_rests_early_is_shown_slowly_at_first():
    """Of 1,000 epochs of which ten move, each of the ten has its 0.4 seconds, and all others together 0.6."""
    shown = frames.moments(played(1001, rmse=1.0 + np.maximum(0, 10 - np.arange(1001))))
    times = dict(shown)
    assert [times[row] for row in range(1, 10)] == [400] * 9
    assert sum(ms for row, ms in shown if row >= 10) == pytest.approx(600 + 3000, abs=10)


# ---------------------------------------------------------------------------------------------------- how it is made


class Hand:
    """A workshop that draws a picture when it is told to."""

    ended = 0

    def __init__(self):
        self.close = lambda: setattr(Hand, "ended", Hand.ended + 1)

    def make(self, _, spec, told):
        for number in range(1, len(spec["frames"]) + 1):
            while spec["hold"]():
                time.sleep(0.01)
            told(number)
        return b"made"


def until(true):
    deadline = time.monotonic() + 10
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_one_is_made_at_a_time_and_a_stopped_one_makes_room(monkeypatch):
    """The second waits and says so, and is made when the first is stopped; the first's process has ended by then."""
    monkeypatch.setattr(making, "Workshop", Hand)
    monkeypatch.setattr(Hand, "ended", 0)
    held = [True]
    first = Film("first", {"frames": [0] * 5, "hold": lambda: held[0]})
    until(lambda: not first.waits)
    second = Film("second", {"frames": [0], "hold": lambda: False})
    third = Film("third", {"frames": [0], "hold": lambda: False})
    until(lambda: second.waits and third.waits)
    assert (first.at_work, second.at_work, second.made) == (True, True, b"")
    third.stop()
    until(lambda: not third.at_work)  # who waits can go as well
    first.stop()
    assert not first.at_work
    held[0] = False
    until(lambda: Hand.ended == 2)
    assert (first.made, second.made, third.made) == (b"", b"made", b"")


def test_what_goes_wrong_is_said_and_makes_room(monkeypatch):
    """A film that cannot be made has a sentence, and the next one is made."""

    def refuse(*_):
        raise converter_process.ConversionError("The file could not be made: no.")

    monkeypatch.setattr(making, "Workshop", Hand)
    with monkeypatch.context() as once:
        once.setattr(Hand, "make", refuse)
        broken = Film("broken", {"frames": [0]})
        until(lambda: not broken.at_work)
    assert broken.sentence == "The file could not be made: no."
    whole = Film("whole", {"frames": [0], "hold": lambda: False})
    until(lambda: whole.made == b"made")


def test_train_makes_one():
    """Before Train nothing moves; after it, size, seconds and weight are said first, then the file is there with its text."""
    opened = LessonPage("train", epochs="2", scale_features="true", learning_rate="0.05")
    opened.press("take_away")
    assert "Nothing moves here yet" in opened.words
    opened.press("train")
    for titles in ([], ["Error by epoch"]):
        (charts,) = [one for one in opened.at.button_group if one.key == "film_charts"]
        charts.set_value(titles)
        opened.run()
        assert ("Choose one to 4 charts. Got 0." in opened.words) == (not titles)
    said = next(one.value for one in opened.at.caption if "pixels" in one.value)
    assert said.startswith("1,280 × ")
    assert "5 seconds long. About 0.0" in said
    opened.press("film_button")
    assert opened.at.button("film_button").label == "Stop"
    deadline = time.monotonic() + 60
    while opened.at.button("film_button").label == "Stop":
        assert time.monotonic() < deadline
        time.sleep(0.2)
        opened.run()
    (file,) = [one.proto for one in opened.at.get("download_button") if "Download (" in one.proto.label]
    assert file.url.endswith(".gif")
    assert any("Root mean squared error by epoch" in one.value for one in opened.at.code)
    assert opened.at.button("film_button").label == "Make it again"
    opened.press("film_button")
    opened.press("film_button")
    assert opened.at.button("film_button").label == "Make it"
