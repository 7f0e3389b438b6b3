import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from lit_sphere import AZIMUTH, ZENITH, photographs, write_capture

from fr3d.errors import MalformedInputError
from fr3d.geometry.lights import direction
from fr3d.photometric.capture import Capture, captures_of_folders, find_captures
from fr3d.photometric.exposure import ReadOptions, read_exposure, read_texts
from fr3d.photometric.survey import survey_captures
from fr3d.photometric.transfer import LINEAR

DIRECTIONS = direction(ZENITH, AZIMUTH)


def write_images(folder: Path, names: list[str], **how: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, image in zip(names, photographs(**how), strict=True):
        assert cv2.imwrite(str(folder / name), np.rint(image * 255).astype(np.uint8))


def write_diligent(folder: Path) -> Path:
    names = ["001.png", "002.png", "003.png", "010.png"]
    write_images(folder, names)
    (folder / "filenames.txt").write_text("\n".join(reversed(names)) + "\n")
    np.savetxt(folder / "light_directions.txt", DIRECTIONS[::-1])
    np.savetxt(folder / "light_intensities.txt", np.outer(np.arange(1, 5), [1, 2, 3]))
    mask = np.zeros((48, 48), np.uint8)
    mask[10:30, 10:40] = 255
    cv2.imwrite(str(folder / "mask.png"), mask)
    return folder


def write_yale(folder: Path, person: str = "yaleB07", pose: str = "P00") -> Path:
    angles = [(-35, 40), (35, 40), (35, -20), (-35, -20)]
    write_images(folder, [f"{person}_{pose}A{a:+04d}E{e:+03d}.pgm" for a, e in angles])
    cv2.imwrite(str(folder / f"{person}_{pose}_Ambient.pgm"), np.full((48, 48), 3, np.uint8))
    (folder / f"{person}_{pose}A+000E+00.pgm.bad").write_bytes(b"P5")
    return folder


def ids(captures: list[Capture]) -> list[tuple[str, str]]:
    return [(c.subject_id, c.session_id) for c in captures]


def test_an_object_of_diligent_is_one_session(tmp_path: Path) -> None:
    write_diligent(tmp_path / "bear")
    (capture,) = find_captures([tmp_path])
    assert (capture.layout, capture.problem) == ("diligent", "")
    assert ids([capture]) == [("bear", "diligent")]
    assert [p.stem for p in capture.images] == ["010", "003", "002", "001"]
    lights, _, _ = read_texts(capture)
    np.testing.assert_allclose(lights.directions, DIRECTIONS[::-1], atol=1e-12)
    np.testing.assert_allclose(lights.intensity[3], [4, 8, 12])
    exposure = read_exposure(capture, LINEAR)
    assert exposure.given_mask is not None
    assert exposure.given_mask.sum() == 600
    assert {p.name for p in capture.files} >= {"filenames.txt", "light_intensities.txt"}
    assert ids(find_captures([tmp_path / "bear"])) == ids([capture])
    assert ids(captures_of_folders([tmp_path / "bear"])) == ids([capture])


def test_whole_data_sets_given_one_level_too_high(tmp_path: Path) -> None:
    write_diligent(tmp_path / "pmsData" / "bear")
    write_yale(tmp_path / "CroppedYale" / "yaleB07")
    (tmp_path / "CroppedYale" / "yaleB07" / "thumbs").mkdir()
    assert ids(find_captures([tmp_path])) == [("bear", "diligent"), ("yaleB07", "P00")]
    assert ids(find_captures([tmp_path / "CroppedYale"])) == [("yaleB07", "P00")]


def test_what_is_missing_of_diligent_is_named(tmp_path: Path) -> None:
    folder = write_diligent(tmp_path / "bear")
    (folder / "002.png").unlink()
    assert find_captures([tmp_path])[0].problem == "002.png: missing, filenames.txt names it"
    (folder / "filenames.txt").unlink()
    (capture,) = find_captures([tmp_path], layout="diligent")
    assert capture.problem == "filenames.txt: missing"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("light_intensities.txt", "light_intensities.txt: missing"),
        ("light_directions.txt", "found no light file"),
    ],
)
def test_an_object_without_its_lights_is_rejected_alone(
    tmp_path: Path, name: str, reason: str
) -> None:
    (write_diligent(tmp_path / "bear") / name).unlink()
    write_diligent(tmp_path / "cat")
    bear, cat = find_captures([tmp_path])
    assert reason in bear.problem
    assert cat.problem == ""
    (tmp_path / "rig.txt").write_bytes((tmp_path / "cat" / "light_directions.txt").read_bytes())
    assert find_captures([tmp_path], tmp_path / "rig.txt")[0].problem == ""


