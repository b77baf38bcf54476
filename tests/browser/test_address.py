"""The address is the save file: links, Back, Forward, reload, two tabs, a cold server, and what hostile links do."""

from urllib.parse import quote, urlencode

import pytest
from playwright.sync_api import expect

from lab import Lab
from serving import serving

LINK = (
    "/?dataset=noisy-quadratic&points=30&noise=2.5&data_seed=7&optimizer=adam&learning_rate=0.2&beta1=0.8"
    "&batch_size=10&scale_features=true&start=random&seed=5&epochs=60&axes=b,c"
)
FIELDS = {
    "Points": "30", "Noise": "2.5", "Data seed": "7", "Learning rate η": "0.2", "Epochs": "60", "Batch size": "10",
    "Seed": "5", "Memory β₁": "0.8", "Memory β₂": "0.999", "Epsilon ε": "1e-8",
}  # fmt: skip


def fields(lab: Lab) -> dict[str, str]:
    """Everything the side bar says."""
    labels = lab.sidebar.get_by_role("textbox")
    texts = labels.evaluate_all(
        "all => Object.fromEntries(all.map((one) => [one.getAttribute('aria-label'), one.value]))"
    )
    choices = {label: lab.chosen(label) for label in ("Data set", "Update rule", "Loss", "Start")}
    return texts | choices | {"scaled": str(lab.scale.is_checked())}


def test_a_link_sets_every_field(lab: Lab):
    """Each setting of a link stands in its field, and the address says the same settings."""
    lab.open_page(LINK)
    assert {label: lab.field(label).input_value() for label in FIELDS} == FIELDS
    assert (lab.chosen("Update rule"), lab.chosen("Start")) == ("Adam", "Random, from the seed")
    assert lab.scale.is_checked()
    assert urlencode(sorted(lab.query.items()), safe=",") == "&".join(sorted(LINK[2:].split("&")))
    expect(lab.page.get_by_role("radio", name="b, c")).to_be_checked()


def test_a_shared_address_is_the_same_run(lab: Lab, visit):
    """The address, copied into another browser, shows the same fields, and Train ends at the same numbers."""
    lab.open_page()
    lab.type("Points", "40")
    lab.choose("Update rule", "RMSProp")
    lab.type("Learning rate η", "0.1")
    lab.type("Epochs", "80")
    with lab.rerun():
        lab.command("New start").click()
    lab.wait_for_query(seed="1")
    lab.train().to_end()
    other = visit().open_page(lab.page.url.removeprefix(lab.url))
    assert fields(other) == fields(lab)
    assert other.query == lab.query
    other.train().to_end()
    assert other.live() == lab.live()
    assert other.verdict() == lab.verdict()


def test_back_and_forward_walk_through_the_settings(lab: Lab):
    """Back brings the settings and the run before; Forward the ones after."""
    lab.open_page(LINK).train().to_end()
    first = lab.live()["rmse"]
    lab.type("Learning rate η", "0.05")
    lab.wait_for_query(learning_rate="0.05")
    lab.train().to_end()
    second = lab.live()["rmse"]
    lab.page.go_back()
    expect(lab.field("Learning rate η")).to_have_value("0.2")
    lab.wait_for_query(learning_rate="0.2")
    expect(lab.page.locator("[data-live=rmse]")).to_have_text(first)
    lab.page.go_forward()
    expect(lab.field("Learning rate η")).to_have_value("0.05")
    expect(lab.page.locator("[data-live=rmse]")).to_have_text(second)


def test_a_reload_in_mid_run_keeps_the_settings(lab: Lab):
    """Reloaded while it plays, the page shows the same settings, and the run waits at its start."""
    lab.open_page(LINK)
    before = fields(lab)
    lab.train().passed(5)
    lab.page.reload()
    lab.settled()
    assert fields(lab) == before
    expect(lab.button("Play")).to_be_disabled()
    assert lab.epoch() == 0
    lab.train().to_end()
    assert lab.epoch() == 60


