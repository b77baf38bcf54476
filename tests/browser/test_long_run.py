"""A long run is worked out at once; by the loop it is trained while it is watched, can be stopped, and ends by itself."""

from playwright.sync_api import expect

from gd_core.recorder import record
from gd_core.words import digits_beside
from lab import Lab, claim, same_digits

LONGEST = "/?dataset=noisy-quadratic&learning_rate=0.01&scale_features=true&epochs=1000000"
DRAWN = 1000  # of a million epochs, one in so many


def edge(lab: Lab) -> int:
    """How far a run is trained: where To end leads."""
    lab.button("To end").click()
    return lab.epoch()


def further(lab: Lab, far: int) -> int:
    """Wait until a run is trained further than this; how far it is then."""
    end = lab.button("To end")
    end.focus()
    lab.page.wait_for_function(
        """([end, slider, far]) => (end.click(), +slider.value > far)""",
        arg=[end.element_handle(), lab.slider.element_handle(), far],
        polling=100,
    )
    return lab.epoch()


def stop(lab: Lab) -> None:
    lab.command("Stop").click()
    expect(lab.command("Stop")).to_be_hidden()


def test_a_million_epochs_are_there_at_once_or_watched(lab: Lab):
    """Along the eigenvectors: no Stop, no wait, no chart made anew; the page says so, and plays them. By the loop, on
    request, Stop is there while it trains, the live edge moves, and no chart is made anew: the player waits at the edge and
    goes on; a hand on the slider makes it rest there, a changed setting gets its note, and the training goes on. Stop ends
    it: the summary says at which epoch, what there is can be played, and trained again. Reloaded meanwhile, the page is whole, and trains again.
    Stop goes by itself at the end of 4,000 epochs; one in four is drawn, as the page says, and its numbers are the recording's."""
    lab.open_page(LONGEST)
    lab.mark()
    with claim("along the eigenvectors all is there at once"):
        lab.train()
        expect(lab.command("Reset")).to_be_visible()
        expect(lab.command("Stop")).to_be_hidden()
        assert lab.last == 1_000_000
        lab.settled().to_end()
        assert lab.epoch() == 1_000_000
        assert lab.verdict().startswith("As good as this curve gets")
    with claim("the page says how it was computed, and what is drawn of it"):
        expect(lab.page.locator(".panel-title", has_text="Error by epoch")).to_contain_text(
            "one in 1,000 epochs drawn, all recorded; worked out along the eigenvectors"
        )
        lab.closer("In numbers").click()
        expect(lab.page.get_by_text("Computed along the eigenvectors, without the loop")).to_be_visible()
    with claim("it is played, and no chart was made anew"):
        lab.seek(2000).charts_at(2000)
        lab.button("Play").click()
        lab.passed(2000)
        assert lab.count("embeds") == 0

    engine = lab.control("radio", "Epoch by epoch")
    with lab.rerun():
        engine.click()
    lab.wait_for_query(engine="loop")
    lab.mark()
    with claim(
        "by the loop Stop is there while it trains, and the live edge moves, without a chart made anew"
    ):
        lab.train()
        expect(lab.command("Stop")).to_be_visible()
        assert lab.last == 1_000_000
        first = edge(lab)
        assert 0 <= first < 1_000_000
        assert further(lab, first) > first
        assert lab.count("embeds") == 0
    with claim("the player waits at the live edge, and goes on as soon as there is more"):
        lab.seek(0).speed("all at once").button("Play").click()
        seen = [0]
        for _ in range(2):
            lab.passed(seen[-1])
            seen.append(lab.epoch())
        assert seen == sorted(set(seen))
        expect(lab.button("Pause")).to_be_visible()
    with claim("a hand on the slider makes the player rest there, and the training goes on"):
        far = further(lab, 3 * DRAWN)
        there = lab.seek(far // 2).paused().epoch()
        runs = lab.count("runs")
        lab.page.wait_for_function("(runs) => watch.runs > runs", arg=runs + 1)
        assert lab.epoch() == there > 0
        lab.charts_at(there)
        far = further(lab, far)
    with claim("a rate typed while it trains does not stop it; the note appears"):
        lab.field("Learning rate η").fill("0.02")
        lab.field("Learning rate η").press("Enter")
        expect(lab.note).to_contain_text("The settings have changed")
        further(lab, far)
        expect(lab.field("Learning rate η")).to_have_value("0.02")
    with claim("Stop ends the training: the summary says at which epoch, and what there is can be played"):
        stop(lab)
        lab.type("Learning rate η", "0.01")  # beside another one the run's verdict is not said
        lab.settled().to_end()
        kept = lab.epoch()
        assert far < kept < 1_000_000
        assert lab.verdict().startswith(f"Stopped at epoch {kept:,} of 1,000,000, at RMSE ")
        assert lab.last == kept
        lab.type("Learning rate η", "0.02")
        lab.seek(kept // 2)
        lab.charts_at(lab.epoch())
    with claim("and again from the start"):
        lab.train()
        expect(lab.command("Stop")).to_be_visible()
    with claim("reloaded while it trains, the page is whole, with the same settings"):
        lab.page.reload()
        lab.settled()
        expect(lab.field("Epochs")).to_have_value("1000000")
        expect(lab.field("Learning rate η")).to_have_value("0.02")
        expect(lab.command("Stop")).to_be_hidden()

    lab.type("Epochs", "4000")
    lab.settled().mark()
    with claim(
        "at the end of its epochs Stop goes by itself, the player hears of the end, and no chart was made anew"
    ):
        lab.train()
        assert lab.last == 4000
        expect(lab.command("Stop")).to_be_hidden()
        expect(lab.command("Reset")).to_be_visible()
        lab.to_end()
        assert lab.epoch() == 4000
        assert lab.verdict().startswith("As good as this curve gets")
        assert lab.count("embeds") == 0
    with claim("what is drawn is said, and the numbers are the recording's"):
        expect(lab.page.locator(".panel-title", has_text="Error by epoch")).to_contain_text(
            "one in 4 epochs drawn"
        )
        recording = record(lab.experiment)
        for epoch in (0, 80, 2000, 4000):
            live = lab.seek(epoch).live()
            assert lab.epoch() == epoch
            assert same_digits(live["rmse"], float(recording.epoch_rmse[epoch]))
            assert same_digits(live["p0"], float(recording.epoch_theta[epoch, 0]))
            if epoch < 4000:
                assert lab.verdict().startswith(f"Epoch {epoch:,} → {epoch + 1:,}: ")
                after = lab.verdict().split("→")[2].split(". ")[0]
                # the browser has 32 bits, so it may find two equal that are not quite
                now, then = map(float, recording.epoch_rmse[epoch : epoch + 2].float())
                assert same_digits(after, then, digits_beside(now, then))
    with claim("the slider rests on drawn epochs, and a step leads to the next"):
        assert lab.seek(150).epoch() == 148
        lab.button("Step forward").click()
        assert lab.epoch() == 152
