"""The address is the save file: sent, reloaded, gone back to, half-cut or hostile."""

from urllib.parse import quote

from playwright.sync_api import expect

from gd_core.experiment import Experiment
from gd_core.recorder import record
from lab import Lab, same_digits
from serving import serving

RUN = "/?dataset=noisy-quadratic&learning_rate=0.02&optimizer=momentum&scale_features=true&batch_size=6&epochs=50"


def address(lab: Lab) -> str:
    return lab.page.evaluate("location.pathname + location.search")


def test_a_link_opens_exactly_this(visit):
    """A second visitor with the first one's address has the same fields, and Train gives the same numbers."""
    sender = visit().open_page(RUN)
    sender.type("Seed", "11")
    sender.page.get_by_text("b, c", exact=True).click()
    sender.wait_for_query(axes="b,c")
    reader = visit().open_page(address(sender))
    for label in ("Learning rate η", "Epochs", "Batch size", "Momentum β", "Seed", "Points"):
        assert reader.field(label).input_value() == sender.field(label).input_value()
    assert reader.query == sender.query
    assert reader.experiment.seed == 11
    for lab in (sender, reader):
        lab.train().to_end()
    assert reader.live() == sender.live()
    assert same_digits(reader.live()["rmse"], float(record(reader.experiment).epoch_rmse[-1]))


def test_back_and_forward_step_through_the_settings(lab: Lab):
    """Each change is a step of the browser's history, and the fields follow it both ways."""
    lab.open_page(RUN)
    for rate in ("0.03", "0.04"):
        lab.type("Learning rate η", rate)
        lab.wait_for_query(learning_rate=rate)
    for turn, rate in ((lab.page.go_back, "0.03"), (lab.page.go_back, "0.02"), (lab.page.go_forward, "0.03")):
        turn()
        expect(lab.field("Learning rate η")).to_have_value(rate)
        lab.wait_for_query(learning_rate=rate)


def test_a_reload_in_mid_run_keeps_the_settings(lab: Lab):
    """After a reload the same settings wait for Train, and train to the same numbers."""
    lab.open_page(RUN).train()
    query = lab.query
    lab.page.reload()
    lab.settled()
    assert lab.query == query
    expect(lab.button("Play")).to_be_disabled()
    lab.train().to_end()
    assert same_digits(lab.live()["rmse"], float(record(lab.experiment).epoch_rmse[-1]))


def test_two_visitors_do_not_mix_runs(visit):
    """Two tabs train different rates at once; each ends at its own numbers."""
    labs = [visit().open_page(RUN.replace("0.02", rate)) for rate in ("0.01", "0.05")]
    for lab in labs:
        lab.train()
    for lab in labs:
        lab.to_end()
        assert same_digits(lab.live()["rmse"], float(record(lab.experiment).epoch_rmse[-1]))
    assert labs[0].live()["rmse"] != labs[1].live()["rmse"]


def test_the_first_request_to_a_cold_server_may_be_a_deep_link(visit):
    """A freshly started server answers a link to the page by name, with its settings and without a dialog."""
    with serving() as cold:
        lab = visit(cold.url).open_page("/train" + RUN[1:])
        expect(lab.field("Learning rate η")).to_have_value("0.02")
        expect(lab.page.get_by_text("Page not found")).to_have_count(0)
        assert lab.experiment.optimizer == "momentum"


def test_a_hostile_link_gets_a_sentence_for_each_bad_field(lab: Lab):
    """What a link cannot mean is said, field by field; nothing of it is shown as markup, and Train works."""
    bad = {
        "dataset": "**bold**<script>alert(1)</script>",
        "learning_rate": "1e308",
        "epochs": "1000000000",
        "seed": "-1",
        "batch_size": "99",
        "start": "1,2",
        "before": "x;y",
        "scale_features": "maybe",
        "axes": "q,z",
        "unknown": "ignored",
    }
    lab.open_page("/?" + "&".join(f"{name}={quote(text)}" for name, text in bad.items()))
    named = [name for name in bad if name not in ("axes", "unknown")]
    expect(lab.complaint).to_have_count(len(named))
    sentences = lab.complaint.all_inner_texts()
    for name in named:
        assert sum(f"{name} must" in sentence for sentence in sentences) == 1
    assert any("**bold**<script>" in sentence for sentence in sentences)
    assert lab.experiment == Experiment()
    lab.train().to_end()
    assert lab.verdict().startswith("Still descending")


def test_a_half_cut_link_still_opens(lab: Lab):
    """A link that lost its end keeps what is left of it."""
    lab.open_page("/?dataset=two-features&learning_rate=0.5&epo")
    expect(lab.field("Learning rate η")).to_have_value("0.5")
    assert lab.experiment.dataset == "two-features"
