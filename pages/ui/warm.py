"""What a server does before its first visitor comes: load PyTorch and the rest, and train once what the page opens with."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any


@asynccontextmanager
async def lifespan(_: Any) -> AsyncGenerator[None]:
    """For the server: it answers nobody before this has yielded."""
    await asyncio.to_thread(load)
    yield


def load() -> None:
    """Import what Train imports, and use it once: much of torch and Altair is loaded at the first use."""
    from gd_core import verdict
    from gd_core.examples import OPENING
    from pages.ui import charts, player, stage, tabs
    from pages.ui.palette import palette

    assert tabs
    run, known = stage.at_hand(OPENING.experiment), stage.known(OPENING.experiment)[2]
    colours = palette("light")
    player.table(run, verdict.of_steps(run.recording, run.experiment, known))
    charts.fit(run, colours, 300)
    charts.error(run, colours, 300)
    names = list(run.experiment.info.parameters)
    charts.landscape(run, (0, 1), names, colours, 300)
    stage.settle()
