import numpy as np
import pytest
from lit_sphere import AZIMUTH, ZENITH, sphere_normals

from fr3d.errors import MalformedInputError
from fr3d.geometry.lights import direction
from fr3d.photometric.usable import Flashes, usable_flashes

LIGHTS = direction(ZENITH, AZIMUTH)
FIVE = np.concatenate([LIGHTS, [[0.0, 0.0, 1.0]]])


def five() -> tuple[np.ndarray, np.ndarray]:
    """Photographs of the sphere under the usual four lights and a frontal one, and its mask."""
    normal, mask = sphere_normals(size=48, radius=20)
    images = np.clip(np.einsum("lc,chw->lhw", FIVE, normal), 0, 1).astype(np.float32) * 0.8
    return images * mask, mask


def look(images: np.ndarray, mask: np.ndarray, lights: np.ndarray = FIVE) -> Flashes:
    return usable_flashes(images, images >= 0.995, lights, mask)


def test_good_photographs_are_kept() -> None:
    images, mask = five()
    found = look(images, mask)
    assert found.keep.all()
    assert (found.black, found.overexposed, found.reasons) == (0, 0, ())


def test_a_flash_that_did_not_fire_and_one_too_bright_are_left_out() -> None:
    images, mask = five()
    images[1] = 0.004
    assert look(images, mask).reasons == ("photograph 2 is black",)
    images[2][mask] = 1.0
    found = look(images, mask)
    assert found.keep.tolist() == [True, False, False, True, True]
    assert (found.black, found.overexposed) == (1, 1)


def test_too_few_left_names_the_photographs() -> None:
    images, mask = five()
    images[[0, 2]] = 0
    images[3] = 1.0
    with pytest.raises(MalformedInputError, match=r"photograph 1 is black; photograph 3 is black; "
                       r"photograph 4 is overexposed: 2 photographs remain"):  # fmt: skip
        look(images, mask)


def test_a_plane_of_lights_left_is_named() -> None:
    images, mask = five()
    flat = direction(np.array([30.0, 30, 0, 40, 40]), np.array([90.0, 270, 0, 0, 270]))
    images[3] = 0
    with pytest.raises(
        MalformedInputError, match=r"im3\.bmp is black: the lights of the remaining"
    ):
        usable_flashes(images, images > 2, flat, mask, [f"im{i}.bmp" for i in range(5)])


def test_a_light_behind_may_leave_the_face_dark() -> None:
    images, mask = five()
    lights = FIVE.copy()
    lights[4] = direction(np.array([110.0]), np.array([0.0]))[0]
    images[4] *= 0.01
    assert look(images, mask, lights).keep.all()
    images[4] = 0
    assert look(images, mask, lights).black == 1


def test_nothing_to_see() -> None:
    images, mask = five()
    with pytest.raises(MalformedInputError, match="mask is empty"):
        look(images, mask & False)
    with pytest.raises(MalformedInputError, match="nothing is lit"):
        look(images * 0, mask)
    with pytest.raises(MalformedInputError, match="all lights lie behind"):
        look(images, mask, FIVE * [1, 1, -1])
