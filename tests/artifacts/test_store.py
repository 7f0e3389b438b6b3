"""Reading: what is written comes back, and what is not as the schema says is refused."""

import pickle
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from fr3d.artifacts.provenance import Step
from fr3d.artifacts.store import artifact_kind, open_artifact
from fr3d.artifacts.writer import write_artifact
from fr3d.errors import Fr3dError, MalformedInputError, MissingInputError

STEP = Step("test", {"alpha": 1}, {"raw": "0" * 64}, seed=3)


def columns(n: int = 4, first: int = 0) -> dict:
    rng = np.random.default_rng(first)
    return {
        "subject_id": [f"{i:03d}" for i in range(first, first + n)],
        "session_id": ["é s"] * n,
        "normal": rng.normal(size=(n, 5, 6, 3)).astype(np.float32),
        "mask": np.ones((n, 5, 6), np.uint8),
        "attribute/gender": ["female", ""] * (n // 2),
        "quality/residual": rng.random(n).astype(np.float32),
    }


@pytest.fixture
def maps(tmp_path: Path) -> Path:
    path = tmp_path / "maps.h5"
    write_artifact(path, "fr3d.maps", columns(), STEP, frame="camera", attrs={"note": "x"})
    return path


def test_round_trip(maps: Path) -> None:
    a, truth = open_artifact(maps), columns()
    np.testing.assert_array_equal(a["normal"][:], truth["normal"])
    np.testing.assert_array_equal(a["normal"][np.array([2, 0])], truth["normal"][[2, 0]])
    np.testing.assert_array_equal(a["normal"][-1], truth["normal"][-1])
    assert (a.subject_id, a.session_id) == (truth["subject_id"], truth["session_id"])
    assert a.attributes == {"gender": truth["attribute/gender"]}
    np.testing.assert_array_equal(a.quality["residual"], truth["quality/residual"])
    assert (a.frame, a.attrs["note"], a.parameters) == ("camera", "x", {"alpha": 1})
    assert a.history[0]["inputs"] == {"raw": "0" * 64}
    assert artifact_kind(maps) == "fr3d.maps"


def test_any_hdf5_reader_reads_it(maps: Path) -> None:
    with h5py.File(maps) as f:
        np.testing.assert_array_equal(f["normal"][:], columns()["normal"])
        assert f["subject_id"].asstr()[1] == "001"
        assert f["normal"].attrs["axes"] == b"session y x xyz"
        assert f["normal"].chunks is None


def test_same_content_same_bytes(tmp_path: Path, maps: Path) -> None:
    again = tmp_path / "again.h5"
    write_artifact(again, "fr3d.maps", columns(), STEP, frame="camera", attrs={"note": "x"})
    assert again.read_bytes() == maps.read_bytes()


def test_long_attributes(tmp_path: Path) -> None:
    text = "é" * 100_000
    write_artifact(tmp_path / "m.h5", "fr3d.maps", columns(), STEP, attrs={"long": text, "no": 3})
    assert open_artifact(tmp_path / "m.h5").attrs == {"long": text, "no": 3}


def test_digest_tells_rows_apart(tmp_path: Path, maps: Path) -> None:
    changed = columns()
    changed["normal"][2, 0, 0, 0] += 1
    other = tmp_path / "other.h5"
    write_artifact(other, "fr3d.maps", changed, STEP)
    before, after = (open_artifact(p).text("digest") for p in (maps, other))
    assert [a == b for a, b in zip(before, after, strict=True)] == [True, True, False, True]
    assert open_artifact(maps).sha256 != open_artifact(other).sha256


def test_several_files_are_one(tmp_path: Path, maps: Path) -> None:
    second = tmp_path / "part-1.h5"
    other = replace(STEP, inputs={"raw": "1" * 64})
    write_artifact(
        second, "fr3d.maps", columns(2, first=4), other, frame="camera", attrs={"note": "x"}
    )
    both = open_artifact([maps, second])
    assert len(both) == 6
    assert both.history[0]["inputs"] == {"raw": "0" * 64, "raw#2": "1" * 64}
    np.testing.assert_array_equal(both["normal"][4:6], columns(2, first=4)["normal"])
    np.testing.assert_array_equal(both["normal"][3], columns()["normal"][3])


@pytest.mark.parametrize(
    ("step", "more", "says"),
    [
        (STEP, {"frame": "face:arcface112"}, "differ in their frame: camera and face:arcface112"),
        (STEP, {"attrs": {"note": "y"}}, "differ in their attributes"),
        (replace(STEP, parameters={"alpha": 2}), {}, "options of test: alpha 1 and 2"),
        (replace(STEP, seed=4), {}, "options of test: seed 3 and 4"),
    ],
)
def test_several_files_must_be_made_alike(
    step: Step, more: dict, says: str, tmp_path: Path, maps: Path
) -> None:
    second, like = tmp_path / "second.h5", {"frame": "camera", "attrs": {"note": "x"}}
    write_artifact(second, "fr3d.maps", columns(2, first=4), step, **{**like, **more})
    with pytest.raises(MalformedInputError, match=says):
        open_artifact([maps, second])


def test_a_folder_of_parts(tmp_path: Path) -> None:
    for k in range(2):
        part = tmp_path / f"part-{k}.h5"
        write_artifact(part, "fr3d.maps", columns(2, first=2 * k), STEP)
    assert open_artifact(tmp_path).subject_id == ["000", "001", "002", "003"]


def test_chunked_compressed_files_of_other_tools(tmp_path: Path) -> None:
    path, truth = tmp_path / "maps.h5", columns()
    with h5py.File(path, "w") as f:
        f.attrs["format"], f.attrs["format_version"] = np.bytes_("fr3d.maps"), 1
        f["subject_id"] = np.array([b"a", b"b", b"c", b"d"])
        f["session_id"] = np.array([b"1"] * 4)
        f.create_dataset("normal", data=truth["normal"], chunks=(1, 5, 6, 3), compression="gzip")
    np.testing.assert_array_equal(open_artifact(path)["normal"][1:3], truth["normal"][1:3])


def test_columns_travel_to_other_processes(maps: Path) -> None:
    column = open_artifact(maps)["normal"]
    column[0]
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(column))[1], columns()["normal"][1])


