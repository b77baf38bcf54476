"""As many random verdicts as a command asks for: python test_true_….py 0 1000 judges the seeds from 0 to 999."""

import sys
from collections.abc import Callable, Sequence


def tried(judged: Callable[[int], tuple[Sequence[str], str]]) -> None:
    """Print what is wrong with the verdict of each seed, with the verdict, and at the end how many were tried.

    Args:
        judged: By the number of a draw, what is wrong with its verdict, and the verdict.
    """
    seeds, count = range(int(sys.argv[1]), int(sys.argv[2])), 0
    for seed in seeds:
        found, sentence = judged(seed)
        if found:
            count += 1
            print(seed, *found, sentence, sep="\n   ", flush=True)
    print(f"{len(seeds):,} tried, {count:,} wrong")
