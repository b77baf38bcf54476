"""Rows held out in the browser: typed, trained, told apart, and both errors at every epoch."""

from playwright.sync_api import expect

from gd_core.recorder import record
from lab import ERROR, FIT, Lab, same_digits

SCALED = "/?dataset=noisy-quadratic&learning_rate=0.1&scale_features=true&epochs=60"


def test_held_out_rows_are_marked_and_judged(lab: Lab):
    """A share is typed; diamonds and a dashed line appear; numbers and the last sentence are those of the core."""
    lab.open_page(SCALED)
    lab.type("Held out", "0.3")
    lab.wait_for_query(holdout="0.3")
    expect(lab.page.get_by_text("◇ 6 held out")).to_be_visible()
    lab.train().to_end()
    recording = record(lab.experiment)
    assert recording.epoch_held_out_rmse is not None
    for epoch in (0, 7, 60):
        live = lab.seek(epoch).live()
        assert same_digits(live["rmse"], float(recording.epoch_rmse[epoch]))
        assert same_digits(live["held_out"], float(recording.epoch_held_out_rmse[epoch]))
    assert "two errors do not part" in lab.verdict()
    # as Vega draws them, a diamond begins at its left corner and a circle at its right
    expect(lab.chart(FIT).locator(".mark-symbol.role-mark path[d^='M-']")).to_have_count(6)
    expect(lab.chart(ERROR).get_by_text("held-out rows")).to_be_visible()
    lab.type("Held out", "0")
    assert "holdout" not in lab.query
    expect(lab.page.get_by_text("◇")).to_have_count(0)
