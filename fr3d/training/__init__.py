"""From faces and a split to a run folder: loop, schedule, checkpoints."""
