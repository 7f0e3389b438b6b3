"""What a training run shows while it goes on, and who reads its faces."""

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fr3d.training.loop import Progress

_SHOWN = ("loss", "train_accuracy", "val_auc", "val_eer", "val_nme", "val_nme_grey")


def reading_processes(workers: int | None, device: str) -> int:
    """On a CPU the cores are needed to learn, and reading in one process is faster."""
    from fr3d.runtime import worker_count

    if workers is None and device == "cpu":
        return 0
    count = worker_count(workers)
    return count if count > 1 else 0


@contextmanager
def bars() -> "Iterator[Callable[[Progress], None]]":
    """One bar a run on a terminal; figures of each epoch with -v."""
    from fr3d.cli.console import detail, progress

    with ExitStack() as stack:
        current: dict[str, Any] = {"run": None}

        def report(now: "Progress") -> None:
            total = now.epochs * now.steps
            if now.run != current["run"]:
                stack.close()
                bar = stack.enter_context(progress(total, f"training {now.run}"))
                current.update(run=now.run, bar=bar, done=0)
            done = now.epoch * now.steps + now.step
            text = " ".join(f"{k} {v:.3g}" for k, v in now.figures.items() if k in _SHOWN)
            current["bar"].advance(done - current["done"], text or current.get("text", ""))
            current.update(done=done, text=text or current.get("text", ""))
            if now.figures:
                detail(f"{now.run} epoch {now.epoch + 1}/{now.epochs}: {text}")

        yield report
