"""Learning rate by step: a linear rise, then half a cosine down to zero."""

import math


def learning_rate(step: int, steps: int, peak: float, warmup: float) -> float:
    """Compute the learning rate of a step; nothing to store when a run resumes.

    Args:
        step: from 0.
        steps: number of steps of the whole run.
        peak: largest learning rate.
        warmup: share of the steps in which it rises.
    """
    rise = max(1, round(steps * warmup))
    if step < rise:
        return peak * (step + 1) / rise
    done = (step - rise) / max(1, steps - rise)
    return peak * 0.5 * (1.0 + math.cos(math.pi * done))
