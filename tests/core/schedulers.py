"""torch's own schedulers, put together from a schedule's text: the oracle of every test of one."""

import torch


def of_torch(optimizer, schedule, warmup, length):
    """torch's scheduler of a text, put together here from its numbers."""
    schedulers = torch.optim.lr_scheduler
    kind, *numbers = schedule.split(":")
    numbers = list(map(float, numbers))
    rate = optimizer.param_groups[0]["lr"]
    made = {
        "constant": lambda: schedulers.ConstantLR(optimizer, factor=1.0),
        "step": lambda every, factor: schedulers.StepLR(optimizer, int(every), factor),
        "inverse-time": lambda decay: schedulers.LambdaLR(optimizer, lambda k: 1 / (1 + decay * k)),
        "exponential": lambda factor: schedulers.ExponentialLR(optimizer, factor),
        "cosine": lambda over, end: schedulers.CosineAnnealingLR(
            optimizer, int(over) or length - warmup, end * rate
        ),
    }
    if not warmup:
        return made[kind](*numbers)
    rises = schedulers.LinearLR(optimizer, 1 / (warmup + 1), total_iters=warmup)
    return schedulers.SequentialLR(optimizer, [rises, made[kind](*numbers)], milestones=[warmup])
