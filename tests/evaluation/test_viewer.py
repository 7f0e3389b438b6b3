"""The page in which a visitor turns a face, in a real browser without any network."""

import base64
import re
import zlib
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from itertools import count
from pathlib import Path
from urllib.parse import parse_qs

import numpy as np
import pytest
from chromium import Page, browser
from posed_faces import posed, poses
from surfaces import face

from fr3d.evaluation.report.drawing import Session
from fr3d.evaluation.report.viewer.packing import pack_face
from fr3d.evaluation.report.viewer.page import viewer_page
from fr3d.geometry.coding import encode_normal
from fr3d.geometry.lights import direction
from fr3d.geometry.maps import FaceMaps

NASTY = (
    "</title></script><script>window.hacked=1</script>"
    '<!--<script><img src=x onerror="window.hacked=1">%%faces%%'
)
DRAWN = "document.documentElement?.dataset.state === 'drawn'"
NUMBERS = count()
# The middle of the drawing: the panel takes 300 of 900 pixels.
MIDDLE = (300, 250)


def sessions() -> list[Session]:
    lights = direction([40, 40, 40], [0, 120, 240])
    coloured = face()
    colour = np.repeat(coloured.albedo[..., None], 3, axis=2) * (1.0, 0.7, 0.5)
    return [
        Session("001", "s1", posed(poses(1)[0]), 0.8, lights),
        Session(NASTY, "s&2", replace(coloured, albedo=colour.astype(np.float32))),
        Session("003", "bare", replace(face(), albedo=None, normal=None)),
    ]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("viewer") / "faces.html"
    file.write_text(viewer_page(sessions(), direction(35, 315)))
    return file.as_uri()


@pytest.fixture(scope="module")
def tab() -> Iterator[Page]:
    with browser() as page:
        yield page


def state(tab: Page) -> dict[str, str]:
    """The address once it has been brought up to date."""
    tab.run("window.__old = location.hash")
    tab.run("window.__later = 0; setTimeout(() => { window.__later = 1 }, 400)")
    tab.wait("window.__later === 1")
    return {k: v[0] for k, v in parse_qs(tab.run("location.hash.slice(1)")).items()}


def go(tab: Page, address: str, words: str, afresh: bool = False) -> np.ndarray:
    """Show a state of the page; the drawing alone, without the panel."""
    if afresh or not tab.run("location.href").startswith(address):
        tab.open("about:blank", "location.href === 'about:blank'")
        tab.open(f"{address}#{words}", DRAWN)
    else:
        # The listener of the page came first, so by then it has begun to load.
        heard = "window.__heard = 0; addEventListener('hashchange', () => { window.__heard = 1 })"
        tab.run(heard)
        # A state that is there already would not be announced without the number.
        tab.run(f"location.hash = '{words}&n={next(NUMBERS)}'")
        tab.wait("window.__heard === 1")
        tab.wait(DRAWN)
    return drawing(tab)


def drawing(tab: Page) -> np.ndarray:
    return tab.picture()[:, :600].astype(int)


def test_a_lit_face_and_a_light_that_moves(tab: Page, address: str):
    left = go(tab, address, "light=60,270&show=clay")
    paper = left[5, 5]
    on_face = np.abs(left - paper).sum(axis=2) > 30
    assert 0.15 < on_face.mean() < 0.8
    assert on_face[200:300, 250:350].mean() > 0.95
    right = go(tab, address, "light=60,90&show=clay")
    assert (np.abs(right - left).max(axis=2)[on_face] > 20).mean() > 0.3
    # Light from the left makes the left half of the hill the brighter one, and the reverse.
    halves = [(p[200:300, 220:290].mean() - p[200:300, 310:380].mean()) for p in (left, right)]
    assert halves[0] > 10
    assert halves[1] < -10


def test_what_is_seen_is_what_the_maps_say(tab: Page, address: str):
    """The middle of the face in normal colours, against the map itself."""
    seen = go(tab, address, "face=0&show=normal")[MIDDLE[1], MIDDLE[0]] / 255 * 2 - 1
    maps = sessions()[0].maps
    rows, columns = np.nonzero(maps.mask)
    row, column = (rows.min() + rows.max()) // 2, (columns.min() + columns.max()) // 2
    normals = maps.normal[row - 3 : row + 4, column - 3 : column + 4].reshape(-1, 3)
    assert np.abs(normals - seen).max(axis=1).min() < 0.03
    # The back of a triangle is drawn grey: none may be seen from the front.
    picture = go(tab, address, "face=0&show=normal&light=90,0") / 255 * 2 - 1
    length = np.linalg.norm(picture[180:320, 230:370], axis=2)
    assert np.quantile(np.abs(length - 1), 0.99) < 0.03