@pytest.mark.parametrize("count", [3, 5])
def test_counts_of_diligent_must_agree(tmp_path: Path, count: int) -> None:
    folder = write_diligent(tmp_path / "bear")
    np.savetxt(folder / "light_intensities.txt", np.ones((count, 3)))
    (capture,) = find_captures([tmp_path])
    with pytest.raises(MalformedInputError, match=rf"intensities.txt: found {count} rows of 3"):
        read_texts(capture)


def test_a_person_of_yale_is_a_session_a_pose(tmp_path: Path) -> None:
    write_yale(tmp_path / "yaleB07")
    (capture,) = find_captures([tmp_path])
    assert (capture.layout, capture.problem, len(capture.ambient)) == ("yale", "", 1)
    assert ids([capture]) == [("yaleB07", "P00")]
    assert ids(captures_of_folders([tmp_path / "yaleB07"])) == [("yaleB07", "P00")]
    write_yale(tmp_path / "yaleB07", pose="P05")
    assert ids(find_captures([tmp_path])) == [("yaleB07", "P00"), ("yaleB07", "P05")]
    assert ids(find_captures([tmp_path / "yaleB07"])) == [("yaleB07", "P00"), ("yaleB07", "P05")]


def test_a_problem_of_one_pose_stays_with_it(tmp_path: Path) -> None:
    write_yale(tmp_path / "yaleB07")
    write_yale(tmp_path / "yaleB07", pose="P05")
    (tmp_path / "yaleB07" / "yaleB07_P05_Ambient.pgm").unlink()
    first, second = find_captures([tmp_path], ambient="*_Ambient.pgm")
    assert (first.problem, len(first.ambient)) == ("", 1)
    assert "missing, expected an ambient photograph" in second.problem


def test_a_layout_against_the_folders_own(tmp_path: Path) -> None:
    folder = write_diligent(tmp_path / "bear")
    (capture,) = find_captures([tmp_path], layout="plain")
    assert ids([capture]) == [("bear", "plain")]
    assert [p.stem for p in capture.images] == ["001", "002", "003", "010"]
    assert capture.beside == (folder / "light_intensities.txt",)


def test_lights_of_yale_stand_in_the_names(tmp_path: Path) -> None:
    write_yale(tmp_path / "yaleB07")
    (capture,) = find_captures([tmp_path])
    lights, _, _ = read_texts(capture)
    for path, (x, y, z) in zip(capture.images, lights.directions, strict=True):
        azimuth, elevation = map(int, path.stem.split("A")[-1].split("E"))
        a, e = np.deg2rad([azimuth, elevation])
        np.testing.assert_allclose(
            [x, y, z], [-np.cos(e) * np.sin(a), np.sin(e), np.cos(e) * np.cos(a)]
        )
    # positive azimuth is at image left, positive elevation above
    left = [lights.directions[i, 0] < 0 for i, p in enumerate(capture.images) if "A+035" in p.name]
    assert len(left) == 2
    assert all(left)


def test_sessions_of_yale_names(tmp_path: Path) -> None:
    write_yale(tmp_path / "anna" / "monday")
    write_yale(tmp_path / "anna" / "tuesday")
    captures = find_captures([tmp_path])
    assert ids(captures) == [("anna", "monday"), ("anna", "tuesday")]
    assert {c.layout for c in captures} == {"yale"}
    write_yale(tmp_path / "anna" / "tuesday", pose="P01")
    assert "found several poses" in find_captures([tmp_path])[1].problem


def test_an_ambient_photograph_of_another_size(tmp_path: Path) -> None:
    folder = write_yale(tmp_path / "yaleB07")
    cv2.imwrite(str(folder / "yaleB07_P00_Ambient.pgm"), np.zeros((9, 9), np.uint8))
    survey = survey_captures(find_captures([tmp_path]))
    assert (survey.usable, survey.unfit_ambient) == (1, 1)
    assert survey.captures[0].ambient == ()
    asked = survey_captures(find_captures([tmp_path], ambient="*_Ambient.pgm"))
    assert "_Ambient.pgm: found 9x9 pixels, expected 48x48" in asked.captures[0].problem


