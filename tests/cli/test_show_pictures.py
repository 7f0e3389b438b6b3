"""fr3d show as a user runs it: one picture, mesh or page of each session."""

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from posed_faces import posed, poses, write_maps

from fr3d.artifacts.provenance import Step
from fr3d.artifacts.rows import no_rows
from fr3d.artifacts.writer import write_artifact
from fr3d.cli import main
from fr3d.errors import ExitStatus, UsageError
from fr3d.evaluation.report.naming import name_files
from fr3d.evaluation.report.view_lights import parse_lights
from fr3d.geometry.coding import DepthCode, decode_depth, decode_normal
from fr3d.geometry.picture_files import read_meaning

FACES = [posed(m) for m in poses(4)]


@pytest.fixture(scope="module")
def maps(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(write_maps(tmp_path_factory.mktemp("maps") / "maps.h5", FACES))


def read_picture(path: Path) -> np.ndarray:
    picture = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert picture is not None, path
    return picture[..., ::-1] if picture.ndim == 3 else picture


def test_a_folder_of_normal_maps(maps: str, tmp_path: Path, capsys):
    folder = tmp_path / "normals"
    assert main(["show", maps, "--as", "normal", "--bits", "16", "-o", str(folder)]) == 0
    assert f"wrote normal to {folder}: 4 of 4 sessions" in capsys.readouterr().err
    names = ["001_s0.png", "001_s1.png", "002_s2.png", "002_s3.png"]
    assert sorted(p.name for p in folder.iterdir()) == names
    for name, face in zip(names, FACES, strict=True):
        normal = decode_normal(read_picture(folder / name))
        np.testing.assert_allclose(
            normal, np.where(face.mask[..., None], face.normal, 0), atol=1e-4
        )
    assert main(["show", maps, "--as", "normal", "-o", str(folder)]) == ExitStatus.CANNOT_WRITE
    down = ["--normal-frame", "y-down", "--force", "-o", str(folder)]
    assert main(["show", maps, "--as", "normal", *down]) == 0
    back = decode_normal(read_picture(folder / names[0]), y_down=True)
    assert np.abs(back - FACES[0].normal)[FACES[0].mask].max() < 0.01
    about = read_meaning((folder / names[0]).read_bytes())
    assert about["frame"] == "x right, y down, z towards the camera"
    assert (about["subject_id"], about["session_id"]) == ("001", "s0")


def test_depth_comes_back_in_pixels(maps: str, tmp_path: Path):
    output = tmp_path / "z.png"
    assert main(["show", maps, "--row", "2", "--as", "depth", "-o", str(output)]) == 0
    about = read_meaning(output.read_bytes())
    assert about["scale_mm"] == pytest.approx(0.8)
    depth = decode_depth(DepthCode(read_picture(output), about["step"]))
    face = FACES[2]
    np.testing.assert_array_equal(np.isfinite(depth), face.mask & np.isfinite(face.depth))
    assert np.nanmax(np.abs(depth - face.depth)) <= 1 / 512


def test_views_side_by_side_and_as_a_sequence(maps: str, tmp_path: Path, capsys):
    strip = tmp_path / "lit.png"
    lights = ["--light", "40,90", "--light", "-0.6428,0,0.766"]
    assert main(["show", maps, "--row", "0", "--as", "relit", *lights, "-o", str(strip)]) == 0
    picture = read_picture(strip)
    height, width = FACES[0].mask.shape
    assert picture.shape == (height, 2 * width)
    right, left = picture[:, :width].astype(int), picture[:, width:].astype(int)
    assert np.abs(right - left).max() > 60
    found = read_meaning(strip.read_bytes())["lights"]
    np.testing.assert_allclose(found, [[0.6428, 0, 0.766], [-0.6428, 0, 0.766]], atol=1e-4)

    words = ["--light", "circle:40,3", "-o", str(tmp_path / "turn_{light}.png")]
    assert main(["show", maps, "--row", "0", "--as", "shaded", *words]) == 0
    assert "turn_{light}.png: 3 files, 1 of 4 sessions" in capsys.readouterr().err
    frames = [read_picture(tmp_path / f"turn_{k:03d}.png") for k in range(3)]
    assert frames[0].shape == (height, width)
    assert np.abs(frames[0].astype(int) - frames[1]).max() > 30


def test_cast_shadows_only_darken(maps: str, tmp_path: Path):
    words = ["show", maps, "--row", "0", "--as", "relit", "--light", "80,90"]
    assert main([*words, "-o", str(tmp_path / "a.png")]) == 0
    assert main([*words, "--cast-shadows", "-o", str(tmp_path / "b.png")]) == 0
    free, cast = (read_picture(tmp_path / n).astype(int) for n in ("a.png", "b.png"))
    assert (cast <= free).all()
    assert (cast < free).mean() > 0.001


def test_albedo_in_sixteen_bits(maps: str, tmp_path: Path):
    output = tmp_path / "a.png"
    assert (
        main(["show", maps, "--row", "1", "--as", "albedo", "--bits", "16", "-o", str(output)]) == 0
    )
    assert read_picture(output).dtype == np.uint16
    assert len(np.unique(read_picture(output))) > 300


def test_an_obj_lies_beside_its_material_and_picture(maps: str, tmp_path: Path, capsys):
    output = tmp_path / "face.obj"
    assert main(["show", maps, "--row", "0", "-o", str(output)]) == 0
    assert f"wrote {output}: 1 of 4 sessions" in capsys.readouterr().err
    assert "mtllib face.mtl" in output.read_text()
    assert "map_Kd face_albedo.png" in (tmp_path / "face.mtl").read_text()
    (tmp_path / "face.obj").unlink()
    assert main(["show", maps, "--row", "0", "-o", str(output)]) == ExitStatus.CANNOT_WRITE
    assert not output.exists()
    assert read_picture(tmp_path / "face_albedo.png").shape == (*FACES[0].mask.shape, 3)


def test_a_ply_in_millimetres_by_default_name(maps: str, tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["show", maps, "--row", "3", "--as", "ply"]) == 0
    assert b"comment unit mm" in Path("002_s3_ply.ply").read_bytes()[:400]


def test_pages_and_pictures_are_the_same_twice(maps: str, tmp_path: Path):
    for kind, suffix in (("viewer", "html"), ("depth", "png"), ("obj", "obj")):
        files = [tmp_path / f"{k}" / f"a.{suffix}" for k in (0, 1)]
        for file in files:
            file.parent.mkdir(exist_ok=True)
            assert main(["show", maps, "--row", "0", "--as", kind, "-o", str(file)]) == 0
        assert files[0].read_bytes() == files[1].read_bytes()


def test_maps_that_lack_something(tmp_path: Path, capsys):
    bare = write_maps(tmp_path / "bare.h5", FACES[:1], drop=("depth",))
    for name in ("a.ply", "a.html"):
        assert main(["show", str(bare), "-o", str(tmp_path / name)]) == ExitStatus.MALFORMED
        assert "no map 'depth'" in capsys.readouterr().err
    empty = replace(FACES[0], mask=np.zeros_like(FACES[0].mask))
    nothing = write_maps(tmp_path / "nothing.h5", [empty])
    for name, says in (("a.ply", "too few pixels"), ("a.html", "nowhere known")):
        assert main(["show", str(nothing), "-o", str(tmp_path / name)]) == ExitStatus.MALFORMED
        assert says in capsys.readouterr().err
    assert main(["show", str(nothing), "--as", "relit", "-o", str(tmp_path / "r.png")]) == 0
    assert not list(tmp_path.glob("a.*"))
    both = write_maps(tmp_path / "both.h5", [empty, FACES[0]])
    assert main(["show", str(both), "--as", "ply", "-o", str(tmp_path / "some")]) == 0
    err = capsys.readouterr().err
    assert "warning: session 001/s0: too few pixels" in err
    assert "1 of 2 sessions" in err
    assert [p.name for p in (tmp_path / "some").iterdir()] == ["001_s1.ply"]


def test_ids_never_leave_the_folder(tmp_path: Path):
    keys = [("../../etc", "pass/wd"), (".", ".."), ("a b", "ü")]
    names = name_files("ply", tmp_path / "meshes", keys)
    assert all(name.parent == tmp_path / "meshes" for name in names)
    assert [name.name for name in names] == ["__.._etc_pass_wd.ply", "___.ply", "a_b_ü.ply"]
    with pytest.raises(UsageError, match="a name for 2 sessions"):
        name_files("ply", tmp_path / "meshes", [("a/b", "1"), ("a_b", "1")])


def test_a_pattern_may_name_folders(maps: str, tmp_path: Path):
    assert main(["show", maps, "-o", str(tmp_path / "{subject}" / "{session}.ply")]) == 0
    found = sorted(str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*.ply"))
    assert found == ["001/s0.ply", "001/s1.ply", "002/s2.ply", "002/s3.ply"]


def test_lights_as_they_are_written():
    np.testing.assert_allclose(parse_lights(["0,0"], "relit"), [[0, 0, 1]], atol=1e-12)
    np.testing.assert_allclose(parse_lights(["0,3,4"], "relit"), [[0, 0.6, 0.8]], atol=1e-12)
    circle = parse_lights(["circle:90,4"], "shaded")
    np.testing.assert_allclose(circle, [[0, 1, 0], [1, 0, 0], [0, -1, 0], [-1, 0, 0]], atol=1e-12)
    assert len(parse_lights([], "relit")) == 4
    assert len(parse_lights([], "shaded")) == 1


def test_a_page_holds_its_faces(maps: str, tmp_path: Path):
    output = tmp_path / "faces.html"
    assert main(["show", maps, "--rows", "0,2", "-o", str(output)]) == 0
    text = output.read_text()
    data = text.partition('<script type="application/json" id="faces">')[2].partition("</script>")
    faces = json.loads(data[0])["faces"]
    assert [(f["subject"], f["session"]) for f in faces] == [("001", "s0"), ("002", "s2")]
    assert faces[0]["scale_mm"] == pytest.approx(0.8)
    assert "<title>001 · s0 and 1 more" in text


def test_a_file_without_rows(tmp_path: Path, capsys):
    part = tmp_path / "empty.h5"
    write_artifact(part, "fr3d.maps", no_rows("fr3d.maps"), Step("ps-reconstruct", {}, {}))
    for name in ("a.png", "a.ply", "a.html"):
        assert main(["show", str(part), "-o", str(tmp_path / name)]) == ExitStatus.MISSING
        assert "empty.h5: no session to show" in capsys.readouterr().err


def test_ids_of_unlike_length_hold_no_zeros(tmp_path: Path):
    source = write_maps(tmp_path / "ids.h5", FACES[:2], subject_id=["1", "longer"])
    for name in ("a.html", "a.ply", "a.obj", "a.png"):
        kind = ["--as", "normal"] if name.endswith("png") else []
        output = tmp_path / name
        assert main(["show", str(source), "--row", "0", *kind, "-o", str(output)]) == 0
        if not name.endswith(("ply", "png")):
            assert "\0" not in output.read_text()
    assert "<title>1 · s0" in (tmp_path / "a.html").read_text()
    assert b"comment 1/s0\n" in (tmp_path / "a.ply").read_bytes()
    assert read_meaning((tmp_path / "a.png").read_bytes())["subject_id"] == "1"
