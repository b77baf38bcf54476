"""What the page about hills and saddles says and shows beside its charts."""

from typing import TYPE_CHECKING, cast

from gd_core import verdict
from gd_core.landscape import Window, box_of, place_on, typed_place
from gd_core.lessons import hills
from gd_core.outcome import Finding, Outcome
from gd_core.settings.experiment import Experiment
from gd_core.words import percent, short
from pages.ui.charts.model import RecordedRun
from pages.ui.player import live_runs

if TYPE_CHECKING:
    from pages.ui.player.player import Click

DIMENSIONS = (1, 2, 3, 5, 10)  # of the random losses in the table


def seen_of(run: RecordedRun) -> Window:
    """The part of the loss that the map shows."""
    seen = box_of(run.experiment, run.problem.start)
    assert seen is not None  # of all that this lesson offers
    return seen


def start_at(place: tuple[float, float]) -> tuple[float, ...]:
    """A place of the map as a start, to as many digits as one would type."""
    return tuple(map(float, typed_place(place).split(",")))


def clicked_at(seen: Window, click: "Click") -> tuple[float, ...]:
    """The start under a click on a map."""
    return start_at(place_on(seen, (click.x, click.y)))


def found_of(run: RecordedRun) -> hills.Found:
    """In which valley the run has ended, worked out once."""
    return live_runs.worked_out(
        run.experiment, "valley", lambda: hills.found(run.experiment, run.problem, run.recording)
    )


def summary(run: RecordedRun, finding: Finding) -> str:
    """What became of the run; of one that has not come to rest also in which valley it is."""
    said = verdict.of_run(run.recording, run.experiment, None, finding)
    here = finding.here if finding.outcome == Outcome.CONVERGED else None
    return said if here and (here.is_minimum or here.is_saddle) else f"{said} {hills.of_run(found_of(run))}"


def tempting(found: hills.Found, said: str) -> str:
    """Why a wrong answer was tempting, and what it overlooks."""
    return hills.tempting(cast(hills.Ending, said), found)


def upwards_table() -> str:
    """How many of random losses' level places are lowest ones, by the number of parameters: counted, not worked out."""
    heads = "".join(f'<th scope="col">{one}</th>' for one in DIMENSIONS)
    cells = "".join(f"<td>{_share(hills.all_upwards(one))}</td>" for one in DIMENSIONS)
    return (
        f'<div class="wide" tabindex="0" role="region" aria-label="Level places that are lowest ones">'
        f'<table class="live"><tr><th scope="row">Parameters</th>{heads}</tr>'
        f'<tr><th scope="row">All curvatures positive, of {hills.MATRICES:,} random Hessians</th>{cells}</tr></table></div>'
    )


def of_zero(experiment: Experiment) -> str:
    """What a network is like whose parameters are all 0: no slope, and curvatures of both signs."""

    def work() -> tuple[float, tuple[float, ...]]:
        return hills.at_its_start(live_runs.known(experiment)[0])

    slope, curvatures = live_runs.worked_out(experiment, "at its start", work)
    return (
        f"A network of two tanh units has a saddle where all its {len(curvatures)} parameters are 0: the slope is {short(slope)} "
        f"there, and the curvatures go from {short(curvatures[0])} to {short(curvatures[-1])}. A run that starts there never "
        "takes a step. That is one reason why networks start with random weights."
    )


def _share(share: float) -> str:
    return percent(share) if share else "none"
