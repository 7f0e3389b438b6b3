"""fr3d show as a user runs it."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from posed_faces import posed, poses, write_maps

from fr3d.artifacts.store import open_artifact
from fr3d.cli import main
from fr3d.errors import ExitStatus, MissingInputError, UsageError
from fr3d.evaluation.report.sheet import choose_sessions, parse_rows, session_sheet
from fr3d.geometry.maps import FaceMaps


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Maps with flashes of twelve sessions, and the faces made of them."""
    folder = tmp_path_factory.mktemp("show")
    faces = [posed(m) for m in poses(12)]
    raw = np.stack([[np.nan_to_num(f.image) * 200 * k for k in (0.2, 1)] for f in faces])
    write_maps(folder / "maps.h5", faces, raw=raw.clip(0, 255).astype(np.uint8))
    assert main(["align", str(folder / "maps.h5"), "-o", str(folder / "faces.h5"), "-q"]) == 0
    return folder


def test_maps_and_faces_on_one_sheet(files: Path, tmp_path: Path, capsys):
    output = tmp_path / "sheet.png"
    inputs = [str(files / "maps.h5"), str(files / "faces.h5")]
    assert main(["show", *inputs, "-o", str(output), "--rows", "0,3-4", "--tile", "40"]) == 0
    assert f"wrote {output}: 3 of 12 sessions" in capsys.readouterr().err
    sheet = cv2.imread(str(output))
    # Two flashes, six maps of the one file and six of the other; three lines and a heading.
    assert sheet.shape[1] // 44 >= 14
    assert sheet.shape[0] == 3 * 44 + 38
    assert sheet.std() > 30


def test_what_a_column_shows_does_not_depend_on_the_others(files: Path):
    maps, faces = (open_artifact(files / n) for n in ("maps.h5", "faces.h5"))
    keys = choose_sessions([maps], rows=[2])
    together = session_sheet([maps, faces], keys, 32)
    alone = session_sheet([maps], keys, 32)
    np.testing.assert_array_equal(together[38:, : alone.shape[1]], alone[38:])


def test_a_session_that_one_file_lacks_leaves_its_places_empty(files: Path, tmp_path: Path):
    write_maps(tmp_path / "one.h5", [posed(poses(1)[0])])
    maps, one = open_artifact(files / "maps.h5"), open_artifact(tmp_path / "one.h5")
    keys = choose_sessions([maps, one], rows=[0, 1])
    sheet = session_sheet([maps, one], keys, 32)
    alone = session_sheet([maps], keys, 32)
    first, second = sheet[38:70, alone.shape[1] :], sheet[74:, alone.shape[1] :]
    assert (first < 200).any()
    assert (second == 255).all()


def test_choosing_sessions(files: Path):
    maps = open_artifact(files / "maps.h5")
    keys = [(s, k) for s, k in zip(maps.subject_id, maps.session_id, strict=True)]
    assert choose_sessions([maps], limit=20) == keys
    spread = choose_sessions([maps], limit=3)
    assert [keys.index(k) for k in spread] == [0, 6, 11]
    assert [s for s, _ in choose_sessions([maps], subjects=["003"])] == ["003", "003"]
    assert choose_sessions([maps], rows=[4, 1]) == [keys[4], keys[1]]
    with pytest.raises(UsageError, match="no row 12, it has 12"):
        choose_sessions([maps], rows=[12])
    with pytest.raises(MissingInputError, match="no session of subject '999'"):
        choose_sessions([maps], subjects=["999"])


@pytest.mark.parametrize("text", ["x", "1-", "-3", "1,,2", "1.5"])
def test_rows_that_are_none(text: str):
    with pytest.raises(UsageError, match="is no row"):
        parse_rows(text)


