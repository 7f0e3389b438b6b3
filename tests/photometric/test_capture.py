import shutil
from pathlib import Path

import pytest
from lit_sphere import light_source, write_capture

from fr3d.errors import MalformedInputError, MissingInputError
from fr3d.photometric.capture import Capture, find_captures
from fr3d.photometric.survey import survey_captures


def only(root: Path, lights: Path | None = None) -> Capture:
    (capture,) = find_captures([root], lights)
    return capture


@pytest.mark.parametrize("suffix", ["bmp", "png", "pgm", "tiff", "BMP"])
def test_photoface_in_any_format(tmp_path: Path, suffix: str) -> None:
    write_capture(tmp_path / "1001" / "a", suffix=suffix, colour=suffix != "pgm")
    capture = only(tmp_path)
    assert not capture.problem
    assert [p.name for p in capture.images] == [f"im{i}.{suffix}" for i in range(4)]
    assert (capture.subject_id, capture.session_id) == ("1001", "a")
    assert survey_captures([capture]).canvas.lights == 4


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("LightSource.m", "Lightsource.m"),
        ("LightSource.m", "LIGHTSOURCE.M"),
        ("metadataII.txt", "metadatall.txt"),
        ("metadataII.txt", "MetaDataII.TXT"),
        ("metadata.txt", "METADATA.txt"),
        ("im0.bmp", "IM0.BMP"),
    ],
)
def test_names_are_matched_whatever_their_case(tmp_path: Path, before: str, after: str) -> None:
    folder = write_capture(tmp_path / "1001" / "a")
    (folder / before).rename(folder / after)
    capture = only(tmp_path)
    assert not capture.problem
    assert {p.name for p in capture.files} == {p.name for p in folder.iterdir()}


def test_order_is_numeric_and_sessions_are_sorted(tmp_path: Path) -> None:
    for name in ("b", "a"):
        write_capture(tmp_path / "s2" / name)
    write_capture(tmp_path / "s1" / "z")
    folder = tmp_path / "s2" / "a"
    for i in range(4, 12):
        shutil.copy(folder / "im0.bmp", folder / f"im{i}.bmp")
    captures = find_captures([tmp_path])
    assert [(c.subject_id, c.session_id) for c in captures] == [
        ("s1", "z"),
        ("s2", "a"),
        ("s2", "b"),
    ]
    assert [p.stem for p in captures[1].images] == [f"im{i}" for i in range(12)]


@pytest.mark.parametrize("place", [".", "..", "../.."])
def test_plain_folders_take_the_nearest_table(tmp_path: Path, place: str) -> None:
    folder = write_capture(tmp_path / "007" / "a", names="flash_{}", suffix="png")
    (folder / "LightSource.m").unlink()
    table = (folder / place).resolve() / "Lights.csv"
    table.write_text("file,zenith,azimuth\nflash_2.png,1,2\nflash_0.png,3,4\nFLASH_1.png,5,6\n")
    capture = only(tmp_path)
    assert [p.name for p in capture.images] == ["flash_2.png", "flash_0.png", "flash_1.png"]
    assert capture.lights == table
    table.write_text("zenith,azimuth\n1,2\n3,4\n5,6\n7,8\n")
    capture = only(tmp_path)
    assert [p.name for p in capture.images] == [f"flash_{i}.png" for i in range(4)]


def test_one_light_file_for_all(tmp_path: Path) -> None:
    folder = write_capture(tmp_path / "raw" / "007" / "a", names="flash_{}", suffix="png")
    (folder / "LightSource.m").unlink()
    rig = tmp_path / "rig.m"
    rig.write_text(light_source())
    capture = only(tmp_path / "raw", rig)
    assert not capture.problem
    assert capture.lights == rig


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        (["im2.bmp"], "im2: missing, found 3 of 4 photographs"),
        (["LightSource.m"], r"found no light file: no LightSource\.m, no lights\.csv"),
        ([f"im{i}.bmp" for i in range(4)], "found no photographs, only 3 other files"),
    ],
)
def test_problems_stay_with_their_session(tmp_path: Path, names: list[str], reason: str) -> None:
    write_capture(tmp_path / "s" / "good")
    folder = write_capture(tmp_path / "s" / "bad")
    for name in names:
        (folder / name).unlink()
    bad, good = find_captures([tmp_path])
    assert not good.problem
    with pytest.raises(MalformedInputError, match=reason):
        raise MalformedInputError(bad.problem)


def test_doubles_are_refused_by_session(tmp_path: Path) -> None:
    folder = write_capture(tmp_path / "s" / "a")
    shutil.copy(folder / "im1.bmp", folder / "IM1.png")
    assert only(tmp_path).problem == "im1.bmp and IM1.png: found both, expected one"
    (folder / "IM1.png").unlink()
    shutil.copy(folder / "LightSource.m", folder / "lightsource.m")
    assert "found both" in only(tmp_path).problem


def test_a_listed_photograph_is_missing(tmp_path: Path) -> None:
    folder = write_capture(tmp_path / "s" / "a", names="f{}")
    (folder / "LightSource.m").unlink()
    (folder / "lights.csv").write_text("file,x,y,z\nf9.bmp,0,0,1\n")
    assert only(tmp_path).problem == "f9.bmp: missing, lights.csv names it"
    (folder / "lights.csv").write_text("file,x,y,z\n../../x.bmp,0,0,1\n")
    assert "missing" in only(tmp_path).problem


