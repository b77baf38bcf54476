"""The address is the save file: links, Back, Forward, reload, two tabs, and what hostile links do."""

from urllib.parse import quote, urlencode

from playwright.sync_api import expect

from lab import Lab, claim

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


def test_a_link_sets_every_field_and_survives_a_reload_back_and_forward(lab: Lab):
    """Each setting of a link stands in its field, and the address says the same. Reloaded while it plays, the page shows the
    same settings and the run waits at its start. Back brings the settings and the run before, Forward the ones after."""
    lab.open_page(LINK)
    with claim("each setting stands in its field, and the address says the same settings"):
        for label, text in FIELDS.items():
            expect(lab.field(label)).to_have_value(text)
        assert (lab.chosen("Update rule"), lab.chosen("Start")) == ("Adam", "Random, from the seed")
        assert lab.scale.is_checked()
        assert urlencode(sorted(lab.query.items()), safe=",") == "&".join(sorted(LINK[2:].split("&")))
        expect(lab.page.get_by_role("radio", name="b, c")).to_be_checked()
    with claim("a button in sight copies it, and says so"):
        lab.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        lab.page.get_by_role("button", name="Copy link").click()
        expect(lab.page.get_by_role("button", name="Link copied")).to_be_visible()
        assert lab.page.evaluate("navigator.clipboard.readText()") == lab.page.url
    with claim("reloaded while it plays, the page shows the same settings, and the run waits at its start"):
        before = fields(lab)
        lab.train().passed(5)
        lab.page.reload()
        lab.settled()
        expect(lab.field("Seed")).to_have_value("5")  # the side bar comes last
        assert fields(lab) == before
        expect(lab.button("Play")).to_be_disabled()
        assert lab.epoch() == 0
        lab.train().to_end()
        assert lab.epoch() == 60
    with claim("Back brings the settings and the run before, Forward the ones after"):
        first = lab.live()["rmse"]
        lab.type("Learning rate η", "0.05")
        lab.wait_for_query(learning_rate="0.05")
        lab.train().to_end()
        second = lab.live()["rmse"]
        assert first != second
        lab.page.go_back()
        expect(lab.field("Learning rate η")).to_have_value("0.2")
        lab.wait_for_query(learning_rate="0.2")
        expect(lab.page.locator("[data-live=rmse]")).to_have_text(first)
        lab.page.go_forward()
        expect(lab.field("Learning rate η")).to_have_value("0.05")
        expect(lab.page.locator("[data-live=rmse]")).to_have_text(second)


def test_a_shared_address_is_the_same_run_and_tabs_do_not_mix(lab: Lab, visit):
    """The address, copied into another tab, shows the same fields, and Train ends at the same numbers. From then on each tab
    keeps its own settings, run and epoch."""
    lab.open_page()
    lab.choose("Update rule", "RMSProp")
    lab.field("Points").fill("40")
    lab.type("Epochs", "80")
    with lab.rerun():
        lab.command("New start").click()
    lab.wait_for_query(seed="1")
    lab.train().to_end()
    other: Lab = visit().open_page(lab.page.url.removeprefix(lab.url))
    with claim("opened elsewhere it shows the same fields, and Train ends at the same numbers"):
        assert fields(other) == fields(lab)
        assert other.query == lab.query
        other.train().to_end()
        assert other.live() == lab.live()
        assert other.verdict() == lab.verdict()
    with claim("two tabs do not mix their settings, runs and epochs"):
        mine = lab.seek(20).live()
        other.choose("Data set", "One parameter")
        other.type("Epochs", "30")
        other.train().to_end().seek(7)
        theirs = other.live()
        assert theirs["rmse"] != mine["rmse"]
        assert (lab.epoch(), lab.last, lab.live()) == (20, 80, mine)
        lab.type("Learning rate η", "0.05")
        lab.train().to_end()
        assert lab.last == 80
        assert (other.epoch(), other.last) == (7, 30)
        assert other.live() == theirs
        assert other.query["dataset"] == "one-parameter"


# Each value that a browser could take for more than text, and what breaks a layout. Of each kind of link alone how many
# sentences it gets, and that its address is sound and Train works afterwards: `tests/pages/test_train.py`.
HOSTILE = [
    ({"learning_rate": "<script>alert(1)</script>", "start": "<img src=x onerror=alert(1)>", "axes": "<b>,c,c,c",
      "dataset": "[x](javascript:alert(1)) $$\\frac{1}{0}$$ :red[a]", "unknown": "1"}, 3),
    ({"learning_rate": "9" * 3000, "start": "1," * 500, "optimizer": "magic", "epochs": "1e9", "noise": "inf",
      "points": "many", "before": ";".join(["1,momentum,1e-05,0.9"] * 50), "axes": "a,a", "data_seed": "7"}, 7),
]  # fmt: skip


def test_a_hostile_link_gets_sentences_and_heals(lab: Lab):
    """A sentence for each bad value, as text; no dialog, no exception, no code run, and Train works. The address becomes
    that of the settings in use, and the sentences go with the next change."""
    lab.page.on("dialog", lambda dialog: lab.errors.append(f"dialog: {dialog.message}"))
    for values, sentences in HOSTILE:
        with claim(f"a sentence for each of {list(values)}"):
            lab.open_page("/?" + urlencode(values, quote_via=quote))
            expect(lab.complaint).to_have_count(sentences)
            expect(lab.page.get_by_test_id("stException")).to_have_count(0)
            assert lab.sidebar.locator("a, img, script, .katex").count() == 0
        with claim("what stands in the address now is sound, and Train works"):
            assert lab.experiment
            lab.train().to_end()
            assert lab.verdict()
    with claim("the address is that of the settings in use, and the sentences go with the next change"):
        lab.wait_for_query(learning_rate="1e-05", epochs="1000", data_seed="7")
        expect(lab.complaint).to_have_count(7)
        lab.type("Learning rate η", "1e-6")
        expect(lab.complaint).to_have_count(0)
