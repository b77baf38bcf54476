"""The lesson of the four steps in a browser: the stages light up, and what is shown agrees with the one that is lit."""

from playwright.sync_api import expect

from lab import ERROR, FIT, Lab, claim, number

RUN = "/four_steps?dataset=noisy-quadratic&learning_rate=1e-5&epochs=10"
STAGES = ("Initialise", "Loss", "Step", "Stop")


def lit(lab: Lab) -> str:
    """The title of the one stage that is lit."""
    stages = lab.page.locator(".loop .stage.lit")
    expect(stages).to_have_count(1)
    assert stages.get_attribute("aria-current") == "step"
    return stages.locator("h2").inner_text().split()[1]


def name_of(moment: int, stage: int) -> str:
    """What the player calls a moment: start, then loss and step of each of the ten epochs, then stop."""
    names = {0: "start", 21: "stop"}
    return names.get(moment, f"epoch {(moment - 1) // 2} · {STAGES[stage].lower()}")


def test_the_stages_and_what_each_of_them_shows(lab: Lab):
    """The loop plays by itself to Stop, one stage is lit after the other, and what is shown agrees with it.

    Initialise, then loss and step of each epoch, then Stop; nothing is asked of the server. Misses only at Loss, the old
    curve only at Step, floor and best curve from Stop on; numbers of ours as reached. Another rate replaces the data of
    eight charts, and embeds none. “Why did it stop there?” leads to the same experiment.
    """
    lab.open_page(RUN)
    assert lit(lab) == "Initialise"
    assert "–" in lab.live()["printed"]
    lab.mark()
    with claim("what is shown agrees with the stage"):
        lab.answer("It is the best curve")
        lab.page.wait_for_function("() => watch.starts > 0")  # it plays by itself
        runs = lab.count("runs")
        misses = lab.chart(FIT).locator(".mark-rule.role-mark line")
        ours = lab.page.locator("table.beside .later.lit")
        lab.seek(1)
        expect(misses).to_have_count(20)
        assert number(lab.live()["printed"]) == 74.9619
        expect(ours).to_have_count(1)
        expect(lab.chart(ERROR).get_by_text("floor")).to_have_count(0)
        lab.seek(2)
        expect(misses).to_have_count(0)
        assert number(lab.live()["printed"]) == 74.9619  # a step measures nothing
        assert number(lab.live()["p0"]) != -0.1284
        expect(ours).to_have_count(1)
        lab.button("Play").click()
        lab.play_through()
        assert lit(lab) == "Stop"
        expect(ours).to_have_count(10)
        expect(lab.chart(ERROR).get_by_text("floor 1.467")).to_have_count(1)
        assert number(lab.live()["printed"]) == 18.0379
        expect(lab.judgement).to_contain_text("What happened: it is far from the best")
        lab.button("To start").click()
        assert lit(lab) == "Initialise"
        assert number(lab.live()["p0"]) == -0.1284  # the same start
    with claim("one stage after the other is lit"):
        for moment, wanted in ((0, 0), (1, 1), (2, 2), (3, 1), (4, 2), (19, 1), (20, 2), (21, 3)):
            lab.seek(moment)
            assert lit(lab) == STAGES[wanted]
            expect(lab.player.locator(".count")).to_have_text(name_of(moment, wanted))
        assert lab.count("runs") == runs
    with claim("another rate draws nothing anew"):
        lab.type("Learning rate η", "5e-5")
        assert lit(lab) == "Initialise"
        lab.answer("It is worse than the start").to_end()
        expect(lab.judgement).to_contain_text("You were right: it is worse than the start.")
        assert lab.count("embeds") == 0
    with claim("the landscape opens with this run"):
        wanted = lab.experiment
        lab.follow("Why did it stop there? Its landscape")
        assert "/landscape" in lab.page.url
        assert lab.experiment == wanted
