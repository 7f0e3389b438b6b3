from pathlib import Path

import numpy as np
import pytest

from fr3d.artifacts.combining import combine, write_combination
from fr3d.artifacts.provenance import Step
from fr3d.artifacts.rows import Reject
from fr3d.artifacts.store import Artifact, open_artifact
from fr3d.artifacts.writer import write_artifact
from fr3d.errors import MalformedInputError

SOLVED = {"solver": "ls"}


def maps(
    path: Path,
    subjects: str,
    side: int = 4,
    lights: int = 3,
    *,
    step: Step | None = None,
    frame: str = "camera",
    dtype: str = "f4",
    rejected: str = "",
    **more: object,
) -> Artifact:
    """Maps whose values tell their subject and place."""
    count = len(subjects)
    ramp = np.arange(count * side * side, dtype=dtype).reshape(count, side, side)
    columns = {
        "subject_id": list(subjects),
        "session_id": [path.stem] * count,
        "albedo": ramp,
        "depth": ramp + 0.5,
        "mask": np.ones((count, side, side), np.uint8),
        "lights": np.ones((count, lights, 3), np.float32),
        "size": np.full((count, 2), side, np.int32),
        **more,
    }
    step = step or Step("ps-reconstruct", SOLVED, {"raw": path.stem * 8})
    rejects = [Reject(s, path.stem, "dark") for s in rejected]
    write_artifact(path, "fr3d.maps", columns, step, frame=frame, rejected=rejects)
    return open_artifact(path)


def test_ids_of_unlike_length_keep_no_zeros_and_their_digests(tmp_path: Path) -> None:
    one = maps(tmp_path / "a.h5", "xy", subject_id=["x", "longer"])
    write_combination(combine([one, maps(tmp_path / "b.h5", "z")]), tmp_path / "c.h5")
    both = open_artifact(tmp_path / "c.h5")
    assert [both.text_at("subject_id", row) for row in range(3)] == ["x", "longer", "z"]
    assert both.text("digest") == [
        d for n in "ab" for d in open_artifact(tmp_path / f"{n}.h5").text("digest")
    ]


def test_rows_rejects_and_history_of_all(tmp_path: Path) -> None:
    one = maps(tmp_path / "a.h5", "xy", rejected="z", **{"attribute/gender": ["f", "m"]})
    two = maps(tmp_path / "b.h5", "x", rejected="w")
    write_combination(combine([one, two]), tmp_path / "c.h5")
    both = open_artifact(tmp_path / "c.h5")
    assert both.subject_id == ["x", "y", "x"]
    assert both.session_id == ["a", "a", "b"]
    np.testing.assert_array_equal(both["depth"][:2], one["depth"][:])
    np.testing.assert_array_equal(both["depth"][2], two["depth"][0])
    assert [r.subject_id for r in both.rejected] == ["z", "w"]
    assert both.attributes == {"gender": ["f", "m", ""]}
    assert both.text("digest")[:2] == one.text("digest"), "rows that did not change keep theirs"
    made, merged = both.history
    assert made["inputs"] == {"raw": "a" * 8, "raw#2": "b" * 8}
    assert made["arguments"] == SOLVED
    assert merged["inputs"] == {"a.h5": one.sha256, "b.h5": two.sha256}


def test_what_was_noted_about_the_inputs_may_differ(tmp_path: Path) -> None:
    steps = [Step("ps-reconstruct", SOLVED, {"raw": n}, notes={"seen": n}) for n in "12"]
    files = [maps(tmp_path / f"{s.notes['seen']}.h5", "x", step=s) for s in steps]
    assert [f.history[0]["notes"] for f in files] == [{"seen": "1"}, {"seen": "2"}]
    write_combination(combine(files), tmp_path / "c.h5")
    made, _ = open_artifact(tmp_path / "c.h5").history
    assert made["inputs"] == {"raw": "1", "raw#2": "2"}
    assert "notes" not in made


def test_smaller_maps_are_padded_under_a_zero_mask(tmp_path: Path) -> None:
    small, large = maps(tmp_path / "a.h5", "x"), maps(tmp_path / "b.h5", "y", 7, 5)
    whole = combine([small, large])
    assert whole.mostly_padding == [tmp_path / "a.h5"]
    write_combination(whole, tmp_path / "c.h5")
    row = {name: column[0] for name, column in _columns(tmp_path / "c.h5").items()}
    assert row["mask"].shape == (7, 7)
    assert row["mask"].sum() == 16
    np.testing.assert_array_equal(row["depth"][:4, :4], small["depth"][0])
    assert np.isnan(row["depth"]).sum() == 49 - 16
    assert row["albedo"].sum() == small["albedo"][0].sum()
    assert np.isnan(row["lights"][3:]).all()
    assert row["size"].tolist() == [4, 4]


