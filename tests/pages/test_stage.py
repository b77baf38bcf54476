"""What is on stage, without a page."""

from threading import Barrier, Thread

from gd_core.experiment import Experiment
from gd_core.recorder import Recorder, record
from pages.ui import stage


def test_two_runs_of_the_page_do_not_train_at_once():
    """Streamlit starts the next run of a page beside one that still trains: they take turns, and lose no epoch."""
    experiment = Experiment(learning_rate=1e-5, epochs=3000)
    recorder = Recorder(experiment)
    take = stage.Take(1, experiment, recorder.recording(), recorder)
    together, errors = Barrier(3), []

    def run() -> None:
        together.wait()
        try:
            while take.recorder:
                stage.advance(take)
        except Exception as error:
            errors.append(error)

    threads = [Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert take.recording.complete
    assert take.recording.theta.equal(record(experiment).theta)