def test_a_reload_in_a_long_run_keeps_the_settings(lab: Lab):
    """Reloaded while it trains, the page is whole, and trains again."""
    lab.open_page("/?dataset=noisy-quadratic&learning_rate=1e-05&epochs=1000000&engine=loop").train()
    expect(lab.command("Stop")).to_be_visible()
    lab.page.reload()
    lab.settled()
    expect(lab.field("Epochs")).to_have_value("1000000")
    expect(lab.command("Stop")).to_be_hidden()
    lab.train()
    lab.command("Stop").click()
    expect(lab.command("Stop")).to_be_hidden()


def test_the_first_request_to_a_cold_server_may_be_a_link(visit):
    """A server just started, first asked for a link with settings: it shows them, and no “Page not found”."""
    with serving() as cold:
        lab = visit(cold.url).open_page(LINK)
        assert {label: lab.field(label).input_value() for label in FIELDS} == FIELDS
        expect(lab.page.get_by_role("dialog")).to_have_count(0)
        lab.train().to_end()
        assert lab.epoch() == 60


def test_two_tabs_do_not_mix_their_runs(lab: Lab):
    """Two tabs of one browser: each keeps its own settings, run and epoch."""
    lab.open_page(LINK).train().to_end()
    lab.seek(20)
    page = lab.page.context.new_page()
    other = Lab(page, lab.url).open_page("/?dataset=one-parameter&learning_rate=0.1&epochs=40")
    other.train().to_end()
    other.seek(7)
    mine, theirs = lab.live(), other.live()
    lab.type("Learning rate η", "0.1")
    lab.train().to_end()
    assert lab.last == 60
    assert (other.epoch(), other.last) == (7, 40)
    assert other.live() == theirs
    assert mine["rmse"] != theirs["rmse"]
    assert other.query["dataset"] == "one-parameter"
    assert not other.errors


HOSTILE = {
    "unknown names": ({"dataset": "nothing", "optimizer": "magic", "loss": "none", "unknown": "1"}, 3),
    "numbers": ({"learning_rate": "nan", "epochs": "1e9", "seed": "-1", "data_seed": str(2**64), "noise": "inf"}, 5),
    "words": ({"learning_rate": "fast", "points": "many", "scale_features": "perhaps", "start": "x,y,z"}, 4),
    "code": ({"learning_rate": "<script>alert(1)</script>", "start": "<img src=x onerror=alert(1)>"}, 2),
    "markdown": ({"dataset": "[x](javascript:alert(1)) $$\\frac{1}{0}$$ :red[a]"}, 1),
    "long": ({"learning_rate": "9" * 3000, "start": "1," * 500}, 2),
    "phases": ({"before": ";".join(["1,momentum,1e-05,0.9"] * 50)}, 1),
    "too much": ({"points": "10000", "batch_size": "1", "epochs": "1000000"}, 1),
    "axes": ({"axes": "a,a"}, 0),
    "other axes": ({"axes": "<b>,c,c,c"}, 0),
    "empty": ({"learning_rate": "", "dataset": "", "axes": ""}, 2),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_link_gets_sentences(lab: Lab, name: str):
    """Whatever a link holds: a sentence for each bad value, no dialog, no exception, no code run, and Train works."""
    values, sentences = HOSTILE[name]
    lab.page.on("dialog", lambda dialog: lab.errors.append(f"dialog: {dialog.message}"))
    lab.open_page("/?" + urlencode(values, quote_via=quote))
    expect(lab.complaint).to_have_count(sentences)
    expect(lab.page.get_by_test_id("stException")).to_have_count(0)
    assert lab.sidebar.locator("a, img, script, .katex").count() == 0
    assert lab.experiment  # what stands in the address now is sound
    if lab.experiment.total_epochs * lab.experiment.updates_per_epoch <= 3000:
        lab.train().to_end()
        assert lab.verdict()


def test_a_bad_link_heals(lab: Lab):
    """The address of a link with a bad value becomes that of the settings in use, and the sentence goes with the next change."""
    lab.open_page("/?dataset=noisy-quadratic&learning_rate=fast&epochs=50")
    expect(lab.complaint).to_have_count(1)
    lab.wait_for_query(learning_rate="1e-05", epochs="50")
    lab.type("Learning rate η", "1e-6")
    expect(lab.complaint).to_have_count(0)
