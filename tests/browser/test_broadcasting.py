"""The lesson of the shape mistake in a browser: the table's live numbers, mending it, the printed digits."""

from playwright.sync_api import expect

from gd_core.problem import build
from gd_core.published import PLANE
from gd_core.recorder import record
from lab import number, same_digits

RUN = "/broadcasting?dataset=two-features&learning_rate=0.001&epochs=1000&loss=mse-broadcast"


def mend(lab):
    """Press the subtraction with matching shapes."""
    with lab.rerun():
        lab.page.get_by_role("radio", name="mended").click()


def test_the_table_follows_the_player(lab):
    """ŷᵢ − yⱼ of the first four rows at epoch 400, off the diagonal too; the printed rows appear as they are reached."""
    lab.open_page(RUN + "&guess=wrong").to_end()
    lab.mark()
    lab.seek(400)
    problem, theta = build(PLANE), record(PLANE).theta[400]
    predicted, target = problem.objective.predict(theta)[:4].tolist(), problem.objective.target[:4].tolist()
    shown = lab.live()
    for i in range(4):
        assert same_digits(shown[f"h{i}"], predicted[i], 3)
        for j in range(4):
            assert abs(number(shown[f"e{i}_{j}"]) - (predicted[i] - target[j])) < 0.006
    expect(lab.page.locator("table.printed .later.lit")).to_have_count(16)
    lab.seek(1000)
    expect(lab.page.locator("table.printed .later.lit")).to_have_count(40)
    assert lab.count("runs") == 0


def test_it_plays_and_says_that_the_model_is_wrong(lab):
    """After the answer all charts move by themselves; at the end both errors and the verdict have their numbers."""
    lab.open_page(RUN)
    lab.answer("It finds the plane").passed(5)
    lab.to_end()
    expect(lab.summary).to_contain_text("What happened: it heads for a wrong plane.")
    assert number(lab.live()["rmse"]) == 1.731
    assert number(lab.live()["root_loss"]) == 1.674
    assert lab.chart_epochs() == {"1000"}


def test_mending_asks_again_and_draws_nothing_anew(lab):
    """One press: the shapes match, the question stands again, no chart is embedded; with rate 0.01 the plane is found."""
    lab.open_page(RUN + "&guess=wrong").to_end()
    lab.mark()
    mend(lab)
    assert "loss" not in lab.query
    assert "guess" not in lab.query
    expect(lab.page.locator("p.shapes")).to_contain_text("(1000, 1) − y (1000, 1) = (1000, 1)")
    lab.type("Learning rate η", "0.01")
    lab.answer("It finds the plane").to_end()
    expect(lab.summary).to_contain_text("You were right: it finds the plane.")
    expect(lab.summary).to_contain_text("w₁ = 1.30, w₂ = −1.00, b = −3.50")
    assert lab.count("embeds") == 0


def test_reload_and_the_link_to_train_give_the_same(lab):
    """The address holds the mended run and the answer; Train opens with exactly it."""
    lab.open_page(RUN)
    mend(lab)
    lab.answer("It is on its way to the plane").to_end()
    before, address = lab.verdict(), lab.query
    lab.page.reload()
    lab.settled().to_end()
    assert (lab.verdict(), lab.query) == (before, address)
    wanted = lab.experiment
    lab.follow("This run on the Train page")
    assert lab.experiment == wanted


def test_on_a_phone_nothing_scrolls_sideways(visit):
    """At 390 × 844, with the wide tables and after the run."""
    lab = visit(viewport={"width": 390, "height": 844}).open_page(RUN)
    lab.answer("It finds the plane").to_end()
    main = lab.page.get_by_test_id("stMain")
    assert main.evaluate("main => main.scrollWidth <= main.clientWidth")
    for table in lab.page.locator("table.live").all():
        box = table.bounding_box()
        assert box["x"] + box["width"] <= 390


def test_axe_finds_no_serious_fault(lab):
    """At the end of the run, in both themes."""
    lab.open_page(RUN + "&guess=found").to_end()
    assert lab.serious_faults_by_theme() == {}