def test_modes_and_shading(tab: Page, address: str):
    pictures = [go(tab, address, f"show={s}") for s in ("albedo", "normal", "clay", "depth")]
    pictures.append(go(tab, address, "show=clay&wire=1"))
    for k, one in enumerate(pictures):
        for other in pictures[:k]:
            assert (np.abs(one - other).max(axis=2) > 10).mean() > 0.05
    coloured = go(tab, address, "face=1&light=0,0")[220:280, 250:350].mean(axis=(0, 1))
    assert coloured[0] > coloured[1] + 10 > coloured[2] + 20
    go(tab, address, "show=depth")
    key = tab.run("document.getElementById('key').textContent")
    low, high, unit = re.findall(r"from (\S+) to (\S+) (\w+)", key)[0]
    depth = sessions()[0].maps.depth
    assert (float(low), unit) == (pytest.approx(0.8 * np.nanmin(depth), abs=0.06), "mm")
    assert float(high) == pytest.approx(0.8 * np.nanmax(depth), abs=0.06)
    assert "2023" not in tab.run("document.body.innerText")
    go(tab, address, "face=2")
    assert tab.run("document.getElementById('who').textContent") == "003 · bare"


def test_cast_shadows_fall_as_in_pictures(tab: Page, tmp_path: Path):
    """A ridge under a low light from the right: dark to its left, as far as it should be."""
    columns = np.tile(np.arange(80.0), (80, 1))
    depth = np.where(np.abs(columns - 40) < 3, 10.0, 0.0)
    file = tmp_path / "ridge.html"
    maps = FaceMaps(mask=np.ones(depth.shape, bool), depth=depth)
    file.write_text(viewer_page([Session("1", "2", maps)], direction(63.435, 90), jump=100.0))
    free = go(tab, file.as_uri(), "show=clay&fill=0")
    cast = go(tab, file.as_uri(), "show=clay&fill=0&shadows=1")
    dark = ((free - cast).min(axis=2) > 40)[250]
    assert not dark[300:].any()
    # tan(63.435 degrees) = 2, so 10 of height throw 20 of the 80 pixels that the sheet spans. The
    # soft edge takes 1.5 of them, and the wall itself is dark without any cast shadow.
    sheet = np.nonzero(np.abs(free[250] - free[5, 5]).max(axis=1) > 30)[0]
    assert dark.sum() / (np.ptp(sheet) + 1) == pytest.approx(17.5 / 80, abs=0.04)


def test_hand_and_keys(tab: Page, address: str):
    go(tab, address, "")
    tab.drag((300, 300), (360, 280))
    yaw, pitch = map(float, state(tab)["turn"].split(","))
    assert yaw == pytest.approx(-27)
    assert pitch == pytest.approx(-9)
    tab.key("0")
    tab.drag((300, 300), (440, 250), shift=True)
    after = state(tab)
    assert after["turn"] == "0,0"
    zenith, azimuth = map(float, after["light"].split(","))
    assert azimuth == pytest.approx(90, abs=1)
    assert zenith == pytest.approx(np.rad2deg(np.arcsin(140 / 220)), abs=1)
    # The lamp has gone along, and can be taken hold of there.
    tab.drag((440, 250), (300, 150))
    zenith, azimuth = map(float, state(tab)["light"].split(","))
    assert min(azimuth, 360 - azimuth) < 1
    tab.drag((300, 250), (300, 250), shift=True)
    assert float(state(tab)["light"].split(",")[0]) < 1
    go(tab, address, "light=30,0")
    tab.key("ArrowRight", shift=True)
    assert 1 < float(state(tab)["light"].split(",")[1]) < 30
    for key in ("ArrowLeft", "3", "s", "w", "r", "]", "+"):
        tab.key(key)
    after = state(tab)
    assert after["turn"] == "5,0"
    assert [after[k] for k in ("show", "shadows", "wire", "relief", "face")] == [
        "clay",
        "1",
        "1",
        "1",
        "1",
    ]
    assert float(after["zoom"]) == pytest.approx(1.1)


