"""fr3d align on photographs, RGB-D pairs, scans, maps of other tools and tables."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from foreign_networks import TOML, network
from posed_faces import posed, poses, write_maps

from fr3d.artifacts.store import open_artifact
from fr3d.cli import main
from fr3d.errors import ExitStatus

SYNTH = ["--people", "2", "--sessions", "2", "--size", "160", "--turned", "0", "-j", "1", "-q"]


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two people, two photographs each."""
    root = tmp_path_factory.mktemp("data") / "photographs"
    assert main(["synth", str(root), "--kind", "photographs", "--in-colour", *SYNTH]) == 0
    return root


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with depth."""
    root = tmp_path_factory.mktemp("data") / "rgbd"
    assert main(["synth", str(root), "--kind", "rgbd", *SYNTH]) == 0
    return root


@pytest.fixture(autouse=True)
def _in_a_fresh_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def faces(name: str = "faces.h5"):
    return open_artifact(Path(name))


def test_photographs(photographs: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["align", str(photographs), "-j", "1"]) == 0
    err = capsys.readouterr().err
    assert "photographs: 4 photographs of 2 people, first 1001/1001_01" in err
    assert "aligned 4 of 4 sessions -> faces.h5" in err
    found = faces()
    assert found.frame == "face:arcface112"
    assert found["image"].shape == (4, 112, 112, 3)
    assert found.attributes["file"][0] == "1001/1001_01.png"
    assert found.parameters["source"] == {"kind": "photographs"}
    assert found.history[-1]["inputs"]["photographs"]
    assert str(photographs.parent) not in repr(found.history)
    assert (found.quality["landmark_score"] > 0.7).all()
    assert (found.quality["face_count"] == 1).all()


def test_the_landmarks_are_where_the_truth_says(photographs: Path):
    assert main(["align", str(photographs), "-q"]) == 0
    found, truth = faces(), open_artifact(photographs / "truth.h5")
    rows = {key: k for k, key in enumerate(zip(truth.subject_id, truth.session_id, strict=True))}
    for k, key in enumerate(zip(found.subject_id, found.session_id, strict=True)):
        back = found["warp"][k]
        seen = found["landmarks"][k] @ back[:, :2].T + back[:, 2]
        expected = truth["landmarks"][rows[key]]
        eyes = np.hypot(*(expected[1] - expected[0]))
        assert np.hypot(*(seen - expected).T).mean() < 0.15 * eyes


def test_one_and_two_workers_write_the_same_bytes(photographs: Path):
    for workers in "12":
        words = ["align", str(photographs), "-o", f"{workers}.h5", "-j", workers, "-q"]
        assert main(words) == 0
    assert Path("1.h5").read_bytes() == Path("2.h5").read_bytes()


def test_pairs_follow_the_note_and_have_normals(pairs: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["align", str(pairs)]) == 0
    found = faces()
    assert {"normal", "depth", "image", "mask", "scale_mm"} <= set(found.names)
    assert (found.quality["nose_mm"] > 5).all()
    assert (found.quality["scale_assumed"] == 1).all()
    assert (found["normal"][:][..., 2].astype(float).sum(axis=(1, 2)) > 3000).all()
    wrong = ["align", str(pairs), "-o", "wrong.h5", "--depth-sign", "larger-is-nearer"]
    assert main(wrong) == 0
    assert "most noses lie behind eyes and mouth" in capsys.readouterr().err


def test_intrinsics_give_the_scale(pairs: Path):
    Path("camera.json").write_text('{"color": {"fx": 600, "fy": 600, "cx": 80, "cy": 80}}')
    assert main(["align", str(pairs), "--intrinsics", "camera.json", "-q"]) == 0
    assert (faces().quality["scale_assumed"] == 0).all()
    assert faces().parameters["source"]["scaled"] is True


def test_a_bad_photograph_is_left_out_with_its_reason(photographs: Path):
    folder = Path("mixed/1001")
    folder.mkdir(parents=True)
    good = next(photographs.glob("1001/*.png"))
    (folder / "good.png").write_bytes(good.read_bytes())
    (folder / "cut.png").write_bytes(good.read_bytes()[:2000])
    cv2.imwrite(str(folder / "grass.png"), np.full((80, 80, 3), (40, 160, 60), np.uint8))
    cv2.imwrite(str(folder / "tiny.png"), np.zeros((12, 12, 3), np.uint8))
    assert main(["align", "mixed", "-q"]) == 0
    rejects = Path("faces.h5.rejects.csv").read_text()
    assert "1001,cut,cut.png: truncated image" in rejects
    assert "1001,grass,no face found" in rejects
    assert '1001,tiny,"tiny.png: found 12x12 pixels, expected at least 16 a side"' in rejects
    assert faces().session_id == ["good"]
    assert main(["align", "mixed", "-q", "-f", "--strict"]) == ExitStatus.MALFORMED


def test_a_table_names_people_and_attributes(photographs: Path):
    paths = sorted(photographs.glob("*/*.png"))
    lines = [f"p{k},{path},{'yes' if k else ''}" for k, path in enumerate(paths)]
    Path("list.csv").write_text("subject_id,photograph,glasses\n" + "\n".join(lines) + "\n")
    assert main(["align", "list.csv", "-q"]) == 0
    assert faces().subject_id == ["p0", "p1", "p2", "p3"]
    assert faces().attributes["glasses"] == ["", "yes", "yes", "yes"]


def test_a_file_that_a_table_names_and_nobody_has(photographs: Path):
    path = next(photographs.glob("*/*.png"))
    Path("list.csv").write_text(f"subject_id,photograph\na,{path}\nb,no.png\n")
    assert main(["align", "list.csv", "-q"]) == 0
    assert faces().subject_id == ["a"]
    assert "b,no,no.png: No such file" in Path("faces.h5.rejects.csv").read_text()


def test_photographs_by_name(photographs: Path):
    paths = [str(p) for p in sorted(photographs.glob("1001/*.png"))]
    assert main(["align", *paths, "-q"]) == 0
    assert list(zip(faces().subject_id, faces().session_id, strict=True)) == [
        ("1001", "01"),
        ("1001", "02"),
    ]


def test_a_box_with_a_margin(photographs: Path):
    words = ["align", str(photographs), "--template", "box", "--size", "182", "--margin", "44"]
    assert main([*words, "-q"]) == 0
    found = faces()
    assert found["image"].shape[1:3] == (182, 182)
    box = [found.quality[f"box_{side}"] for side in ("left", "top", "right", "bottom")]
    longer = np.maximum(box[2] - box[0], box[3] - box[1])
    np.testing.assert_allclose(found.quality["face_scale"] * longer, 138, rtol=1e-3)
    assert np.isnan(found.quality["landmark_residual"]).all()


def test_mtcnn_lands_near_yunet(photographs: Path):
    for detector in ("yunet", "mtcnn"):
        words = ["align", str(photographs), "--detector", detector, "-o", f"{detector}.h5", "-q"]
        assert main(words) == 0
    one, two = faces("yunet.h5"), faces("mtcnn.h5")
    assert one.parameters["detector_sha256"] != two.parameters["detector_sha256"]
    assert np.abs(one["warp"][:][:, :, 2] - two["warp"][:][:, :, 2]).max() < 12


def test_scans(capsys: pytest.CaptureFixture[str], tmp_path: Path):
    assert main(["synth", "maps.h5", *SYNTH]) == 0
    assert main(["show", "maps.h5", "--as", "ply", "-o", "scans", "-q"]) == 0
    assert main(["align", "scans", "--pattern", r"(?P<subject>\d+)_(?P<session>.+)\.ply"]) == 0
    assert "scans: 4 scans of 2 people" in capsys.readouterr().err
    found = faces()
    assert {"normal", "depth", "albedo", "image"} <= set(found.names)
    assert found.subject_id == ["1001", "1001", "1002", "1002"]
    assert np.isfinite(found["scale_mm"][:]).all()


def test_alignments_on_one_sheet(photographs: Path):
    assert main(["align", str(photographs), "-q"]) == 0
    words = ["show", "faces.h5", "--as", "alignment", "-o", "found.png", "--tile", "96", "-q"]
    assert main([*words, "--photographs", str(photographs)]) == 0
    with_pictures = cv2.imread("found.png")
    assert main([*words, "-f"]) == 0
    without = cv2.imread("found.png")
    assert with_pictures.shape == without.shape
    # the outline of the crop is blue, in the photographs alone
    blue = [((p[..., 0] > 230) & (p[..., 2] < 60)).sum() for p in (with_pictures, without)]
    assert blue[0] > 300
    assert blue[1] < 30


def test_alignments_of_maps_are_drawn_in_their_mean_images():
    write_maps(Path("maps.h5"), [posed(m) for m in poses(3)])
    assert main(["align", "-q"]) == 0
    words = ["show", "maps.h5", "faces.h5", "--as", "alignment", "-o", "found.png", "-q"]
    assert main(words) == 0
    assert cv2.imread("found.png").shape[2] == 3
    assert main(["show", "maps.h5", "--as", "alignment", "-o", "no.png"]) == ExitStatus.MALFORMED


@pytest.mark.parametrize(
    ("words", "status", "says"),
    [
        (["nowhere"], ExitStatus.MISSING, "nowhere: no such file"),
        (["empty"], ExitStatus.MISSING, "empty: a folder without part files, photographs, scans"),
        (["empty", "--input", "photographs"], ExitStatus.MISSING, "empty: no photographs in it"),
        (["empty", "--input", "scans"], ExitStatus.MISSING, "empty: no scans in it"),
        (["raw"], ExitStatus.MALFORMED, "captures under several lights"),
        (["empty", "maps.h5"], ExitStatus.USAGE, "several inputs must be photographs"),
        (["one", "--pattern", "("], ExitStatus.USAGE, "pattern '('"),
        (["one", "--frontal"], ExitStatus.USAGE, "no depth to be turned by"),
        (["one", "--detector", "capture"], ExitStatus.USAGE, "come without landmarks"),
        (["one", "--detector", "hourglass"], ExitStatus.USAGE, "needs a trained network"),
        (["one", "--template", "mine.json"], ExitStatus.MISSING, "mine.json"),
        (["one", "--depth-unit", "0"], ExitStatus.USAGE, "a depth unit of 0 mm"),
        (["one", "--intrinsics", "no.json"], ExitStatus.MISSING, "no.json"),
        (["one", "--margin", "112"], ExitStatus.USAGE, "leaves nothing"),
        (["one", "--transfer", "odd"], ExitStatus.USAGE, "no such transfer"),
    ],
)
def test_one_line_and_a_hint(words, status, says, capsys: pytest.CaptureFixture[str]):
    Path("empty").mkdir()
    Path("one/a").mkdir(parents=True)
    cv2.imwrite("one/a/1.png", np.zeros((40, 40, 3), np.uint8))
    Path("raw/1001/s1").mkdir(parents=True)
    Path("raw/1001/s1/LightSource.m").write_text("LightAngle = [90-36 360-134];")
    cv2.imwrite("raw/1001/s1/im0.png", np.zeros((40, 40, 3), np.uint8))
    assert main(["align", *words]) == status
    err = capsys.readouterr().err
    assert says in err
    assert "Traceback" not in err


def test_a_network_of_photographs_takes_those_of_rgbd_pairs(photographs: Path, pairs: Path):
    """To a network that sees the photograph alone, the depth beside it changes nothing."""
    Path("net.onnx").write_bytes(network())
    Path("net.toml").write_text(TOML)
    contracts = set()
    for name, source in (("a", photographs), ("b", pairs)):
        words = ["align", str(source), "--size", "16", "-o", f"{name}.h5", "-q"]
        assert main(words) == 0
        assert main(["embed", f"{name}.h5", "-m", "net.onnx", "-o", f"{name}e.h5", "-q"]) == 0
        made = open_artifact(Path(f"{name}e.h5"), "fr3d.embeddings")
        contracts.add(made.attrs["model_contract"])
    assert len(contracts) == 1


def test_tables_with_gaps(photographs: Path, pairs: Path, capsys: pytest.CaptureFixture[str]):
    Path("none.csv").write_text("subject_id,photograph\n")
    assert main(["align", "none.csv"]) == ExitStatus.MALFORMED
    assert "none.csv: lists no session" in capsys.readouterr().err
    colour = next(pairs.glob("1001/*.png"))
    depth = colour.with_suffix(".npy")
    other = next(pairs.glob("1002/*.png"))
    rows = f"a,{colour},{depth}\nb,{other},\n"
    Path("gap.csv").write_text("subject_id,photograph,depth\n" + rows)
    assert main(["align", "gap.csv", "--depth-unit", "1", "-q"]) == 0
    assert faces().subject_id == ["a"]
    assert "no depth beside it" in Path("faces.h5.rejects.csv").read_text()


def test_what_is_passed_over_is_counted(photographs: Path, capsys: pytest.CaptureFixture[str]):
    folder = Path("set/1001")
    folder.mkdir(parents=True)
    (folder / "a.png").write_bytes(next(photographs.glob("1001/*.png")).read_bytes())
    (folder / "b.gif").write_bytes(b"GIF89a")
    (folder / "notes.txt").write_text("not a picture")
    assert main(["align", "set"]) == 0
    assert "1 other files are passed over, such as 1001/b.gif" in capsys.readouterr().err


def test_a_depth_unit_that_gives_no_noses_is_doubted(
    pairs: Path, capsys: pytest.CaptureFixture[str]
):
    assert main(["align", str(pairs), "--depth-unit", "0.01"]) == 0
    assert "before eyes and mouth; is --depth-unit right?" in capsys.readouterr().err


def test_options_for_other_inputs_are_refused(
    photographs: Path, capsys: pytest.CaptureFixture[str]
):
    Path("camera.json").write_text('{"color": {"fx": 600, "fy": 600, "cx": 80, "cy": 80}}')
    for words, says in (
        (["--intrinsics", "camera.json"], "photographs have no measured depth"),
        (["--depth-unit", "2"], "photographs have no measured depth"),
        (["--landmarks", "run"], "only the detector hourglass uses it"),
    ):
        assert main(["align", str(photographs), *words]) == ExitStatus.USAGE
        assert says in capsys.readouterr().err


def test_a_folder_without_the_photographs_is_noticed(
    photographs: Path, capsys: pytest.CaptureFixture[str]
):
    assert main(["align", str(photographs), "-q"]) == 0
    words = ["show", "faces.h5", "--as", "alignment", "-o", "a.png", "--photographs", "nowhere"]
    assert main(words) == ExitStatus.MISSING
    assert "_01.png in it, nor any other of these photographs" in capsys.readouterr().err


def test_faces_with_a_margin_are_in_another_frame(
    photographs: Path, capsys: pytest.CaptureFixture[str]
):
    Path("net.onnx").write_bytes(network())
    Path("net.toml").write_text(TOML)
    assert main(["align", str(photographs), "--size", "16", "--margin", "6", "-q"]) == 0
    assert faces().frame == "face:arcface112+6"
    assert main(["embed", "-m", "net.onnx"]) == ExitStatus.MALFORMED
    assert "face:arcface112+6" in capsys.readouterr().err


def test_a_mesh_of_one_colour_is_looked_at_as_a_relief(pairs: Path):
    assert main(["align", str(pairs), "--size", "200", "-q"]) == 0
    assert main(["show", "faces.h5", "--as", "ply", "-o", "scans", "-q"]) == 0
    assert main(["align", "scans", "-o", "back.h5", "-q"]) == 0
    back = faces("back.h5")
    assert len(back) == 4
    assert not back.quality["scan_textured"].any()
    assert back.subject_id == faces().subject_id
    assert np.abs(back["landmarks"][:] - faces()["landmarks"][:] * 0.56).max() < 16


@pytest.mark.parametrize("lacks", ["1", "3"])
def test_sessions_of_one_file_hold_the_same_maps(lacks: str, monkeypatch: pytest.MonkeyPatch):
    """What the first holds, wherever the parts are cut: more is dropped, less is left out."""
    monkeypatch.setattr("fr3d.alignment.sources.files.FilesSource.part_rows", 1)
    truth = posed(poses(1)[0])
    inside = truth.mask[..., None]
    for session in "123":
        for name, values in (
            ("normal", np.where(inside, truth.normal, 0)),
            ("albedo", truth.albedo),
            ("depth", np.nan_to_num(truth.depth)),
        ):
            if (name, session) != ("albedo", lacks):
                Path(f"maps/{name}/a").mkdir(parents=True, exist_ok=True)
                np.save(f"maps/{name}/a/{session}.npy", values)
    assert main(["align", "maps", "--detector", "none", "-q", "-j", "1"]) == 0
    assert ("albedo" in faces()) == (lacks == "3")
    assert faces().session_id == (["1", "2"] if lacks == "3" else ["1", "2", "3"])
    rejects = Path("faces.h5.rejects.csv")
    if lacks == "3":
        assert "it has no 'albedo', unlike the first session" in rejects.read_text()
    else:
        assert not rejects.exists()
