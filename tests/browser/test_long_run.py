"""A long run is worked out at once; by the loop it is trained while it is watched, can be stopped, and ends with its tab."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from gd_core.recorder import record
from lab import PATIENCE, Lab, same_digits
from serving import serving

LONG = "/?dataset=noisy-quadratic&learning_rate=0.01&scale_features=true&epochs=100000&engine=loop"
LONGEST = LONG.replace("100000", "1000000")


def edge(lab: Lab) -> int:
    """How far a run is trained: where To end leads."""
    lab.button("To end").click()
    return lab.epoch()


def test_a_long_run_streams(lab: Lab):
    """30,000 epochs: Stop is there while it trains, the live edge moves, no chart is made anew, and it gets to its end."""
    lab.open_page(LONG.replace("100000", "30000"))
    lab.mark()
    lab.train()
    expect(lab.command("Stop")).to_be_visible()
    assert lab.last == 30_000
    first = edge(lab)
    assert 0 < first < 30_000
    lab.page.wait_for_function("(runs) => watch.runs > runs", arg=lab.count("runs") + 2)
    second = edge(lab)
    assert first < second
    expect(lab.command("Stop")).to_be_hidden(timeout=3 * PATIENCE)
    expect(lab.command("Reset")).to_be_visible()
    lab.settled().to_end()  # the player hears of the end a moment after the buttons
    assert lab.epoch() == 30_000
    assert lab.verdict().startswith("Converged at epoch ")
    assert lab.count("embeds") == 0


def test_a_million_epochs_are_there_at_once(lab: Lab):
    """Along the eigenvectors: no Stop, no wait, no chart made anew; the page says so, and plays them. By the loop on request."""
    lab.open_page(LONGEST.replace("&engine=loop", ""))
    lab.mark()
    lab.train()
    expect(lab.command("Reset")).to_be_visible()
    expect(lab.command("Stop")).to_be_hidden()
    assert lab.last == 1_000_000
    lab.settled().to_end()
    assert lab.epoch() == 1_000_000
    assert lab.verdict().startswith("Converged at epoch ")
    expect(lab.page.locator(".panel-title", has_text="Error by epoch")).to_contain_text(
        "one in 1,000 epochs drawn, all recorded; worked out along the eigenvectors"
    )
    expect(lab.page.get_by_text("Computed along the eigenvectors, without the loop")).to_be_visible()
    lab.seek(2000).charts_at(2000)
    lab.button("Play").click()
    lab.passed(2000)
    assert lab.count("embeds") == 0
    lab.page.get_by_role("radio", name="Epoch by epoch").click()
    lab.page.wait_for_url("**engine=loop**")
    lab.train()
    expect(lab.command("Stop")).to_be_visible()
    lab.command("Stop").click()
    expect(lab.command("Stop")).to_be_hidden()


def test_numbers_of_a_streamed_run(lab: Lab):
    """20,000 epochs: one in twenty is drawn, as the page says, and its numbers are the recording's."""
    lab.open_page(LONG.replace("100000", "20000")).train()
    expect(lab.command("Stop")).to_be_hidden()
    lab.to_end()
    expect(lab.page.locator(".panel-title", has_text="Error by epoch")).to_contain_text(
        "one in 20 epochs drawn"
    )
    recording = record(lab.experiment)
    for epoch in (0, 100, 10_000, 20_000):
        live = lab.seek(epoch).live()
        assert lab.epoch() == epoch
        assert same_digits(live["rmse"], float(recording.epoch_rmse[epoch]))
        assert same_digits(live["p0"], float(recording.epoch_theta[epoch, 0]))
        if epoch < 20_000:
            assert lab.verdict().startswith(f"Epoch {epoch:,} → {epoch + 1:,}: ")
            assert same_digits(
                lab.verdict().split("→")[2].split(". ")[0], float(recording.epoch_rmse[epoch + 1])
            )
    lab.seek(150)
    assert lab.epoch() == 140
    lab.button("Step forward").click()
    assert lab.epoch() == 160


def test_stop_keeps_what_is_there(lab: Lab):
    """Stop ends the training: the summary says at which epoch, and everything before it can be played."""
    lab.open_page(LONGEST).train()
    lab.command("Stop").click()
    expect(lab.command("Stop")).to_be_hidden()
    lab.to_end()
    kept = lab.epoch()
    assert 0 < kept < 1_000_000
    assert lab.verdict().startswith(f"Stopped at epoch {kept:,} of 1,000,000, at RMSE ")
    lab.settled()
    assert lab.last == kept
    lab.seek(kept // 2)
    lab.charts_at(lab.epoch())
    lab.train()  # and again from the start
    lab.command("Stop").click()
    expect(lab.command("Stop")).to_be_hidden()


def test_the_player_waits_at_the_live_edge(lab: Lab):
    """Played faster than it is trained, the run goes on as soon as there is more."""
    lab.open_page(LONGEST).train().speed("all at once")
    seen = [lab.epoch()]
    for _ in range(3):
        lab.passed(seen[-1])
        seen.append(lab.epoch())
    assert seen == sorted(set(seen))
    expect(lab.button("Pause")).to_be_visible()
    lab.command("Stop").click()
    expect(lab.command("Stop")).to_be_hidden()


def test_scrubbing_while_it_trains(lab: Lab):
    """A hand on the slider while it trains: the player rests at that epoch, and the training goes on."""
    lab.open_page(LONG).train()
    while (far := edge(lab)) < 1000:  # one epoch in 100 is drawn
        pass
    there = lab.seek(far // 2).paused().epoch()
    lab.page.wait_for_function("(runs) => watch.runs > runs", arg=lab.count("runs") + 2)
    assert lab.epoch() == there > 0
    lab.charts_at(there)
    assert edge(lab) > far
    lab.command("Stop").click()
    expect(lab.command("Stop")).to_be_hidden()


def test_a_setting_changed_while_it_trains(lab: Lab):
    """A rate typed while a long run trains does not stop it; the note appears."""
    lab.open_page(LONGEST).train()
    far = edge(lab)
    lab.field("Learning rate η").fill("0.02")
    lab.field("Learning rate η").press("Enter")
    expect(lab.note).to_contain_text("The settings have changed")
    lab.page.wait_for_function("(runs) => watch.runs > runs", arg=lab.count("runs") + 2)
    assert edge(lab) > far
    expect(lab.field("Learning rate η")).to_have_value("0.02")
    lab.command("Stop").click()
    expect(lab.command("Stop")).to_be_hidden()


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processor time is read from /proc")
def test_a_closed_tab_stops_its_training(visit, lab: Lab):
    """When the tab of the longest run is closed, its server soon uses no more processor time than an idle one."""
    with serving() as own:
        busy = visit(own.url).open_page(LONGEST)
        busy.train()
        expect(busy.command("Stop")).to_be_visible()
        start = ticks(own.pid)
        busy.page.wait_for_function("watch.runs > 4")
        assert ticks(own.pid) > start
        busy.page.close()
        lab.open_page()  # something to wait with
        assert any(spent_in_two_seconds(lab, own.pid) <= 5 for _ in range(10))
        again = visit(own.url).open_page(LONG.replace("100000", "100")).train().to_end()
        assert again.epoch() == 100


def spent_in_two_seconds(lab: Lab, pid: int) -> int:
    before = ticks(pid)
    lab.page.wait_for_timeout(2000)
    return ticks(pid) - before


def ticks(pid: int) -> int:
    """Processor time of a process so far, in hundredths of a second."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])
