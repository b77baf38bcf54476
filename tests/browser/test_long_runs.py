"""Runs that are longer than a moment are trained in slices of time and followed as they grow."""

import time
from pathlib import Path

from playwright.sync_api import expect

from gd_core.experiment import Experiment
from gd_core.recorder import record
from lab import Lab, number, same_digits
from serving import serving

LONG = "/?dataset=noisy-quadratic&learning_rate=1e-5&epochs=1000000"
MIDDLING = "/?dataset=noisy-quadratic&learning_rate=0.3&scale_features=true&epochs=12000"


def trained(lab: Lab) -> int:
    """Epochs that the page knows of: the player is sent to its live edge."""
    lab.button("To end").click()
    return int(number(lab.player.locator(".count").inner_text().split("/")[0]))


def test_the_live_edge_moves_until_stop(lab: Lab):
    """While a long run trains, its end moves on; Stop keeps what there is, and says so."""
    lab.open_page(LONG).train()
    expect(lab.command("Stop")).to_be_visible()
    first = trained(lab)
    lab.page.wait_for_function(
        """(first) => {
          const player = document.querySelector('[data-testid=stBidiComponentRegular], .st-key-player, .stBidiComponent');
          return +document.querySelector('.stVegaLiteChart input[name=epoch]').value >= 0;
        }""",
        arg=first,
    )
    lab.button("Play").click()
    lab.passed(first + 1000)
    lab.command("Stop").click()
    expect(lab.command("Reset")).to_be_visible()
    lab.to_end()
    assert lab.verdict().startswith("Stopped at epoch ")
    kept = lab.epoch()
    assert first + 1000 < kept < 1_000_000
    experiment = Experiment(learning_rate=1e-5, epochs=kept)
    assert same_digits(lab.live()["rmse"], float(record(experiment).epoch_rmse[-1]))


def test_a_long_run_embeds_nothing_and_ends_by_itself(lab: Lab):
    """From the first slice to the last, no chart is drawn anew; the end is that of the core."""
    lab.open_page(MIDDLING)
    lab.mark()
    lab.train()
    expect(lab.command("Reset")).to_be_visible()
    lab.to_end()
    assert lab.count("embeds") == 0
    assert lab.epoch() == 12_000
    assert lab.verdict().startswith("Converged")
    expect(lab.page.get_by_text("one in 12 epochs drawn, all recorded")).to_be_visible()


def test_pausing_a_long_run_does_not_lose_it(lab: Lab):
    """A pause stops the player, not the training; the place is kept."""
    lab.open_page(LONG).train().passed(0)
    lab.button("Pause").click()
    epoch = lab.epoch()
    lab.page.wait_for_function("(runs) => watch.runs > runs + 2", arg=lab.count("runs"))
    assert lab.epoch() == epoch
    assert trained(lab) > epoch
    lab.command("Stop").click()
    expect(lab.command("Reset")).to_be_visible()


def test_settings_can_be_changed_while_it_trains(lab: Lab):
    """The page answers during a long run: a typed rate is taken in, and the run goes on."""
    lab.open_page(LONG).train()
    lab.type("Learning rate η", "2e-5")
    lab.wait_for_query(learning_rate="2e-05")
    expect(lab.note).to_contain_text("The settings have changed")
    expect(lab.command("Stop")).to_be_visible()
    lab.command("Stop").click()
    expect(lab.command("Reset")).to_be_visible()


def cpu_seconds(pid: int) -> float:
    """What a process has used of the processor so far, from /proc."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100


def test_a_closed_tab_stops_its_training(visit):
    """With its visitor gone, the server rests: it no longer uses the processor for most of its time."""
    with serving() as own:
        lab = visit(own.url).open_page(LONG).train()
        expect(lab.command("Stop")).to_be_visible()
        lab.page.close()
        deadline = time.monotonic() + 60
        while True:  # the connection takes a moment to be noticed as closed
            before, then = cpu_seconds(own.pid), time.monotonic()
            while time.monotonic() - then < 1.5:
                pass_time = 1.5 - (time.monotonic() - then)
                time.sleep(max(0.0, pass_time))
            if cpu_seconds(own.pid) - before < 0.05:
                break
            assert time.monotonic() < deadline, "the server still trains"
