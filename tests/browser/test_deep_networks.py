"""The lesson about deep networks in a browser: it is trained while it is watched, and stays one page."""

import re

from playwright.sync_api import expect

from gd_core.lessons.deep_networks.network import Network
from lab import PATIENCE, Lab, claim

SHORT = "/deep_networks?depth=6&width=8&activation=tanh&epochs=40&learning_rate=0.02"
LONG = "/deep_networks?depth=30&width=32&activation=sigmoid&epochs=300&learning_rate=0.02"
CHARTS = 4


def points(lab: Lab) -> list[float]:
    """Heights of the dots of the chart of gradients, layer by layer, in pixels from its top."""
    marks = lab.chart("Norm of the gradient of each").locator(".mark-symbol.role-mark path")
    return marks.evaluate_all("all => all.map((one) => one.transform.baseVal[0].matrix.f)")


def watched(lab: Lab) -> Lab:
    """Let it play at the live edge until it has ended; To end would rest at what is trained so far."""
    lab.speed("all at once")
    lab.summary.wait_for(timeout=3 * PATIENCE)
    return lab


def live_edges(lab: Lab, end: int) -> list[int]:
    """How far a run is trained, looked at again and again until its end: the epochs to which To end leads."""
    edges = [0]
    while edges[-1] < end:
        lab.button("To end").click()
        if lab.epoch() != edges[-1]:
            edges.append(lab.epoch())
    return edges


def begin(lab: Lab) -> None:
    """Skip the question of a long run, without waiting until the page rests: it does not while it trains."""
    lab.page.locator(".st-key-answers").get_by_role("button", name="Skip", exact=True).click()
    expect(lab.button("To end")).to_be_enabled()


# How the answers look that were not given: at the end of a run, and before it.
LOOKS = """(lit) => {
    const judged = document.querySelector('.judged'), look = (one) => { const { opacity, color, backgroundColor, borderColor, fontWeight } = getComputedStyle(one);
        return [opacity, color, backgroundColor, borderColor, fontWeight].join(); };
    judged.classList.toggle('lit', lit);
    const looks = new Set([...judged.querySelectorAll('li:not(.said)')].map(look));
    judged.classList.add('lit');
    return [...looks];
}"""


def test_predict_then_watch_then_another_network(lab: Lab):
    """No gradient before the answer; after it the run plays to its end and the answer is judged. No chart is made anew.

    An example's button loads its network into every field and the address, and its run makes no chart anew. To the next
    lesson and back: the answer still stands, and the run plays again.
    """
    lab.open_page(SHORT)
    lab.mark()
    with claim("predict, then watch"):
        expect(lab.charts).to_have_count(CHARTS)
        assert points(lab) == []
        assert "shown after your answer" in lab.drawing("Norm of the gradient of each")
        watched(lab.answer("Over 1,000 times"))
        assert lab.judged().startswith("You said: over 1,000 times. What happened: ")
        assert len(lab.page.evaluate(LOOKS, True)) == 2
        assert len(lab.page.evaluate(LOOKS, False)) == 1, (
            "until the run has ended the right answer looks as the others do"
        )
        assert len(points(lab)) == 7
        assert lab.chart_epochs() == {"40"}
        lab.seek(3)
        assert re.match(r"Epoch 3: loss 0\.\d{4}\. Layer 1’s gradient is ", lab.verdict())
    with claim("an example is one press"):
        with lab.rerun():
            lab.sidebar.get_by_role("button", name="ReLU, large weights").click()
        assert Network.from_query(lab.query)[0].initialisation == "large"
        expect(lab.field("Layers L")).to_have_value("20")
        watched(lab.answer("About the same, within × 10"))
        assert "Diverged at epoch 1" in lab.verdict()
        assert "the network reaches ±" in lab.drawing("Data as points")
        assert lab.count("embeds") == 0
    with claim("back and forth between lessons"):
        said, last = lab.verdict(), lab.epoch()
        lab.follow("Next: lesson 9, A falling loss")
        assert "/broadcasting" in lab.page.url
        lab.page.go_back()
        lab.page.wait_for_url("**/deep_networks?*")
        watched(lab.settled())
        assert (lab.epoch(), lab.verdict()) == (last, said)


def test_a_long_training_streams_and_can_be_left(lab: Lab):
    """30 layers of 32: it plays while it is trained, the live edge moves, it gets to its end, and no chart is made anew.

    Another depth while a long one trains: the question stands again, and the new network is the one that is trained.
    """
    lab.open_page(LONG)
    lab.mark()
    with claim("a long training streams"):
        begin(lab)
        edges = live_edges(lab, 300)
        assert len(edges) > 3
        assert edges == sorted(edges)
        assert lab.last == 300
        lab.seek(0)
        expect(lab.page.locator("[data-live=share]")).to_have_text(re.compile(r"e−\d"))
        lab.button("Play").click()
        watched(lab)
        assert lab.epoch() == 300
        assert "Layer 1 hears next to nothing" in lab.verdict()
        assert lab.count("embeds") == 0
    with claim("a setting can be changed while it trains"):
        lab.type("Epochs", "2000")
        begin(lab)
        lab.field("Layers L").fill("2")
        lab.field("Layers L").press("Enter")
        lab.wait_for_query(depth="2")
        expect(lab.button("To end")).to_be_disabled()
        lab.settled().type("Epochs", "20")
        watched(lab.answer("Skip"))
        assert lab.epoch() == 20
        assert "layer 2’s" in lab.verdict()