@pytest.mark.parametrize(
    ("words", "status", "says"),
    [
        (["no.h5"], ExitStatus.MISSING, "no.h5: no such file"),
        (["maps.h5", "-o", "sheet.jpg"], ExitStatus.USAGE, "not a name for a picture"),
        (["maps.h5", "-o", "there.png"], ExitStatus.CANNOT_WRITE, "exists already"),
        (["maps.h5", "--rows", "99"], ExitStatus.USAGE, "no row 99"),
        (["maps.h5", "--as", "ply", "-o", "a.obj"], ExitStatus.USAGE, "not a name for ply"),
        (["maps.h5", "-o", "folder"], ExitStatus.USAGE, "a folder of what?"),
        (["maps.h5", "-o", "face.ply"], ExitStatus.USAGE, "a name for 12 sessions"),
        (["maps.h5", "-o", "{who}.ply"], ExitStatus.USAGE, "no field {who}"),
        (["maps.h5", "-o", "no/{subject}{session}.ply"], ExitStatus.CANNOT_WRITE, "no such folder"),
        (["maps.h5", "--as", "relit", "--light", "1"], ExitStatus.USAGE, "--light 1: no direction"),
        (["maps.h5", "--as", "relit", "--light", "0,0,0"], ExitStatus.USAGE, "no direction"),
        (
            ["maps.h5", "--as", "relit", "--light", "up"],
            ExitStatus.USAGE,
            "--light up: not numbers",
        ),
        (["maps.h5", "--as", "relit", "--light", "nan,1"], ExitStatus.USAGE, "no direction"),
        (
            ["maps.h5", "--as", "relit", "--light", "circle:40,0.5"],
            ExitStatus.USAGE,
            "whole number from 1 to",
        ),
        (["maps.h5", "--as", "relit", "--light", "circle:50,0"], ExitStatus.USAGE, "1 to 3600"),
        (["maps.h5", "--as", "relit", "--light", "circle:50,9999"], ExitStatus.USAGE, "1 to 3600"),
        (["maps.h5", "--as", "relit", "--light", "circle:181,4"], ExitStatus.USAGE, "0 to 180"),
        (["maps.h5", "--as", "relit", "--light", "-1,90"], ExitStatus.USAGE, "0 to 180 degrees"),
        (["maps.h5", "--light", "40,90"], ExitStatus.USAGE, "sheet shows no light"),
        (["maps.h5", "--as", "normal", "--light", "40,90"], ExitStatus.USAGE, "by --as relit"),
        (["maps.h5", "--rows", "5-2"], ExitStatus.USAGE, "--rows 5-2: '5-2' runs backwards"),
        (["maps.h5", "--rows", ""], ExitStatus.USAGE, "--rows '': '' is no row"),
        (["maps.h5", "-o", "-"], ExitStatus.USAGE, "-: pictures do not go to standard output"),
        (["maps.h5", "--as", "ply", "-o", "-"], ExitStatus.USAGE, "standard output"),
        (["maps.h5", "-o", "adir.png"], ExitStatus.USAGE, "adir.png: is a folder that exists"),
    ],
)
def test_bad_input(files: Path, tmp_path: Path, monkeypatch, capsys, words, status, says):
    monkeypatch.chdir(tmp_path)
    Path("maps.h5").symlink_to(files / "maps.h5")
    Path("there.png").write_bytes(b"mine")
    Path("adir.png").mkdir()
    assert main(["show", *words]) == status
    assert says in capsys.readouterr().err
    assert Path("there.png").read_bytes() == b"mine"
    assert not Path("sheet.png").exists()


def test_files_without_a_session_in_common_are_warned_of(files: Path, tmp_path: Path, capsys):
    write_maps(tmp_path / "b.h5", [posed(poses(1)[0])], subject_id=["other"])
    both = [str(files / "maps.h5"), str(files / "faces.h5")]
    assert main(["show", *both, "-o", str(tmp_path / "a.png")]) == 0
    assert "warning" not in capsys.readouterr().err
    assert main(["show", *both, str(tmp_path / "b.h5"), "-o", str(tmp_path / "b.png")]) == 0
    err = capsys.readouterr().err
    assert err.count("warning") == 1
    assert "b.h5: no session in common with the other files" in err


def test_lines_of_a_sheet_are_as_high_as_their_pictures(tmp_path: Path):
    one = posed(poses(1)[0])
    wide = FaceMaps(**{n: v[30:60] for n, v in one.present.items()}, mask=one.mask[30:60])
    confidence = np.linspace(0.9, 1.0, wide.mask.size, dtype=np.float32).reshape(wide.mask.shape)
    wide = replace(wide, confidence=confidence, landmarks=one.landmarks)
    artifact = open_artifact(write_maps(tmp_path / "wide.h5", [wide] * 3))
    tile = 192
    sheet = session_sheet([artifact], choose_sessions([artifact]), tile)
    height = round(tile * 30 / one.mask.shape[1])
    assert sheet.shape[0] == 38 + 3 * (height + 4)
    # From .9 to 1 the confidence changes colour, and nowhere looks like paper.
    names = [n for n in ("image", "normal", "albedo", "depth", "confidence") if n in artifact]
    left = sheet.shape[1] - (len(names) + 1 - names.index("confidence")) * (tile + 4)
    tile_colours = sheet[40 : 36 + height, left + 2 : left + tile - 2].reshape(-1, 3).astype(int)
    on_face = tile_colours[np.ptp(tile_colours, axis=1) > 60]
    assert len(on_face) > 500
    assert np.ptp(on_face[:, 0]) > 50
