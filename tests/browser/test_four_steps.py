"""The lesson of the four steps in a browser: the stages light up, and what is shown agrees with the one that is lit."""

from playwright.sync_api import expect

from lab import number

RUN = "/four_steps?dataset=noisy-quadratic&learning_rate=1e-5&epochs=10"
STAGES = ("Initialise", "Loss", "Step", "Stop")
FIT, ERROR = "Data as points", "Root mean squared error"


def lit(lab):
    """The title of the one stage that is lit."""
    stages = lab.page.locator(".loop .stage.lit")
    expect(stages).to_have_count(1)
    assert stages.get_attribute("aria-current") == "step"
    return stages.locator("h3").inner_text().split()[1]


def test_one_stage_after_the_other_is_lit(lab):
    """Initialise, then loss and step of each epoch, then Stop; nothing is asked of the server."""
    lab.open_page(RUN + "&guess=far").to_end()
    lab.mark()
    for moment, wanted in ((0, 0), (1, 1), (2, 2), (3, 1), (4, 2), (19, 1), (20, 2), (21, 3)):
        lab.seek(moment)
        assert lit(lab) == STAGES[wanted]
        named = (
            "start"
            if moment == 0
            else "stop"
            if moment == 21
            else f"epoch {(moment - 1) // 2} · {STAGES[wanted].lower()}"
        )
        expect(lab.player.locator(".count")).to_have_text(named)
    assert lab.count("runs") == 0
    assert lab.count("embeds") == 0


def test_what_is_shown_agrees_with_the_stage(lab):
    """Misses only at Loss, the old curve only at Step, floor and best curve from Stop on; numbers of ours as reached."""
    lab.open_page(RUN)
    assert lit(lab) == "Initialise"
    assert "–" in lab.live()["printed"]
    lab.answer("It is the best curve")
    lab.seek(1)
    expect(lab.chart(FIT).locator(".mark-rule.role-mark line")).to_have_count(20)
    assert number(lab.live()["printed"]) == 74.9619
    ours = lab.page.locator("table.beside .later.lit")
    expect(ours).to_have_count(1)
    expect(lab.chart(ERROR).get_by_text("floor")).to_have_count(0)
    lab.seek(2)
    expect(lab.chart(FIT).locator(".mark-rule.role-mark line")).to_have_count(0)
    assert number(lab.live()["printed"]) == 74.9619  # a step measures nothing
    assert number(lab.live()["p0"]) != -0.1284
    expect(ours).to_have_count(1)
    lab.to_end()
    expect(ours).to_have_count(10)
    expect(lab.chart(ERROR).get_by_text("floor 1.467")).to_have_count(1)
    assert number(lab.live()["printed"]) == 18.0379
    expect(lab.summary).to_contain_text("What happened: it is far from the best")
    lab.button("To start").click()
    assert lit(lab) == "Initialise"
    assert number(lab.live()["p0"]) == -0.1284  # the same start


def test_it_plays_by_itself_and_a_new_run_draws_nothing_anew(lab):
    """After the answer the loop runs to Stop; another rate replaces the data of eight charts, and embeds none."""
    lab.open_page(RUN)
    lab.answer("It is far from the best: above 2 × its RMSE").ended()
    assert lit(lab) == "Stop"
    lab.mark()
    lab.type("Learning rate η", "5e-5")
    assert lit(lab) == "Initialise"
    lab.answer("It is worse than the start").to_end()
    expect(lab.summary).to_contain_text("You were right: it is worse than the start.")
    assert lab.count("embeds") == 0


def test_reload_gives_the_same(lab):
    """Settings, answer and verdict are in the address."""
    lab.open_page(RUN + "&scale_features=true")
    lab.answer("It is nearly the best: below 2 × its RMSE").to_end()
    before, address = lab.verdict(), lab.query
    lab.page.reload()
    lab.settled().to_end()
    assert (lab.verdict(), lab.query) == (before, address)


def test_the_landscape_opens_with_this_run(lab):
    """“Why did it stop there?” leads to the same experiment."""
    lab.open_page(RUN + "&guess=far").to_end()
    wanted = lab.experiment
    lab.follow("Why did it stop there? Its landscape")
    assert "/landscape" in lab.page.url
    assert lab.experiment == wanted


def test_on_a_phone_nothing_scrolls_sideways(visit):
    """At 390 × 844, before and after the run."""
    lab = visit(viewport={"width": 390, "height": 844}).open_page(RUN)
    lab.answer("It is the best curve").to_end()
    main = lab.page.get_by_test_id("stMain")
    assert main.evaluate("main => main.scrollWidth <= main.clientWidth")
    assert lab.page.evaluate("document.documentElement.scrollWidth") <= 390


def test_axe_finds_no_serious_fault(lab):
    """At a lit stage in the middle of the run, in both themes."""
    lab.open_page(RUN + "&guess=far").to_end().seek(8)
    assert lit(lab) == "Step"
    assert lab.serious_faults_by_theme() == {}