def _bomb(f: h5py.File) -> None:
    f.create_dataset("depth", shape=(4, 1 << 16, 1 << 16), dtype="f4", chunks=(1, 64, 64))


def _external(f: h5py.File) -> None:
    f.create_dataset("depth", shape=(4, 5, 6), dtype="f4", external=[("secret", 0, 480)])


def _virtual(f: h5py.File) -> None:
    layout = h5py.VirtualLayout((4, 5, 6), "f4")
    f.create_virtual_dataset("depth", layout)


def _soft(f: h5py.File) -> None:
    f["depth"] = h5py.SoftLink("/mask")


def _outside(f: h5py.File) -> None:
    f["depth"] = h5py.ExternalLink("other.h5", "/x")


def _type(f: h5py.File) -> None:
    f["depth"] = np.zeros((4, 5, 6), np.int32)


def _rows(f: h5py.File) -> None:
    f["depth"] = np.zeros((3, 5, 6), np.float32)


def _rank(f: h5py.File) -> None:
    f["depth"] = np.zeros((4, 5), np.float32)


def _xyz(f: h5py.File) -> None:
    del f["normal"]
    f["normal"] = np.zeros((4, 5, 6, 2), np.float32)


def _no_key(f: h5py.File) -> None:
    del f["subject_id"]


def _version(f: h5py.File) -> None:
    f.attrs["format_version"] = 99


def _heap(f: h5py.File) -> None:
    f.attrs["note"] = "variable-length text lives in a heap"


def _format(f: h5py.File) -> None:
    del f.attrs["format"]


def _twice(f: h5py.File) -> None:
    f["subject_id"][1] = b"000"


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (_bomb, "larger than the bytes"),
        (_external, "external"),
        (_virtual, "virtual"),
        (_soft, "link"),
        (_outside, "link"),
        (_type, "expected one of kind f"),
        (_rows, "axis session has length"),
        (_rank, "expected axes"),
        (_xyz, "axis xyz has length 2"),
        (_no_key, "no dataset 'subject_id'"),
        (_version, "format version 99"),
        (_heap, "neither fixed-length text"),
        (_format, "not an fr3d artifact"),
        (_twice, "stands there twice"),
    ],
)
def test_refused(maps: Path, damage, says: str) -> None:
    with h5py.File(maps, "r+") as f:
        damage(f)
    with pytest.raises(MalformedInputError, match=says):
        open_artifact(maps)


def test_another_kind_is_refused(maps: Path) -> None:
    with pytest.raises(MalformedInputError, match=r"found fr3d\.maps, expected fr3d\.embeddings"):
        open_artifact(maps, "fr3d.embeddings")


def test_a_required_dataset(maps: Path) -> None:
    with pytest.raises(MalformedInputError, match=r"maps\.h5: no dataset 'depth'"):
        open_artifact(maps, require=["depth"])


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(MissingInputError, match="no such file"):
        open_artifact(tmp_path / "none.h5")


@pytest.mark.parametrize("share", [0.0, 0.3, 0.5, 0.9, 0.999])
def test_cut_short(maps: Path, share: float) -> None:
    data = maps.read_bytes()
    maps.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(MalformedInputError):
        open_artifact(maps)


def test_random_damage_never_escapes(maps: Path) -> None:
    """Whatever bytes are flipped, the answer is an artifact or one of our errors."""
    data, rng = bytearray(maps.read_bytes()), np.random.default_rng(0)
    refused = 0
    for _ in range(300):
        mutant = data.copy()
        for at in rng.integers(0, 6000, 3):
            mutant[at % len(mutant)] ^= int(rng.integers(1, 256))
        maps.write_bytes(mutant)
        try:
            open_artifact(maps)
        except Fr3dError:
            refused += 1
    assert refused > 10
