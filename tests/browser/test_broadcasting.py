"""The lesson of the shape mistake in a browser: the table's live numbers, mending it, the printed digits."""

from playwright.sync_api import expect

from gd_core.problem import build
from gd_core.published import PLANE
from gd_core.recorder import record
from lab import Lab, claim, number, same_digits

RUN = "/broadcasting?dataset=two-features&learning_rate=0.001&epochs=1000&loss=mse-broadcast"


def test_the_published_run_and_the_mended_one(lab: Lab):
    """The published run plays and is told to be wrong, the table of differences follows the player, and one press mends it.

    After the answer all charts move by themselves, and at the end both errors and the verdict have their numbers. The
    first four rows show ŷᵢ − yⱼ at epoch 400, off the diagonal too; printed rows appear as they are reached; the server is
    not asked. Mended, the shapes match and the question stands again; with rate 0.01 the plane is found; no chart is
    embedded anew. Train opens with exactly this run.
    """
    lab.open_page(RUN)
    lab.mark()
    with claim("it plays and says that the model is wrong"):
        lab.answer("It finds the plane").passed(5).to_end()
        expect(lab.judgement).to_contain_text("What happened: it heads for a wrong plane.")
        assert number(lab.live()["rmse"]) == 1.731
        assert number(lab.live()["root_loss"]) == 1.674
        assert lab.chart_epochs() == {"1000"}
    with claim("the table follows the player"):
        runs = lab.count("runs")
        lab.seek(400)
        problem, theta = build(PLANE), record(PLANE).theta[400]
        predicted, target = (
            problem.objective.predict(theta)[:4].tolist(),
            problem.objective.target[:4].tolist(),
        )
        shown = lab.live()
        for i in range(4):
            assert same_digits(shown[f"h{i}"], predicted[i], 3)
            for j in range(4):
                assert abs(number(shown[f"e{i}_{j}"]) - (predicted[i] - target[j])) < 0.006
        expect(lab.page.locator("table.printed .later.lit")).to_have_count(16)
        lab.seek(1000)
        expect(lab.page.locator("table.printed .later.lit")).to_have_count(40)
        assert lab.count("runs") == runs
    with claim("mending asks again and draws nothing anew"):
        with lab.rerun():
            lab.page.get_by_role("radio", name="mended").click()
        assert "loss" not in lab.query
        assert "guess" not in lab.query
        expect(lab.page.locator("p.shapes")).to_contain_text("(1000, 1) − y (1000, 1) = (1000, 1)")
        lab.type("Learning rate η", "0.01")
        lab.answer("It finds the plane").to_end()
        expect(lab.judgement).to_contain_text("You were right: it finds the plane.")
        expect(lab.summary).to_contain_text("w₁ = 1.30, w₂ = −1.00, b = −3.50")
        assert lab.count("embeds") == 0
    with claim("Train opens with the mended run"):
        wanted = lab.experiment
        lab.follow("This run on the Train page")
        assert lab.experiment == wanted
