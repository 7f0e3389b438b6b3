"""fr3d compare: photographs and rows of files, by a network whose embeddings are known."""

import csv
import io
import json
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from foreign_networks import TOML, network, weighted_mean
from small_models import write_faces, write_maps, write_model

from fr3d.artifacts.store import open_artifact
from fr3d.cli import main
from fr3d.gallery.threshold_table import Threshold, thresholds_bytes
from fr3d.geometry.coding import to_srgb

SYNTH = ["--people", "2", "--sessions", "2", "--size", "160", "--turned", "0", "-j", "1", "-q"]
NET = ["-m", "net.onnx"]
MEAN = np.array([127.5, 127.5, 127.5])
HEAD = "one,other,score,decision,threshold"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Photographs of rendered heads, a network, and the same faces aligned and embedded."""
    root = tmp_path_factory.mktemp("compare")
    photographs = root / "photographs"
    assert main(["synth", str(photographs), "--kind", "photographs", "--in-colour", *SYNTH]) == 0
    album = root / "album"
    album.mkdir()
    for file in sorted(photographs.rglob("*.png")):
        shutil.copy(file, album / file.name)
    noise = np.random.default_rng(0).integers(0, 255, (80, 80, 3)).astype(np.uint8)
    cv2.imwrite(str(root / "noise.png"), noise)
    (root / "net.onnx").write_bytes(network())
    flat = TOML.replace("[10.0, 20.0, 30.0]", "127.5").replace("[2.0, 4.0, 8.0]", "127.5")
    (root / "net.toml").write_text(flat)
    faces = ["-o", str(root / "faces.h5"), "--size", "16", "-q", "-j", "1"]
    assert main(["align", str(album), *faces]) == 0
    embeddings = ["-m", str(root / "net.onnx"), "-o", str(root / "embeddings.h5"), "-q"]
    assert main(["embed", str(root / "faces.h5"), *embeddings]) == 0
    return root


@pytest.fixture(autouse=True)
def _there(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if "made" in request.fixturenames:
        shutil.copytree(request.getfixturevalue("made"), tmp_path / "work")
        monkeypatch.chdir(tmp_path / "work")
    else:
        monkeypatch.chdir(tmp_path)


def compare(
    capsys: pytest.CaptureFixture[str], *words: str, status: int = 0
) -> tuple[list[dict[str, str]], str]:
    """Rows and messages of one run."""
    capsys.readouterr()
    assert main(["compare", *words]) == status, capsys.readouterr().err
    out, err = capsys.readouterr()
    assert "Traceback" not in err
    if status:
        assert out == ""
    return list(csv.DictReader(io.StringIO(out))), err


def album() -> list[str]:
    return sorted(str(path) for path in Path("album").iterdir())


def truth() -> np.ndarray:
    """Cosines of the known embeddings of the aligned faces."""
    image = open_artifact(Path("faces.h5"))["image"][:].astype(np.float32)
    pictures = to_srgb(np.clip(image, 0, 1)).transpose(0, 3, 1, 2)
    unit = weighted_mean((255 * pictures - 127.5) / 127.5)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    return unit @ unit.T


# --- photographs -------------------------------------------------------------------------------


def test_all_pairs_in_their_order(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted(Path().rglob("*"))
    rows, err = compare(capsys, "album", *NET)
    assert sorted(Path().rglob("*")) == before, "nothing may be left behind"
    names = [Path(file).name for file in album()]
    pairs = [(one, other) for i, one in enumerate(names) for other in names[i + 1 :]]
    assert [(row["one"], row["other"]) for row in rows] == pairs
    found = [float(row["score"]) for row in rows]
    np.testing.assert_allclose(found, truth()[np.triu_indices(4, 1)], atol=2e-5)
    assert {row["decision"] for row in rows} == {""}
    assert "no threshold is known" in err
    assert "--thresholds" in err


def test_two_give_a_sentence(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one, other = album()[:2]
    (row,), err = compare(capsys, one, other, *NET, "--threshold", "-1")
    assert (row["decision"], row["threshold"]) == ("same", "-1")
    assert err == f"same person: {float(row['score']):.4f} >= -1.0000 (set by hand)\n"
    (row,), err = compare(capsys, one, other, *NET, "--threshold", "1.5")
    assert row["decision"] == "different"
    assert err.startswith("different people: ")
    score = row["score"]
    (row,), _ = compare(capsys, other, one, *NET, "-q")
    assert (row["one"], row["score"]) == (Path(other).name, score)


def test_a_score_at_the_threshold_is_a_match(
    made: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert main(["compare", *album()[:2], *NET, "--json"]) == 0
    line = json.loads(capsys.readouterr().out)
    assert list(line) == HEAD.split(",")
    assert line["decision"] is None
    assert line["threshold"] is None
    score = line["score"]
    (row,), err = compare(capsys, *album()[:2], *NET, "--threshold", repr(score))
    assert row["decision"] == "same"
    (row,), err = compare(capsys, *album()[:2], *NET, "--threshold", repr(score + 1e-9))
    assert row["decision"] == "different"
    shown = err.split()
    assert float(shown[2]) < float(shown[4]), "the digits must show it"


def test_the_threshold_of_the_network(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = Path("net.toml").read_text()
    rows, _ = compare(capsys, "album", *NET)
    middle = float(np.median([float(row["score"]) for row in rows]))
    Path("net.toml").write_text(f'{text}\nthreshold = {middle}\nthreshold_note = "FMR 1 % here"\n')
    decided, err = compare(capsys, "album", *NET)
    assert [row["score"] for row in decided] == [row["score"] for row in rows]
    for row in decided:
        assert row["decision"] == ("same" if float(row["score"]) >= middle else "different")
    assert "3 of 6 pairs are the same person" in err
    assert "(FMR 1 % here)" in err
    _, err = compare(capsys, "album", *NET, "--threshold", "2")
    assert "0 of 6 pairs are the same person, threshold 2 (set by hand)" in err


def test_the_square(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows, _ = compare(capsys, "album", *NET, "--matrix")
    names = [Path(file).name for file in album()]
    assert list(rows[0]) == ["face", *names]
    values = np.array([[float(row[name]) for name in names] for row in rows])
    assert (np.diag(values) == 1).all()
    assert (values == values.T).all()
    np.testing.assert_allclose(values, truth(), atol=2e-5)


def test_missing_and_named_twice(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 no more")
    one, other = album()[:2]
    words = [one, "noise.png", "broken.jpg", other, f"./{one}", *NET, "--threshold", "0.5"]
    rows, err = compare(capsys, *words)
    assert len(rows) == 6
    for row in rows:
        lost = {"noise.png", "broken.jpg"} & {row["one"], row["other"]}
        assert (row["decision"] == "missing") == bool(lost)
        assert (row["score"] == "") == bool(lost)
    assert "noise.png: missing: no face found" in err
    assert "broken.jpg: missing: broken.jpg: " in err
    assert f"{one}: named twice, compared once" in err
    _, err = compare(capsys, one, "noise.png", *NET, status=65)
    assert "1 face of 2 can be used, and a comparison takes two" in err
    rows, _ = compare(capsys, one, "noise.png", other, *NET, "--matrix")
    assert rows[1]["noise.png"] == ""


def test_several_faces_the_largest(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small, large = (cv2.imread(album()[place]) for place in (0, 2))
    blue = (small * [1.0, 0.7, 0.5]).astype(np.uint8)
    group = np.full((480, 640, 3), 128, np.uint8)
    group[160:320, 240:400] = cv2.resize(blue, (160, 160))  # in the middle
    group[60:300, :240] = cv2.resize(large, (240, 240))
    cv2.imwrite("group.png", group)
    for name, hidden in (("small.png", np.s_[:, :240]), ("large.png", np.s_[:, 240:])):
        alone = group.copy()
        alone[hidden] = 128
        cv2.imwrite(name, alone)
    rows, err = compare(capsys, "group.png", "large.png", "small.png", *NET)
    assert "group.png: 2 faces, the largest is compared" in err
    assert "small.png" not in err
    assert float(rows[0]["score"]) > float(rows[1]["score"]) + 0.001


def test_names_that_tell_apart(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for folder, file in zip(("x", "y"), album(), strict=False):
        Path(folder).mkdir()
        shutil.copy(file, f"{folder}/a.png")
    shutil.copy(album()[2], "without suffix")
    rows, _ = compare(capsys, "x/a.png", "y", "without suffix", *NET)
    assert [row["one"] for row in rows] == ["x/a.png", "x/a.png", "y/a.png"]
    assert rows[2]["other"] == "without suffix"


def test_hostile_names(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    odd = ["red\x1b[31m\n.png", "o\udce9.png", "-x.png"]
    try:
        for name, file in zip(odd, album(), strict=False):
            shutil.copy(file, name)
    except OSError:
        pytest.skip("this file system has no such names")
    rows, err = compare(capsys, *NET, "-o", "odd.png", "--", *odd)
    assert rows[0]["other"] == "o\\xe9.png"
    assert "\x1b" not in err
    assert Path("odd.png").exists()


@pytest.mark.parametrize(
    ("words", "status", "says"),
    [
        (["album/1001_01.png", "none.png"], 66, "none.png: no such file"),
        (["album/1001_01.png", "net.toml"], 65, "net.toml: found an unknown format"),
        (["album/1001_01.png"], 65, "one photograph, and a comparison takes two"),
        (["empty"], 66, "no photographs in it"),
        (["album", "--limit", "3"], 2, "4 photographs make 6 pairs, expected at most 3"),
        (["album", "--rows", "0"], 2, "--rows and --subject choose from files"),
        (["album", "--fmr", "0.1"], 2, "only a table of thresholds knows rates"),
        (["album", "--threshold", "1", "--thresholds", "t.csv"], 2, "only one can decide"),
        (["album", "--threshold", "nan"], 2, "nan"),
        (["album", "-o", "x.jpg"], 2, "x.jpg: the picture is a PNG"),
        (["album", "-o", "noise.png"], 73, "exists already"),
        (["album", "faces.h5"], 65, "faces.h5: found an unknown format"),
        (["faces.h5", "--rows", "0,9"], 2, "faces.h5: no row 9, it has 4"),
        (["faces.h5", "--rows", "0,0"], 65, "one face, and a comparison takes two"),
        (["faces.h5", "--subject", "x"], 66, "no session of subject 'x'"),
        (["faces.h5", "--detector", "yunet"], 2, "only photographs are searched"),
        (["none.h5"], 66, "none.h5"),
        (["album", "--extractor", "none.toml"], 66, "none.toml"),
    ],
)
def test_refused_in_one_line(
    made: Path, capsys: pytest.CaptureFixture[str], words: list[str], status: int, says: str
) -> None:
    Path("empty").mkdir()
    before = sorted(Path().rglob("*"))
    _, err = compare(capsys, *words, *NET, status=status)
    assert says in err
    assert len(err.strip().split("\n\n")) <= 2
    assert sorted(Path().rglob("*")) == before


def test_detector_and_frame_of_the_network(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    by_yunet, _ = compare(capsys, "album", *NET)
    by_mtcnn, _ = compare(capsys, "album", *NET, "--detector", "mtcnn")
    assert [row["score"] for row in by_yunet] != [row["score"] for row in by_mtcnn]
    text = Path("net.toml").read_text()
    Path("net.toml").write_text(text.replace('"arcface112"', '"crop"'))
    rows, _ = compare(capsys, "album", "noise.png", *NET)
    assert "missing" not in {row["decision"] for row in rows}, "a crop is taken whole"
    Path("net.toml").write_text(text.replace("[16, 16]", "[16, 20]"))
    _, err = compare(capsys, "album", *NET, status=65)
    assert "net.toml: faces of 16 x 20 pixels, and photographs are aligned to squares" in err


def test_dry_run(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows, err = compare(capsys, "album", *NET, "-n", "-o", "out.png")
    assert rows == []
    assert err.startswith("would compare 4 faces by net.onnx, ")
    assert not Path("out.png").exists()


# --- tables of thresholds ----------------------------------------------------------------------


def test_a_table_decides(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A benchmark of the aligned faces is a benchmark of the photographs: one contract."""
    digest = str(open_artifact(Path("embeddings.h5"), "fr3d.embeddings").attrs[
        "model_contract_sha256"
    ])  # fmt: skip
    rows = [
        Threshold("fmr", 0.1, -1.0, 0.1, 50, None, digest),
        Threshold("fmr", 0.01, 1.5, 0.01, 50, None, digest),
        Threshold("fpir", 0.01, 0.1, 0.01, 50, 30, digest),
    ]
    Path("t.csv").write_bytes(thresholds_bytes(rows))
    table = ["--thresholds", "t.csv"]
    for source in (["album", *NET], ["faces.h5", *NET], ["embeddings.h5"]):
        found, err = compare(capsys, *source, *table, "--fmr", "0.1")
        assert {row["decision"] for row in found} == {"same"}
        assert "threshold -1 (FMR 10 % among 50 people, t.csv)" in err
        found, _ = compare(capsys, *source, *table, "--fmr", "0.01")
        assert {row["decision"] for row in found} == {"different"}
    _, err = compare(capsys, "album", *NET, *table, status=2)
    assert "t.csv: thresholds for FMR 0.1, 0.01" in err
    _, err = compare(capsys, "album", *NET, *table, "--fmr", "0.5", status=65)
    assert "no threshold for FMR 0.5, it has 0.1, 0.01" in err
    _, err = compare(
        capsys, "album", *NET, *table, "--fmr", "0.1", "--detector", "mtcnn", status=65
    )
    assert "t.csv: measured with model" in err