def test_two_sessions_of_one_name_are_refused(tmp_path: Path) -> None:
    for root in ("one", "two"):
        write_capture(tmp_path / root / "007" / "a")
    with pytest.raises(MalformedInputError, match="session 007/a is also in"):
        find_captures([tmp_path / "one", tmp_path / "two"])


def test_roots_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(MissingInputError, match="no such folder"):
        find_captures([tmp_path / "none"])
    (tmp_path / "file").write_text("")
    with pytest.raises(MissingInputError, match="not a folder"):
        find_captures([tmp_path / "file"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(MalformedInputError, match="found no captures"):
        find_captures([tmp_path / "empty"])


def test_a_subject_or_a_session_given_for_the_root(tmp_path: Path) -> None:
    write_capture(tmp_path / "007" / "a")
    for root in (tmp_path / "007", tmp_path / "007" / "a"):
        capture = only(root)
        assert (capture.subject_id, capture.session_id, capture.problem) == ("007", "a", "")


def test_photographs_without_lights_where_subjects_are_expected(tmp_path: Path) -> None:
    folder = write_capture(tmp_path / "007" / "a")
    (folder / "LightSource.m").unlink()
    with pytest.raises(MalformedInputError, match="holds photographs where session") as caught:
        find_captures([tmp_path / "007"])
    assert "the folder above" in caught.value.hint


def test_photographs_without_lights_do_not_end_the_others(tmp_path: Path) -> None:
    write_capture(tmp_path / "1001" / "a")
    folder = write_capture(tmp_path / "cat", names="cat{}", suffix="png")
    (folder / "LightSource.m").unlink()
    good, bad = find_captures([tmp_path])
    assert (good.subject_id, good.problem, bad.subject_id) == ("1001", "", "cat")
    assert "found no light file: no LightSource.m, no lights.csv" in bad.problem
    (tmp_path / "1001" / "a" / "im0.bmp").unlink()
    with pytest.raises(MalformedInputError, match="cat: holds photographs where session"):
        find_captures([tmp_path])


@pytest.mark.parametrize("names", [("a.lp", "b.lp"), ("lights.csv", "sources.npy")])
def test_light_files_of_one_rank_are_refused(tmp_path: Path, names: tuple[str, str]) -> None:
    write_capture(tmp_path / "s" / "good")
    folder = write_capture(tmp_path / "s" / "twice", names="f{}")
    (folder / "LightSource.m").unlink()
    for name in names:
        (folder / name).touch()
    good, twice = find_captures([tmp_path])
    assert good.problem == ""
    assert f"{names[0]} and {names[1]}: found both, expected one" in twice.problem


def test_the_first_rank_of_light_files_decides(tmp_path: Path) -> None:
    folder = write_capture(tmp_path / "s" / "a", names="f{}")
    for name in ("x.csv", "x.json", "x.m", "x.npy", "x.lp", "lights.lp"):
        (folder / name).write_text("4\n" + "".join(f"f{i}.bmp 0 {i} 1\n" for i in range(4)))
    for name in ("LightSource.m", "lights.lp", "x.lp"):
        assert only(tmp_path).lights == folder / name
        (folder / name).unlink()
    with pytest.raises(MalformedInputError, match="found no light file"):
        raise MalformedInputError(only(tmp_path).problem)


def test_photographs_too_small_to_show_anything(tmp_path: Path) -> None:
    write_capture(tmp_path / "s" / "least", size=16)
    write_capture(tmp_path / "s" / "tiny", size=15)
    least, tiny = survey_captures(find_captures([tmp_path])).captures
    assert least.problem == ""
    assert tiny.problem == "im0.bmp: found 15x15 pixels, expected at least 16 a side"


def test_a_root_too_high_is_named(tmp_path: Path) -> None:
    write_capture(tmp_path / "raw" / "007" / "a")
    with pytest.raises(
        MalformedInputError, match=r"only further down, as in .*raw/007/a"
    ) as caught:
        find_captures([tmp_path])
    assert caught.value.hint.endswith("raw")


def test_hidden_folders_are_passed_over(tmp_path: Path) -> None:
    write_capture(tmp_path / "s" / "a")
    write_capture(tmp_path / "s" / ".b.part")
    write_capture(tmp_path / ".cache" / "a")
    assert only(tmp_path).session_id == "a"


def test_survey_fixes_the_canvas(tmp_path: Path) -> None:
    write_capture(tmp_path / "s" / "small", size=30)
    write_capture(tmp_path / "s" / "large", size=60)
    write_capture(tmp_path / "s" / "middle", size=45)
    broken = write_capture(tmp_path / "s" / "mixed")
    shutil.copy(tmp_path / "s" / "small" / "im1.bmp", broken / "im1.bmp")
    survey = survey_captures(find_captures([tmp_path]))
    assert (survey.canvas.height, survey.canvas.width, survey.usable) == (60, 60, 3)
    assert [c.session_id for c in survey.mostly_padding] == ["small"]
    assert survey.captures[2].problem == "im1.bmp: found 30x30 pixels, expected 48x48 as im0.bmp"
    again = survey_captures(find_captures([tmp_path]), size=20)
    assert (again.canvas.height, again.mostly_padding) == (20, ())
    assert again.digest == survey.digest
    (broken / "im2.bmp").unlink()
    assert survey_captures(find_captures([tmp_path])).digest != survey.digest
