import cv2
import numpy as np
import pytest
from surfaces import face

from fr3d.geometry.contact_sheet import SheetRow, contact_sheet
from fr3d.geometry.picture_files import encode_png
from fr3d.geometry.pictures import (
    BACKGROUND,
    depth_picture,
    grey_picture,
    mask_picture,
    normal_picture,
    with_points,
)


def test_normals_show_their_direction():
    mask = np.array([[True, True, True, False]])
    normal = np.array([[[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0]]], dtype=np.float32)
    picture = normal_picture(normal, mask)[0].tolist()
    assert picture[0] == [255, 128, 128]
    assert picture[1] == [128, 255, 128]
    assert picture[2] == [128, 128, 255]
    assert picture[3] == [BACKGROUND] * 3


def test_near_is_yellow_and_far_is_violet():
    depth = np.array([[0.0, 5, 10, np.nan]], dtype=np.float32)
    far, _, near, outside = depth_picture(depth, np.ones((1, 4), bool))[0].astype(int)
    assert near[0] > 200
    assert near[1] > 200
    assert near[2] < 80
    assert far[2] > far[1]
    assert outside.tolist() == [BACKGROUND] * 3


def test_grey_is_stretched_inside_the_mask_only():
    albedo = np.linspace(0, 0.5, 100, dtype=np.float32).reshape(10, 10)
    albedo[0] = 1e6
    mask = np.ones((10, 10), bool)
    mask[0] = False
    picture = grey_picture(albedo, mask)
    assert picture[9, 9, 0] == 255
    assert picture[5, 0, 0] == pytest.approx(255 * 0.5 * 50 / 99 / 0.4955, abs=3)
    assert (picture[0] == BACKGROUND).all()
    assert grey_picture(np.full((2, 2), np.nan)).shape == (2, 2, 3)
    assert (grey_picture(np.full((2, 2), 0.5), limits=(0, 1)) == 128).all()


def test_points_are_drawn_and_unknown_ones_left_out():
    picture = mask_picture(np.zeros((30, 30), bool))
    marked = with_points(picture, np.array([[20, 5], [np.nan, 3]]))
    assert marked[5, 20, 0] > 100
    assert not picture.any()
    assert (marked.any(axis=2).nonzero()[0] < 10).all()


def test_a_sheet_places_each_picture_in_its_cell():
    red, tall = np.zeros((10, 10, 3), np.uint8), np.zeros((20, 10, 3), np.uint8)
    red[..., 0], tall[..., 1] = 255, 255
    rows = [SheetRow(["a", "1"], [red, None]), SheetRow(["b", "2"], [None, tall])]
    sheet = contact_sheet(rows, [["maps.h5", "normal"], ["maps.h5", "a very long heading"]], 32)
    height, width = sheet.shape[:2]
    reds = np.argwhere((sheet == [255, 0, 0]).all(axis=2))
    greens = np.argwhere((sheet == [0, 255, 0]).all(axis=2))
    # A frame of one pixel is drawn over each.
    assert len(reds) == 30 * 30
    assert len(greens) == 30 * 14
    assert reds[:, 0].max() < greens[:, 0].min()
    assert reds[:, 1].max() < greens[:, 1].min()
    assert (sheet[height - 40 :, : width // 3] < 128).any()
    decoded = cv2.imdecode(np.frombuffer(encode_png(sheet), np.uint8), cv2.IMREAD_COLOR)
    np.testing.assert_array_equal(decoded[..., ::-1], sheet)


def test_the_pictures_of_a_face_have_the_size_of_its_maps():
    maps = face()
    for picture in (
        normal_picture(maps.normal, maps.mask),
        depth_picture(maps.depth, maps.mask),
        grey_picture(maps.albedo, maps.mask),
        mask_picture(maps.mask),
    ):
        assert picture.shape == (*maps.mask.shape, 3)
        assert picture.dtype == np.uint8
