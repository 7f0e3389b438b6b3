import errno
import fcntl
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fr3d.artifacts.merging import find_part_set, merge_parts
from fr3d.artifacts.parts import sealed_parts
from fr3d.artifacts.plan import Contents
from fr3d.artifacts.provenance import Step, sha256_json
from fr3d.artifacts.rows import Reject, Values
from fr3d.artifacts.shard import Shard, parse_shard, slurm_task
from fr3d.artifacts.store import open_artifact
from fr3d.artifacts.writer import ArtifactWriter
from fr3d.errors import CannotWriteError, MalformedInputError, UsageError

STEP = Step("ps-reconstruct", {"solver": "ls"}, {"raw": "5" * 64})
ITEMS = list(range(23))


def run(
    path: Path,
    shard: Shard | None = None,
    *,
    step: Step = STEP,
    stop_after: int = 99,
    force: bool = False,
    part_rows: int = 3,
) -> ArtifactWriter:
    """A run whose items that divide by five are rejected."""
    path.parent.mkdir(exist_ok=True)
    writer = ArtifactWriter(
        path,
        "fr3d.maps",
        step,
        frame="camera",
        part_rows=part_rows,
        items=len(ITEMS),
        contents=Contents("raw", "source_sha256"),
        shard=shard,
        force=force,
    )
    with writer:
        for done, (index, group) in enumerate(writer.todo(ITEMS)):
            if done == stop_after:
                raise KeyboardInterrupt
            kept = [i for i in group if i % 5]
            columns: dict[str, Values] = {
                "subject_id": ["p" * (1 + i // 8) + str(i) for i in kept],
                "session_id": ["s"] * len(kept),
                "depth": [np.full((3, 4), i, np.float32) for i in kept],
                "source_sha256": [sha256_json(i) for i in kept],
            }
            rejected = [Reject(str(i), "s", "too dark") for i in group if not i % 5]
            writer.seal(index, columns if kept else {}, rejected)
    return writer


@pytest.fixture
def whole(tmp_path: Path) -> bytes:
    """What a run without shards writes."""
    run(tmp_path / "whole" / "maps.h5")
    return (tmp_path / "whole" / "maps.h5").read_bytes()


def merge(folders: list[Path], output: Path, **options: bool) -> None:
    parts = find_part_set(folders)
    assert parts is not None
    merge_parts(parts, output, **options)


@pytest.mark.parametrize("count", [1, 3, 8])
def test_shards_and_a_merge_give_the_bytes_of_one_run(
    count: int, whole: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "maps.h5"
    rows = [run(path, Shard(number, count)).rows for number in range(1, count + 1)]
    assert not path.exists()
    merge([tmp_path / "maps.h5.parts"], path)
    assert path.read_bytes() == whole
    assert sum(rows) == len(open_artifact(path)) == 18
    rejects = (tmp_path / "maps.h5.rejects.csv").read_text()
    assert rejects == (tmp_path / "whole" / "maps.h5.rejects.csv").read_text()
    assert rejects.count("too dark") == 5


def test_history_cites_the_contents_and_not_the_listing(whole: bytes, tmp_path: Path) -> None:
    """The digest of one long JSON list, although that list is never held."""
    history = open_artifact(tmp_path / "whole" / "maps.h5").history
    sources = [sha256_json(i) for i in ITEMS if i % 5]
    assert history[-1]["inputs"] == {"raw": sha256_json(["5" * 64, *sources])}


def test_parts_of_other_counts_and_an_interrupted_shard_go_together(
    whole: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "maps.h5"
    with pytest.raises(KeyboardInterrupt):
        run(path, Shard(1, 2), stop_after=2)
    assert run(path, Shard(1, 3)).resumed == 1  # parts 0 and 2 are sealed, part 3 was not begun
    run(path, Shard(2, 2))
    with pytest.raises(MalformedInputError, match="1 of 8 parts are missing: 4"):
        find_part_set([tmp_path / "maps.h5.parts"])
    run(path)  # a run for all makes what is missing, and joins
    assert path.read_bytes() == whole
    assert not (tmp_path / "maps.h5.parts").exists()


def test_folders_of_several_machines(whole: bytes, tmp_path: Path) -> None:
    one, two = (tmp_path / name / "maps.h5" for name in ("one", "two"))
    run(one, Shard(1, 2))
    run(two, Shard(2, 2))
    run(two, Shard(1, 8))  # part 0 lies in both
    folders = [path.with_name("maps.h5.parts") for path in (one, two)]
    merge(folders, tmp_path / "maps.h5", remove=True)
    assert (tmp_path / "maps.h5").read_bytes() == whole
    assert not any(folder.exists() for folder in folders)


def test_missing_parts_are_named_with_their_shards(tmp_path: Path) -> None:
    run(tmp_path / "maps.h5", Shard(2, 3))
    folder = tmp_path / "maps.h5.parts"
    for use in (find_part_set, open_artifact):
        with pytest.raises(MalformedInputError) as caught:
            use([folder])
        assert "maps.h5.parts: 5 of 8 parts are missing: 0, 2, 3, 5, 6" in caught.value.message
        assert "--shard 1/3, 3/3" in caught.value.hint
    assert len(open_artifact(sealed_parts(folder))) == 7, "parts that are named are read"


def test_a_folder_of_parts_reads_like_the_file(whole: bytes, tmp_path: Path) -> None:
    for number in (1, 2):
        run(tmp_path / "maps.h5", Shard(number, 2))
    parts = open_artifact(tmp_path / "maps.h5.parts")
    file = open_artifact(tmp_path / "whole" / "maps.h5")
    assert parts.sha256 == file.sha256
    assert parts.attrs == file.attrs == {}
    assert parts.rejected == file.rejected


def test_parts_of_other_plans_are_refused(tmp_path: Path) -> None:
    other = Step("ps-reconstruct", {"solver": "ratio"}, {"raw": "5" * 64})
    run(tmp_path / "a" / "maps.h5", Shard(1, 2))
    run(tmp_path / "b" / "maps.h5", Shard(2, 2), step=other)
    folders = [tmp_path / name / "maps.h5.parts" for name in "ab"]
    with pytest.raises(MalformedInputError, match="folders are of runs with other inputs"):
        find_part_set(folders)
    with pytest.raises(CannotWriteError, match="unfinished parts of a run with other inputs"):
        run(tmp_path / "a" / "maps.h5", Shard(2, 2), step=other)
    # a part that was copied in by hand
    for part in sealed_parts(folders[1]):
        (folders[0] / part.name).write_bytes(part.read_bytes())
    with pytest.raises(MalformedInputError, match=r"part-000001\.h5: is of a run with other"):
        merge([folders[0]], tmp_path / "maps.h5")
    assert not (tmp_path / "maps.h5").exists()


def test_force_drops_other_parts_unless_shards_are_at_work(tmp_path: Path) -> None:
    path = tmp_path / "maps.h5"
    other = Step("ps-reconstruct", {"solver": "ratio"}, {"raw": "5" * 64})
    run(path, Shard(1, 2), step=other)
    with (
        pytest.raises(KeyboardInterrupt),
        ArtifactWriter(path, "fr3d.maps", other, part_rows=3, items=23, shard=Shard(2, 2)),
    ):
        with pytest.raises(CannotWriteError, match="shards with other inputs or options are at"):
            run(path, Shard(1, 2), force=True)
        raise KeyboardInterrupt
    run(path, Shard(1, 2), force=True)
    run(path, Shard(2, 2))
    merge([tmp_path / "maps.h5.parts"], path)


def test_who_may_work_at_once(tmp_path: Path) -> None:
    path = tmp_path / "maps.h5"
    run(path, Shard(1, 3))

    def begin(shard: Shard | None) -> ArtifactWriter:
        return ArtifactWriter(
            path, "fr3d.maps", STEP, frame="camera", part_rows=3, items=23, shard=shard
        )

    with pytest.raises(KeyboardInterrupt), begin(Shard(1, 3)) as first:
        assert first.locked
        with pytest.raises(CannotWriteError, match="shard 1/3 is being made already"):
            begin(Shard(1, 3)).__enter__()
        with pytest.raises(CannotWriteError, match="another process is writing it"):
            begin(None).__enter__()
        run(path, Shard(2, 3))
        run(path, Shard(3, 3))
        with pytest.raises(CannotWriteError, match="at work on these parts"):
            merge([tmp_path / "maps.h5.parts"], path, remove=True)
        raise KeyboardInterrupt
    with pytest.raises(KeyboardInterrupt), begin(None):
        with pytest.raises(CannotWriteError, match="at work on these parts"):
            merge([tmp_path / "maps.h5.parts"], path)
        raise KeyboardInterrupt
    merge([tmp_path / "maps.h5.parts"], path)


def test_without_locks_the_work_goes_on(
    whole: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some network file systems have none."""

    def refuse(handle: int, how: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", refuse)
    path = tmp_path / "maps.h5"
    assert not any(run(path, Shard(number, 2)).locked for number in (1, 2))
    merge([tmp_path / "maps.h5.parts"], path)
    assert path.read_bytes() == whole


def test_all_rejected(tmp_path: Path) -> None:
    def begin(shard: Shard) -> ArtifactWriter:
        return ArtifactWriter(tmp_path / "maps.h5", "fr3d.maps", STEP, items=2, shard=shard)

    with begin(Shard(1, 1)) as writer:
        for index, group in writer.todo([0, 1]):
            writer.seal(index, {}, [Reject(str(i), "s", "too dark") for i in group])
    with pytest.raises(MalformedInputError, match="none of 2 captures could be used: 0/s: too"):
        merge([tmp_path / "maps.h5.parts"], tmp_path / "maps.h5")
    assert (tmp_path / "maps.h5.rejects.csv").read_text().count("too dark") == 2


@given(st.integers(1, 40), st.integers(0, 300), st.integers(1, 9))
def test_shards_share_the_items_out(count: int, items: int, part_rows: int) -> None:
    shards = [Shard(number, count) for number in range(1, count + 1)]
    parts = -(-items // part_rows)
    assert all(sum(s.takes(part) for s in shards) == 1 for part in range(parts))
    writers = [
        ArtifactWriter(Path("x"), "fr3d.maps", STEP, part_rows=part_rows, shard=s) for s in shards
    ]
    assert sum(writer.share(items) for writer in writers) == items


def slurm(**values: int) -> dict[str, str]:
    return {f"SLURM_ARRAY_TASK_{name}": str(value) for name, value in values.items()}


@pytest.mark.parametrize(
    ("environment", "shard"),
    [
        (slurm(ID=3, MIN=1, MAX=8, STEP=1, COUNT=8), "3/8"),
        (slurm(ID=0, MIN=0, MAX=7, STEP=1, COUNT=8), "1/8"),
        (slurm(ID=7, MIN=1, MAX=7, STEP=2, COUNT=4), "4/4"),
        (slurm(ID=5, MIN=5, MAX=5, STEP=1, COUNT=1), "1/1"),
    ],
)
def test_slurm_arrays(environment: dict[str, str], shard: str) -> None:
    assert str(parse_shard("slurm", environment)) == shard
    several = environment["SLURM_ARRAY_TASK_COUNT"] != "1"
    assert bool(slurm_task(environment)) == several


@pytest.mark.parametrize(
    ("text", "environment", "says"),
    [
        ("0/8", {}, "no such shard: 0/8"),
        ("9/8", {}, "no such shard: 9/8"),
        ("3", {}, "no such shard: 3"),
        ("٣/8", {}, "no such shard"),
        ("slurm", {}, "SLURM_ARRAY_TASK_ID is not set"),
        ("slurm", slurm(ID=3), "do not describe an array"),
        ("slurm", slurm(ID=3, MIN=1, MAX=7, STEP=1, COUNT=3), "not evenly spaced"),
        ("slurm", slurm(ID=3, MIN=1, MAX=7, STEP=0, COUNT=3), "do not describe"),
        ("slurm", slurm(ID=4, MIN=1, MAX=7, STEP=2, COUNT=4), "not evenly spaced"),
    ],
)
def test_no_shard(text: str, environment: dict[str, str], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        parse_shard(text, environment)
