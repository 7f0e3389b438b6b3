"""What the machine offers: device, worker processes, threads."""

import os
import re

from fr3d.errors import UnavailableError, UsageError

_DEVICE = re.compile(r"auto|cpu|cuda(:\d+)?")


def resolve_device(name: str) -> str:
    """Turn `auto`, `cpu` or `cuda[:N]` into a device that is there.

    Args:
        name: what the user asked for; `auto` takes CUDA when there is one.

    Returns:
        `cpu`, `cuda` or `cuda:N`.

    Raises:
        UsageError: the name is none of these.
        UnavailableError: CUDA was asked for by name and is not there.
    """
    if not _DEVICE.fullmatch(name):
        raise UsageError(f"no such device: {name}", "choose auto, cpu, cuda or cuda:N")
    if name == "cpu":
        return name
    import torch

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if name == "auto":
        return "cuda" if count else "cpu"
    if int(name.partition(":")[2] or 0) >= count:
        raise UnavailableError(f"device {name} is not there", "use --device cpu, or auto")
    return name


def worker_count(asked: int | None) -> int:
    """Number of worker processes: what was asked for, else up to eight of the usable cores."""
    if asked is not None:
        return max(1, asked)
    return max(1, min(8, len(os.sched_getaffinity(0))))