def test_controls_of_the_panel(tab: Page, address: str):
    go(tab, address, "")
    assert tab.run("document.querySelectorAll('#flashes button').length") == 3
    tab.run("document.querySelectorAll('#flashes button')[1].click()")
    assert state(tab)["light"] == "40,120"
    unnamed = tab.run(
        "[...document.querySelectorAll('input,select,button')].filter(e => !(e.labels?.length"
        " || e.getAttribute('aria-label') || e.textContent.trim())).length"
    )
    assert unnamed == 0
    tab.run("document.getElementById('after').click()")
    tab.wait("document.getElementById('who').textContent.endsWith('s&2')")
    assert tab.run("document.getElementById('flashes').hidden") is True


def test_many_lights_of_a_capture_are_a_list(tab: Page, tmp_path: Path):
    file = tmp_path / "many.html"
    lights = direction(np.full(24, 40.0), np.arange(24) * 15.0)
    file.write_text(viewer_page([replace(sessions()[0], lights=lights)], direction(35, 315)))
    go(tab, file.as_uri(), "")
    assert tab.run("document.querySelectorAll('#flashes button').length") == 0
    choice = "document.querySelector('#flashes select')"
    assert tab.run(f"{choice}.value") == ""
    tab.run(f"{choice}.value = 7; {choice}.dispatchEvent(new Event('change'))")
    zenith, azimuth = map(float, state(tab)["light"].split(","))
    assert (zenith, azimuth) == (pytest.approx(40, abs=0.02), pytest.approx(105, abs=0.02))
    assert tab.run(f"{choice}.value") == "7"
    assert tab.run(f"{choice}.getBoundingClientRect().height") < 40
    go(tab, file.as_uri(), "light=10,0")
    assert tab.run(f"{choice}.value") == ""


def test_ids_are_text_and_nothing_else(tab: Page, address: str):
    go(tab, address, "face=1", afresh=True)
    assert tab.run("window.hacked") is None
    assert tab.run("document.getElementById('who').textContent") == f"{NASTY} · s&2"
    assert tab.run("document.scripts.length") == 3
    assert tab.run("document.images.length") == 0
    assert tab.run("document.title").startswith(NASTY)


def test_nothing_is_loaded_and_nothing_is_wrong(tab: Page, address: str):
    tab.events.clear()
    go(tab, address, "shadows=1", afresh=True)
    asked = [
        e["params"]["request"]["url"]
        for e in tab.events
        if e.get("method") == "Network.requestWillBeSent"
    ]
    assert [u.partition("#")[0] for u in asked if not u.startswith(("about:", "blob:"))] == [
        address
    ]
    wrong = [e for e in tab.events if e.get("method") == "Runtime.exceptionThrown"]
    wrong += [
        e
        for e in tab.events
        if e.get("method") == "Log.entryAdded" and e["params"]["entry"]["level"] == "error"
    ]
    assert not wrong


def test_dark_and_small(tab: Page, address: str):
    light = go(tab, address, "")[5, 5]
    features = [{"name": "prefers-color-scheme", "value": "dark"}]
    tab.ask("Emulation.setEmulatedMedia", features=features)
    dark = drawing(tab)[5, 5]
    assert light.min() > 200
    assert dark.max() < 60
    tab.ask("Emulation.setEmulatedMedia", features=[])
    tab.resize(360, 640, mobile=True)
    picture = go(tab, address, "")
    assert tab.run("document.documentElement.scrollWidth") <= 360
    assert (np.abs(picture[:330, 60:300] - picture[3, 3]).sum(axis=2) > 30).mean() > 0.2
    tab.resize(900, 500)


def test_a_browser_that_cannot_draw_says_so(address: str):
    with browser("--disable-3d-apis") as tab:
        tab.open(address, "document.documentElement?.dataset.state === 'failed'")
        assert "WebGL 2 is missing" in tab.run("document.getElementById('message').innerText")
        assert tab.run("getComputedStyle(document.getElementById('lamp')).visibility") == "hidden"