def _columns(path: Path) -> dict:
    artifact = open_artifact(path)
    return {name: artifact[name][:] for name in artifact.names}


def test_a_merge_of_merges_is_one_merge(tmp_path: Path) -> None:
    parts = [maps(tmp_path / f"{name}.h5", "x") for name in "abc"]
    write_combination(combine(parts[:2]), tmp_path / "ab.h5")
    write_combination(combine([open_artifact(tmp_path / "ab.h5"), parts[2]]), tmp_path / "abc.h5")
    write_combination(combine(parts), tmp_path / "all.h5")
    nested, flat = open_artifact(tmp_path / "abc.h5"), open_artifact(tmp_path / "all.h5")
    assert nested.text("digest") == flat.text("digest")
    assert [len(a.history) for a in (nested, flat)] == [2, 2]
    inputs = {"raw": "a" * 8, "raw#2": "b" * 8, "raw#3": "c" * 8}
    assert nested.history[0]["inputs"] == flat.history[0]["inputs"] == inputs


def ratio() -> Step:
    return Step("ps-reconstruct", {"solver": "ratio"}, {"raw": "b"})


@pytest.mark.parametrize(
    ("other", "says"),
    [
        ({"step": ratio()}, "differ in the options of ps-reconstruct: solver ls and ratio"),
        ({"step": Step("align", SOLVED)}, "the other is align"),
        ({"step": Step("ps-reconstruct", SOLVED, seed=1)}, "seed None and 1"),
        ({"frame": "face:arcface112"}, "differ in their frame: camera and face:arcface112"),
        ({"dtype": "f2"}, "differ in the type of 'albedo': float32 and float16"),
        ({"confidence": np.ones((1, 4, 4), "f4")}, r"a\.h5: no dataset 'confidence', which .*b"),
        ({"scale_mm": np.ones(1, "f4")}, "no dataset 'scale_mm'"),
        ({"albedo": np.ones((1, 4, 4, 3), "f4")}, r"differ in the shape of 'albedo': \(4, 4\)"),
    ],
)
def test_what_does_not_go_together(other: dict, says: str, tmp_path: Path) -> None:
    with pytest.raises(MalformedInputError, match=says):
        combine([maps(tmp_path / "a.h5", "x"), maps(tmp_path / "b.h5", "x", **other)])


def test_face_frames_have_one_size(tmp_path: Path) -> None:
    files = [maps(tmp_path / f"{side}.h5", "x", side, frame="face:arcface112") for side in (4, 5)]
    with pytest.raises(MalformedInputError, match=r"shape of 'albedo': \(4, 4\) and \(5, 5\)"):
        combine(files)


def test_a_session_may_be_in_one_file_only(tmp_path: Path) -> None:
    one = maps(tmp_path / "a.h5", "xy")
    with pytest.raises(MalformedInputError, match=r"session x/a is also in .*a\.h5"):
        combine([one, one])
    (tmp_path / "b").mkdir()
    failed = maps(tmp_path / "b" / "a.h5", "z", rejected="y")
    with pytest.raises(MalformedInputError, match="session y/a is also in"):
        combine([one, failed])


def test_embeddings(tmp_path: Path) -> None:
    def write(name: str, size: int = 8, contract: str = "c") -> Artifact:
        columns = {
            "subject_id": ["x", "x"],
            "session_id": [name, name],
            "view": ["", "flip"],
            "embedding": np.full((2, size), ord(name), np.float32),
        }
        path = tmp_path / f"{name}{size}{contract}.h5"
        attrs = {"model_contract": contract}
        step = Step("embed")
        write_artifact(path, "fr3d.embeddings", columns, step, attrs=attrs, force=True)
        return open_artifact(path, "fr3d.embeddings")

    write_combination(combine([write("a"), write("b")]), tmp_path / "ab.h5")
    both = open_artifact(tmp_path / "ab.h5", "fr3d.embeddings")
    assert both["embedding"][:][:, 0].tolist() == [97, 97, 98, 98]
    assert both.attrs == {"model_contract": "c"}
    with pytest.raises(MalformedInputError, match="shape of 'embedding'"):
        combine([write("a"), write("b", 9)])
    with pytest.raises(MalformedInputError, match="differ in their attributes"):
        combine([write("a"), write("b", contract="d")])
    with pytest.raises(MalformedInputError, match="differ in their kind"):
        combine([write("a"), maps(tmp_path / "m.h5", "x")])