@pytest.mark.parametrize("place", ["file", "root", "own"])
def test_one_level_of_plain_folders(tmp_path: Path, place: str) -> None:
    root = tmp_path / "objects"
    for name in ("cat", "owl"):
        write_images(root / name, [f"{name}.{i}.png" for i in (0, 2, 10, 11)])
        cv2.imwrite(str(root / name / f"{name}.mask.png"), np.full((48, 48), 255, np.uint8))
    table = {"file": tmp_path, "root": root, "own": root / "cat"}[place] / "lights.npy"
    np.save(table, DIRECTIONS.T)
    if place == "own":
        shutil.copy(table, root / "owl")
    captures = find_captures([root], table if place == "file" else None)
    assert ids(captures) == [("cat", "plain"), ("owl", "plain")]
    assert [p.stem for p in captures[0].images] == ["cat.0", "cat.2", "cat.10", "cat.11"]
    assert captures[1].mask == root / "owl" / "owl.mask.png"
    np.testing.assert_allclose(read_texts(captures[0])[0].directions, DIRECTIONS, atol=1e-12)


def test_a_forced_layout(tmp_path: Path) -> None:
    folder = write_capture(tmp_path / "s" / "a")
    (folder / "LightSource.m").unlink()
    np.save(folder / "lights.npy", DIRECTIONS)
    assert find_captures([tmp_path])[0].problem == ""
    (forced,) = find_captures([tmp_path], layout="photoface")
    assert forced.problem == "LightSource.m: missing"
    (forced,) = find_captures([tmp_path], layout="yale")
    assert "no light in the name" in forced.problem


def test_lights_may_be_left_to_estimation(tmp_path: Path) -> None:
    folder = write_capture(tmp_path / "s" / "a")
    (folder / "LightSource.m").unlink()
    (capture,) = find_captures([tmp_path], estimate=True)
    assert (capture.problem, capture.lights, len(capture.images)) == ("", None, 4)
    exposure = read_exposure(capture, LINEAR, ReadOptions(estimate_lights=True))
    assert not exposure.lights.known


def test_a_missing_folder_of_a_list_is_a_problem_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_capture(tmp_path / "s" / "a")
    good, bad = captures_of_folders([folder, tmp_path / "s" / "b"])
    assert (good.problem, bad.problem) == ("", "no such file or directory")
    with pytest.raises(MalformedInputError, match="session s/a is also in"):
        captures_of_folders([folder, folder])
    monkeypatch.chdir(folder)
    assert ids(captures_of_folders([Path()])) == [("s", "a")]


def test_table_names_may_differ_in_their_suffix(tmp_path: Path) -> None:
    write_images(tmp_path / "s" / "a", [f"x_{i}.png" for i in range(4)])
    lines = [f"C:\\rti\\x_{i}.JPG {x} {y} {z}" for i, (x, y, z) in enumerate(DIRECTIONS)]
    (tmp_path / "s" / "a" / "dome.lp").write_text("\n".join(["4", *reversed(lines)]))
    (capture,) = find_captures([tmp_path])
    assert [p.name for p in capture.images] == [f"x_{i}.png" for i in (3, 2, 1, 0)]


def test_ambient_by_name_or_not_at_all(tmp_path: Path) -> None:
    folder = write_capture(tmp_path / "s" / "a", names="f{}", suffix="png")
    for name in ("ambient.png", "dark.png"):
        cv2.imwrite(str(folder / name), np.zeros((48, 48), np.uint8))
    (folder / "LightSource.m").rename(folder / "rig.m")
    (tmp_path / "lights.csv").write_text(
        "file,zenith,azimuth\nf0.png,30,0\nf1.png,30,90\nf2.png,30,180\n"
    )
    (by_name,) = find_captures([tmp_path])
    assert [p.name for p in by_name.ambient] == ["ambient.png"]
    (given,) = find_captures([tmp_path], ambient="DARK")
    assert [p.name for p in given.ambient] == ["dark.png"]
    (none,) = find_captures([tmp_path], ambient="")
    assert none.ambient == ()
    (missing,) = find_captures([tmp_path], ambient="noflash*")
    assert missing.problem == "noflash*: missing, expected an ambient photograph"


def test_real_folders(shared: Path) -> None:
    data = shared / "data"
    assert ids(find_captures([data / "diligent"])) == [("bear", "diligent"), ("cat", "diligent")]
    people = survey_captures(find_captures([data / "yale_b"]))
    assert (people.usable, people.canvas.lights, people.unfit_ambient) == (20, 64, 10)
    (face,) = find_captures([data / "cmu_ps_face"])
    with pytest.raises(MalformedInputError, match="all 7 lights stand behind the face"):
        read_texts(face)
    assert (read_texts(face, ReadOptions(flip_lights="yz"))[0].directions[:, 2] > 0.8).all()
