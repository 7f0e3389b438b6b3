import numpy as np
import pytest
from drawn_faces import write_face_table

from fr3d.errors import MalformedInputError, MissingInputError, UsageError
from fr3d.training.landmarks.pictures import load_pictures
from fr3d.training.landmarks.table import read_face_table, split_groups


def test_a_table_is_read_with_pictures_beside_it_or_in_images(tmp_path):
    path = write_face_table(tmp_path, 4)
    (tmp_path / "images" / "1.png").rename(tmp_path / "1.png")
    table = read_face_table(path, "clip")
    assert [p.parent.name for p in table.images][:3] == ["images", tmp_path.name, "images"]
    assert table.groups == ("clip0", "clip0", "clip1", "clip1")
    assert table.points.shape == (4, 5, 2)
    pictures, digest = load_pictures(table)
    assert pictures[2].shape == (96, 96, 3)
    assert len(digest) == 64


def test_without_a_group_each_picture_is_its_own(tmp_path):
    path = write_face_table(tmp_path, 3)
    assert read_face_table(path).groups == ("0.png", "1.png", "2.png")


def test_points_named_from_the_persons_side_are_put_right(tmp_path):
    path = write_face_table(tmp_path, 2)
    table = read_face_table(path)
    text = (
        path.read_text().replace("eye_image_left", "?").replace("eye_image_right", "eye_image_left")
    )
    path.write_text(text.replace("?", "eye_image_right"))
    assert np.array_equal(read_face_table(path).points, table.points)


def test_the_digest_knows_each_pixel(tmp_path):
    path = write_face_table(tmp_path, 3)
    before = load_pictures(read_face_table(path))[1]
    assert load_pictures(read_face_table(path))[1] == before
    picture = (tmp_path / "images" / "0.png").read_bytes()
    (tmp_path / "images" / "1.png").write_bytes(picture)
    assert load_pictures(read_face_table(path))[1] != before


@pytest.mark.parametrize(
    ("cells", "kind", "says"),
    [
        ({"image": "lost.png"}, MissingInputError, "no image 'lost.png'"),
        ({"image": "../away.png"}, MalformedInputError, "below the table's folder"),
        ({"image": "/etc/passwd"}, MalformedInputError, "below the table's folder"),
        ({"image": ""}, MalformedInputError, "below the table's folder"),
        ({"nose_tip_x": "north"}, MalformedInputError, "could not convert"),
        ({"nose_tip_x": "nan"}, MalformedInputError, "not finite"),
        ({"nose_tip_x": ""}, MalformedInputError, "could not convert"),
        ({"eye_image_left_x": "60", "eye_image_right_x": "61"}, MalformedInputError, "eyes are"),
    ],
)
def test_bad_rows(tmp_path, cells, kind, says):
    if "eye_image_left_x" in cells:
        cells = cells | {"eye_image_left_y": "40", "eye_image_right_y": "40"}
    path = write_face_table(tmp_path, 3, {1: cells})
    with pytest.raises(kind, match=says) as caught:
        read_face_table(path)
    assert "faces.csv" in caught.value.message


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda t: t.replace("nose_tip_x", "nose"), "no column 'nose_tip_x'"),
        (lambda t: t.splitlines()[0] + "\n", "no faces in it"),
        (lambda t: "", "it is empty"),
    ],
)
def test_bad_tables(tmp_path, change, says):
    path = write_face_table(tmp_path, 3)
    path.write_text(change(path.read_text()))
    with pytest.raises(MalformedInputError, match=says):
        read_face_table(path)


def test_a_picture_in_two_groups_is_refused(tmp_path):
    path = write_face_table(tmp_path, 6, {5: {"image": "0.png"}})
    with pytest.raises(MalformedInputError, match=r"0\.png is in two groups, 'clip0' and 'clip2'"):
        read_face_table(path, "clip")
    assert len(read_face_table(path).images) == 6


def test_a_table_or_group_that_is_not_there(tmp_path):
    with pytest.raises(MissingInputError, match=r"lost\.csv"):
        read_face_table(tmp_path / "lost.csv")
    with pytest.raises(MalformedInputError, match="no column 'person'"):
        read_face_table(write_face_table(tmp_path, 2), "person")


def test_points_outside_their_picture(tmp_path):
    path = write_face_table(tmp_path, 3, {2: {"mouth_image_right_x": "96.2"}})
    with pytest.raises(MalformedInputError, match=r"2\.png: point \(96.2, .*outside its picture"):
        load_pictures(read_face_table(path))


@pytest.mark.parametrize("damage", [lambda d: d[: len(d) // 2], lambda d: b"text", lambda d: b""])
@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_damaged_pictures(tmp_path, damage, suffix):
    import cv2

    path = write_face_table(tmp_path, 3, {1: {"image": f"one.{suffix}"}})
    file = tmp_path / "images" / f"one.{suffix}"
    cv2.imwrite(str(file), np.random.default_rng(0).integers(0, 255, (96, 96, 3), np.uint8))
    load_pictures(read_face_table(path))
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(MalformedInputError, match="one"):
        load_pictures(read_face_table(path))


@pytest.mark.parametrize("share", [0.2, 0.5])
def test_no_group_is_on_both_sides(share):
    groups = [f"clip{n}" for n in np.random.default_rng(0).integers(0, 40, 300)]
    train, val = split_groups(groups, share, seed=3)
    assert sorted([*train, *val]) == list(range(300))
    sides = [{groups[row] for row in rows} for rows in (train, val)]
    assert not sides[0] & sides[1]
    assert len(sides[1]) == round(share * len(set(groups)))
    # The order of the rows changes nothing, another seed does.
    back = split_groups(groups[::-1], share, seed=3)[1]
    assert {groups[::-1][row] for row in back} == sides[1]
    assert {groups[row] for row in split_groups(groups, share, seed=4)[1]} != sides[1]


def test_a_side_without_faces_is_refused_unless_asked_for():
    with pytest.raises(UsageError, match="leaves one side empty"):
        split_groups(["a", "b"], 0.2, 0)
    with pytest.raises(UsageError, match="leaves one side empty"):
        split_groups(["a"], 0.6, 0)
    train, val = split_groups(["a", "b"], 0.0, 0)
    assert (len(train), len(val)) == (2, 0)