def test_ids_cannot_break_out_of_the_page():
    """Held to the parser's rules, whatever the policy of the page would stop."""
    tags: list[str] = []
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, attrs: tags.append(tag)
    parser.feed(viewer_page(sessions()[1:2] * 2, direction(0, 0)))
    plain: list[str] = []
    other = HTMLParser()
    other.handle_starttag = lambda tag, attrs: plain.append(tag)
    other.feed(viewer_page([replace(s, subject="1") for s in sessions()[1:2] * 2], direction(0, 0)))
    assert tags == plain
    assert tags.count("script") == 3


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
def test_a_face_comes_back_from_its_packing(kind):
    maps = face()
    one = replace(maps, **{n: v.astype(kind) for n, v in maps.present.items()})
    packed = pack_face(Session("1", "2", one, 0.5))
    rows, columns = np.nonzero(maps.mask)
    cut = np.s_[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    assert (packed["height"], packed["width"]) == maps.mask[cut].shape
    depth = unpack(packed["depth"]["data"], packed, 1, np.uint16)[0]
    z = np.where(depth == 0, np.nan, packed["depth"]["zero"] + depth * packed["depth"]["step"])
    np.testing.assert_allclose(z, one.depth[cut], atol=1e-3)
    levels = unpack(packed["albedo"]["data"], packed, 1, np.uint8)[0]
    assert (levels[~maps.mask[cut]] == 0).all()
    assert np.ptp(levels[maps.mask[cut]]) > 100
    assert unpack(packed["normal"], packed, 2, np.uint16).max() <= 4095
    # The origin of the page's coordinates is the middle of the whole map, as in meshes.
    assert packed["centre"] == [47.5 - columns.min(), 47.5 - rows.min()]


def unpack(text: str, packed: dict, planes: int, kind: type) -> np.ndarray:
    data = np.frombuffer(zlib.decompress(base64.b64decode(text)), np.uint8)
    shape = (planes, packed["height"], packed["width"])
    steps = data.reshape(-1, *shape).astype(np.uint32)
    whole = steps[0] if kind is np.uint8 else (steps[0] << 8) | steps[1]
    return np.cumsum(whole, axis=2, dtype=np.uint64).astype(kind)


def test_holes_in_what_a_file_holds():
    maps = face()
    maps.normal[40:44, 40:44] = np.nan
    lights = np.array([[0, 0, 1], [np.nan] * 3, [0, 0, 0], [0.6, 0, 0.8]])
    packed = pack_face(Session("1", "2", maps, float("nan"), lights))
    assert packed["lights"] == [[0, 0, 1], [0.6, 0, 0.8]]
    assert packed["scale_mm"] is None
    levels = encode_normal(maps.normal, maps.mask)
    assert levels[41, 41].tolist() == [128, 128, 128]


def test_large_maps_are_made_smaller():
    rows, columns = np.mgrid[0:700, 0:600]
    mask = np.hypot(rows - 350, columns - 300) < 280
    depth = np.where(mask, 0.1 * columns, np.nan)
    packed = pack_face(Session("1", "2", FaceMaps(mask=mask, depth=depth), 0.5))
    assert max(packed["height"], packed["width"]) < 512
    assert packed["scale_mm"] == pytest.approx(0.5 * 700 / 512)
    span = packed["depth"]["step"] * 65533
    assert span == pytest.approx(0.1 * 559 * 512 / 700, rel=0.01)


def test_the_page_names_no_other_place():
    text = viewer_page(sessions()[:1], direction(0, 0))
    found = set(re.findall(r"(?:https?:)?//[a-z0-9.-]+\.[a-z]{2,}[^\s\"'`)]*", text))
    assert found <= {"http://www.w3.org/1999/xhtml"}, found  # the name of HTML's namespace
    assert not re.search(r"<(?:link|img|iframe|script[^>]+src)", text)
    assert "default-src 'none'" in text
    library = Path(__file__).parents[2] / "fr3d/evaluation/report/viewer/three.min.js"
    assert library.stat().st_size < 800_000


def test_the_page_carries_the_licence_of_the_library_in_it():
    seen: list[str] = []
    parser = HTMLParser()
    parser.handle_comment = seen.append
    parser.feed(viewer_page(sessions()[:1], direction(0, 0)))
    (comment,) = seen
    folder = Path(__file__).parents[2] / "fr3d/evaluation/report/viewer"
    assert (folder / "LICENSE-three").read_text("utf-8").strip() in comment
    assert "Copyright" in comment