# --- rows of files -----------------------------------------------------------------------------


def test_files_say_the_same_as_photographs(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    photographs, _ = compare(capsys, "album", *NET)
    for words in (["faces.h5", *NET], ["embeddings.h5"], ["embeddings.h5", *NET]):
        rows, _ = compare(capsys, *words)
        assert rows[0]["one"] == "1001/01"
        scores = [[float(row["score"]) for row in table] for table in (photographs, rows)]
        np.testing.assert_allclose(*scores, atol=1e-5)


def test_rows_and_people(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole, _ = compare(capsys, "embeddings.h5")
    (row,), _ = compare(capsys, "embeddings.h5", "--rows", "3,1")
    assert (row["one"], row["other"]) == ("1002/02", "1001/02")
    same = {(one["one"], one["other"]): one["score"] for one in whole}
    assert row["score"] == same["1001/02", "1002/02"]
    (row,), _ = compare(capsys, "embeddings.h5", "--subject", "1002")
    assert (row["one"], row["other"]) == ("1002/01", "1002/02")


def test_embeddings_of_another_model(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = Path("net.toml").read_text().replace('"none"', '"mean"')
    Path("other.toml").write_text(other)
    Path("other.onnx").write_bytes(network())
    _, err = compare(capsys, "embeddings.h5", "-m", "other.onnx", status=65)
    assert "embeddings.h5: made by another model than other.onnx" in err


def test_own_models(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Normals and albedo: rows of faces are compared, photographs are refused."""
    write_faces(Path("faces.h5"), ["a", "b"], spoil=[1])
    write_model(Path("model.onnx"), Path("faces.h5"))
    rows, err = compare(capsys, "faces.h5", "-o", "out.png")
    assert len(rows) == 15
    assert {row["decision"] for row in rows} == {"", "missing"}
    assert sum(row["decision"] == "missing" for row in rows) == 5
    assert "a/s1: missing: " in err
    mated = [float(r["score"]) for r in rows if r["score"] and r["one"][0] == r["other"][0]]
    others = [float(r["score"]) for r in rows if r["score"] and r["one"][0] != r["other"][0]]
    assert min(mated) > max(others)
    cv2.imwrite("a.png", np.zeros((40, 40, 3), np.uint8))
    cv2.imwrite("b.png", np.zeros((40, 40, 3), np.uint8))
    _, err = compare(capsys, "a.png", "b.png", status=65)
    assert "model.onnx: reads normal, albedo, which photographs do not give" in err


def test_maps_are_aligned_by_the_contract(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_maps(Path("maps.h5"), ["a", "b"], faceless=[2])
    align = ["align", "--detector", "capture", "--size", "32", "-q", "-j1"]
    assert main(align) == 0
    write_model(Path("model.onnx"), Path("faces.h5"))
    maps, err = compare(capsys, "maps.h5", "--rows", "5,2,0")
    assert "a/s2: missing: 0 of 5 landmarks" in err
    faces, _ = compare(capsys, "faces.h5", "--rows", "4,0")
    assert [row["score"] for row in maps if row["score"]] == [faces[0]["score"]]
    assert [row["one"] for row in maps] == ["b/s2", "b/s2", "a/s2"]


# --- the picture -------------------------------------------------------------------------------


def test_the_picture(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, err = compare(capsys, "album", "noise.png", *NET, "-o", "out.png", "--threshold", "2")
    assert err.rstrip().endswith("-> out.png")
    plain = cv2.imread("out.png")
    compare(capsys, "album", "noise.png", *NET, "-o", "out.png", "--threshold", "-1", "-f")
    framed = cv2.imread("out.png")
    assert plain.shape == framed.shape
    assert (plain != framed).any()
    compare(capsys, "embeddings.h5", "-o", "rows.png")
    assert min(cv2.imread("rows.png").shape[:2]) > 300


def test_it_is_light(made: Path) -> None:
    code = (
        "import sys; from fr3d.cli import main; status = main(sys.argv[1:]);"
        "loaded = {'torch', 'pandas', 'scipy', 'timm'} & set(sys.modules);"
        "sys.exit(f'loaded {loaded}' if loaded else status)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "compare", "album", *NET, "-o", "out.png"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(HEAD + "\n")
