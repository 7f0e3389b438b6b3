"""What a worker process does; it loads no more than that needs."""

import cv2

from fr3d.artifacts.drafts import Draft, Drafter
from fr3d.photometric.capture import Capture
from fr3d.photometric.recipe import Recipe
from fr3d.photometric.reconstruct import reconstruct_group
from fr3d.photometric.survey import Canvas

Job = tuple[Drafter, int, list[Capture], Recipe, Canvas]


def work(job: Job) -> Draft:
    """Reconstruct the captures of one part and write it, but for the last step."""
    drafter, index, captures, recipe, canvas = job
    rows, rejected = reconstruct_group(captures, recipe, canvas)
    columns = {name: [row[name] for row in rows] for name in rows[0]} if rows else {}
    return drafter.draft(index, columns, rejected)


def prepare_worker() -> None:
    """Set up a new process: one thread."""
    cv2.setNumThreads(1)
