"""Bad input as a user meets it: one line, a hint, the right status, and nothing is lost."""

import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import pytest
from lit_sphere import light_source, photographs, write_capture
from small_models import contract_of_faces, write_faces, write_model, write_split

from fr3d.artifacts.store import open_artifact
from fr3d.artifacts.writer import Step, write_artifact
from fr3d.cli import main
from fr3d.gallery.storage import open_gallery
from fr3d.inference.contract import CONTRACT_ATTRIBUTE

PEOPLE = [f"p{i}" for i in range(4)]
STRANGERS = [f"c{i:02d}" for i in range(12)]

Said = Callable[..., str]


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small chain from captures to a gallery; the tests work on copies."""
    folder = tmp_path_factory.mktemp("chain")
    before = Path.cwd()
    os.chdir(folder)
    try:
        for i in range(3):
            write_capture(Path("raw") / f"{i:03d}" / "a", albedo=0.4 + 0.1 * i)
        assert main(["ps-reconstruct", "-q", "-j1"]) == 0
        write_faces(Path("faces.h5"), PEOPLE + STRANGERS)
        write_split(
            Path("split.csv"),
            Path("faces.h5"),
            enrolled=PEOPLE[:3],
            strangers=PEOPLE[3:],
            calibration=STRANGERS,
        )
        write_model(Path("model.onnx"), Path("faces.h5"))
        write_model(Path("other.onnx"), Path("faces.h5"), seed=1)
        assert main(["embed", "-q"]) == 0
        assert main(["enroll", "embeddings.h5", "-q"]) == 0
        assert main(["select", "--role", "probe", "-q"]) == 0
    finally:
        os.chdir(before)
    return folder


@pytest.fixture
def work(chain: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(chain, tmp_path / "work")
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "work"


def contents() -> dict[str, bytes]:
    return {str(p): p.read_bytes() if p.is_file() else b"" for p in sorted(Path().rglob("*"))}


@pytest.fixture
def fails(work: Path, capsys: pytest.CaptureFixture[str]) -> Said:
    """Run a command that must fail: one line, a hint, its status, no file touched but `new`."""

    def run(words: list[object], status: int, says: str, *new: str) -> str:
        before = contents()
        capsys.readouterr()
        found = main([str(word) for word in words])
        out, err = capsys.readouterr()
        assert found == status, err
        assert out == ""
        line, blank, hint, end = err.split("\n")
        assert line.startswith("fr3d: error: ")
        assert says in line
        assert (blank, end) == ("", "")
        assert hint.startswith("hint: ")
        assert "shows the options" not in hint
        after = contents()
        assert {name: after[name] for name in before if name not in new} == {
            name: data for name, data in before.items() if name not in new
        }
        assert set(after) - set(before) == set(new)
        return hint

    return run


# --- captures ----------------------------------------------------------------------------------


def no_light(folder: Path) -> None:
    (folder / "LightSource.m").unlink()


def three_of_four(folder: Path) -> None:
    (folder / "im2.bmp").unlink()


def cut_bmp(folder: Path) -> None:
    halve(folder / "im1.bmp")


def no_arithmetic(folder: Path) -> None:
    (folder / "LightSource.m").write_text("x = system('touch owned');\n")


def nan_light(folder: Path) -> None:
    text = light_source().replace("90-36", "90-NaN", 1)
    (folder / "LightSource.m").write_text(text)


def nan_photograph(folder: Path) -> None:
    images = photographs()
    images[2, 20, 20] = np.nan
    for i, image in enumerate(images):
        (folder / f"im{i}.bmp").unlink()
        assert cv2.imwrite(str(folder / f"im{i}.tiff"), image)


def nan_landmark(folder: Path) -> None:
    (folder / "metadata.txt").write_text("\n".join(["nan,nan"] * 11))


def halve(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])


CAPTURES = {
    no_light: "found no light file: no LightSource.m, no lights.csv",
    three_of_four: "im2: missing, found 3 of 4 photographs",
    cut_bmp: "im1.bmp: truncated",
    no_arithmetic: 'LightSource.m: line 1: found "\'touch owned", expected arithmetic',
    nan_light: "LightSource.m: line 1: found 'NaN', expected a number",
    nan_photograph: "im2.tiff: found NaN",
    nan_landmark: "metadata.txt: found a landmark that is not finite",
}


@pytest.mark.parametrize("damage", CAPTURES, ids=lambda damage: damage.__name__)
def test_a_bad_capture_alone(fails: Said, damage: Callable[[Path], None]) -> None:
    damage(write_capture(Path("one/p/s")))
    says = f"not written, none of 1 captures could be used: p/s: {CAPTURES[damage]}"
    words = ["ps-reconstruct", "one", "-o", "new.h5", "-j1"]
    hint = fails(words, 65, says, "new.h5.rejects.csv")
    assert "all reasons are in new.h5.rejects.csv" in hint
    assert not Path("owned").exists()


def test_a_mended_capture_needs_no_force(fails: Said) -> None:
    """Where nothing could be used there is nothing to resume, and nothing stands in the way."""
    folder = write_capture(Path("one/p/s"))
    text = (folder / "LightSource.m").read_text()
    no_light(folder)
    words = ["ps-reconstruct", "one", "-o", "new.h5", "-j1"]
    fails(words, 65, "found no light file", "new.h5.rejects.csv")
    (folder / "LightSource.m").write_text(text)
    assert main(words) == 0
    assert not Path("new.h5.rejects.csv").exists()


def test_bad_captures_among_good_ones(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for damage in CAPTURES:
        damage(write_capture(Path("raw/zzz") / damage.__name__))
    assert main(["ps-reconstruct", "-o", "new.h5", "-j1"]) == 0
    assert "3 of 10 captures -> new.h5, 7 rejected: see new.h5.rej" in capsys.readouterr().err
    found = {r.session_id: r.reason for r in open_artifact(Path("new.h5")).rejected}
    assert set(found) == {damage.__name__ for damage in CAPTURES}
    assert all(found[damage.__name__].startswith(reason) for damage, reason in CAPTURES.items())
    good, maps = open_artifact(Path("new.h5")), open_artifact(Path("maps.h5"))
    np.testing.assert_array_equal(good["normal"][:], maps["normal"][:])


def test_two_sessions_with_one_name(fails: Said) -> None:
    shutil.copytree("raw", "raw2")
    words = ["ps-reconstruct", "raw", "raw2", "-o", "new.h5"]
    hint = fails(words, 65, "raw2/000/a: session 000/a is also in raw/000/a")
    assert "rename one of the folders" in hint
    fails(["embed", "faces.h5", "faces.h5", "-o", "n.h5"], 65, "p0/s0 stands there twice")


def test_a_line_break_in_a_name_stays_on_the_line(fails: Said) -> None:
    for root in ("one", "two"):
        write_capture(Path(root) / "a\nb\x1b[2J" / "s")
    fails(["ps-reconstruct", "one", "two", "-o", "new.h5"], 65, "session a\\nb\\x1b[2J/s is also")


def test_a_light_table_that_names_other_photographs(fails: Said) -> None:
    rows = ["file,zenith,azimuth", "im9.bmp,36,134", "im1.bmp,42,47", "im2.bmp,40,313"]
    Path("lights.csv").write_text("\n".join(rows))
    words = ["ps-reconstruct", "-o", "new.h5", "-j1", "--lights", "lights.csv"]
    fails(words, 65, "im9.bmp: missing, lights.csv names it", "new.h5.rejects.csv")
    Path("lights.csv").write_text("zenith,azimuth\n36,nan\n")
    fails(words, 65, "lights.csv: line 2: azimuth is 'nan', expected a number")


# --- files -------------------------------------------------------------------------------------

CUT = [
    (["align", "maps.h5", "-o", "n.h5"], "maps.h5", "cut short or damaged"),
    (["show", "maps.h5", "-o", "n.png"], "maps.h5", "cut short or damaged"),
    (["info", "maps.h5"], "maps.h5", "cut short or damaged"),
    (["split", "faces.h5", "-o", "n.csv"], "faces.h5", "cut short or damaged"),
    (["select", "-o", "n.h5"], "faces.h5", "cut short or damaged"),
    (["embed", "-o", "n.h5"], "faces.h5", "cut short or damaged"),
    (["enroll", "-o", "n.faiss"], "faces.h5", "cut short or damaged"),
    (["identify"], "probe.h5", "cut short or damaged"),
    (["benchmark", "-o", "n.json"], "embeddings.h5", "cut short or damaged"),
    (["embed", "-o", "n.h5"], "model.onnx", "not an ONNX file"),
    (["identify"], "gallery.h5", "damaged: its bytes do not match its digest"),
]


MAKERS = {
    "maps.h5": "ps-reconstruct",
    "faces.h5": "align",
    "probe.h5": "select",
    "embeddings.h5": "embed",
}


@pytest.mark.parametrize(("words", "name", "says"), CUT)
def test_a_file_cut_in_half(fails: Said, words: list[str], name: str, says: str) -> None:
    halve(Path(name))
    hint = fails(words, 65, f"{name}: {says}")
    if name in MAKERS:
        assert f"make it again with 'fr3d {MAKERS[name]}'" in hint


def test_an_index_cut_in_half_is_made_again(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole = Path("gallery.faiss").read_bytes()
    halve(Path("gallery.faiss"))
    assert main(["identify"]) == 0
    assert "does not match its records, made again from gallery.h5" in capsys.readouterr().err
    assert Path("gallery.faiss").read_bytes() == whole


READERS = ["align", "split", "select", "embed", "enroll", "identify", "benchmark", "show"]


@pytest.mark.parametrize("command", READERS)
def test_what_is_no_artifact(fails: Said, command: str) -> None:
    Path("picture.h5").write_bytes(b"\x89PNG\r\n\x1a\n")
    Path("empty.h5").touch()
    Path("folder").mkdir()
    os.mkfifo("pipe.h5")
    output = {"show": ["-o", "n.png"], "enroll": ["-o", "n.faiss"], "identify": []}
    words = output.get(command, ["-o", "n.out"])
    for name in ("picture.h5", "empty.h5", "pipe.h5", "/dev/null"):
        fails([command, name, *words], 65, f"{name}: not an HDF5 file")
    fails([command, "none.h5", *words], 66, "none.h5: no such file")
    fails([command, "folder", *words], 66, "folder: a folder without part files")
    fails([command, "x" * 300, *words], 66, "file name too long")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["align", "embeddings.h5", "-o", "n.h5"], "found fr3d.embeddings, expected fr3d.maps"),
        (["embed", "embeddings.h5", "-o", "n.h5"], "found fr3d.embeddings, expected fr3d.maps"),
        (["embed", "maps.h5", "-o", "n.h5"], "maps.h5: not made as the model expects"),
        (["enroll", "maps.h5", "-o", "n.faiss"], "not in it, first "),
        (["select", "gallery.h5", "-o", "n.h5"], "found fr3d.gallery, expected fr3d.maps or"),
        (["identify", "--gallery", "faces.h5"], "faces.h5: not a gallery"),
        (["embed", "-m", "faces.h5", "-o", "n.h5"], "faces.h5: not an ONNX file"),
    ],
)
def test_the_wrong_kind_of_file(fails: Said, words: list[str], says: str) -> None:
    fails(words, 65, says)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "not a CSV table: it is empty"),
        ("hello\n", "no column 'subject_id', found hello"),
        ("subject_id,session_id\na,b\n", "no column 'partition', found subject_id, session_id"),
        ("subject_id,session_id,partition\na,b,tset\n", "line 2: partition 'tset'"),
        ('subject_id,session_id,partition\n"a,b,test\n', "not a CSV table: EOF inside string"),
        ("subject_id,session_id,partition\na,b,test\n", "not in it, first a/b"),
    ],
)
def test_a_split_that_is_none(fails: Said, text: str, says: str) -> None:
    Path("bad.csv").write_text(text)
    fails(["select", "--partition", "test", "--split", "bad.csv", "-o", "n.h5"], 65, says)


def test_the_default_inputs_are_not_there(
    fails: Said, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bare").mkdir()
    monkeypatch.chdir(tmp_path / "bare")
    for command, name, maker in (
        ("align", "maps.h5", "ps-reconstruct"),
        ("split", "faces.h5", "align"),
        ("select", "faces.h5", "align"),
        ("embed", "faces.h5", "align"),
        ("enroll", "faces.h5", "align"),
        ("identify", "gallery.h5", "enroll"),
        ("show", "faces.h5", "align"),
        ("benchmark", "split.csv", "split"),
    ):
        hint = fails([command], 66, f"{name}: no such file")
        assert f"'fr3d {maker}'" in hint


# --- numbers -----------------------------------------------------------------------------------


def with_value(source: str, target: str, name: str, row: int, value: float) -> None:
    """A copy of an artifact in which one row of one dataset is all one value."""
    found = open_artifact(Path(source), _kind(source))
    columns = {n: found[n][:] for n in found.names if n != "digest"}
    columns[name][row] = value
    *history, last = found.history
    step = Step(last["command"], last["arguments"])
    write_artifact(
        Path(target),
        found.kind,
        columns,
        step,
        frame=found.frame,
        history=history,
        attrs=found.attrs,
    )


def _kind(name: str) -> str:
    return "fr3d.embeddings" if "embeddings" in name else "fr3d.maps"


@pytest.mark.parametrize("value", [np.nan, np.inf, 0.0])
def test_an_embedding_that_is_none(
    work: Path, capsys: pytest.CaptureFixture[str], value: float
) -> None:
    with_value("embeddings.h5", "bad_embeddings.h5", "embedding", 0, value)
    assert main(["identify", "bad_embeddings.h5"]) == 0
    out, err = capsys.readouterr()
    assert "p0/s0: not searched: its embedding is not finite, or is zero" in err
    assert "p0,s0" not in out
    assert len(out.splitlines()) == 3 * len(PEOPLE + STRANGERS)
    assert main(["enroll", "bad_embeddings.h5", "-o", "n.faiss"]) == 0
    err = capsys.readouterr().err
    assert "p0/s0: left out: its embedding is not finite" in err
    assert "enrolled 2 people" in err


def test_nan_among_normals_is_a_reject_and_not_zeros(
    work: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with_value("maps.h5", "bad.h5", "normal", 1, np.nan)
    assert main(["align", "bad.h5", "-o", "n.h5", "--detector", "none", "-j1"]) == 0
    assert "aligned 2 of 3 sessions" in capsys.readouterr().err
    found = open_artifact(Path("n.h5"))
    assert [(r.subject_id, r.reason) for r in found.rejected] == [
        ("001", "normal is not finite on all of the mask")
    ]


def test_numbers_that_are_none(fails: Said) -> None:
    fails(["identify", "--threshold", "nan"], 2, "nan is not a number")
    fails(["enroll", "-o", "n.faiss", "--threshold", "inf"], 2, "inf is not a number")
    fails(["identify", "--fpir", "nan"], 2, "--fpir nan: expected a rate")
    fails(["split", "-o", "n.csv", "--test", "nan"], 2, "cannot have nan people")


# --- models ------------------------------------------------------------------------------------


def test_two_seeds_are_two_models(fails: Said) -> None:
    one, two = (contract_of_faces(Path("faces.h5"), seed) for seed in (0, 1))
    assert {k for k in vars(one) if getattr(one, k) != getattr(two, k)} == {"weights_sha256"}
    assert main(["embed", "probe.h5", "-m", "other.onnx", "-o", "by_other.h5", "-q"]) == 0
    says = "by_other.h5: made by another model than gallery.faiss: weights_sha256"
    hint = fails(["identify", "by_other.h5"], 65, says)
    assert "embed the faces again with the same model" in hint
    assert CONTRACT_ATTRIBUTE in open_artifact(Path("by_other.h5"), "fr3d.embeddings").attrs
    says = "embeddings.h5: made by another model than other.onnx: weights_sha256"
    fails(["enroll", "embeddings.h5", "-m", "other.onnx", "-o", "n.faiss"], 65, says)


# --- outputs -----------------------------------------------------------------------------------


@contextmanager
def full_disk(size: int) -> Iterator[None]:
    """Let no file grow beyond so many bytes, as a disk that is full does not.

    For the command alone: what pytest writes of its own must not be cut.
    """
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


WRITERS = [
    ["ps-reconstruct", "-o", "maps.h5", "-j1", "-f"],
    ["align", "-o", "faces.h5", "--detector", "none", "-j1", "-f"],
    ["split", "-o", "split.csv", "-f"],
    ["select", "--partition", "calibration", "-o", "probe.h5", "-f"],
    ["embed", "-f"],
    ["enroll", "-f"],
    ["identify", "-o", "n.csv"],
    ["benchmark", "-o", "n.json", "--bootstrap", "0"],
    ["show", "maps.h5", "-o", "n.png"],
]


@pytest.mark.parametrize("words", WRITERS, ids=lambda words: words[0])
def test_a_full_disk_keeps_what_was_there(fails: Said, words: list[str]) -> None:
    with full_disk(512):
        hint = fails(words, 73, "cannot write: the file is larger than allowed here")
    assert "free some space" in hint


def test_places_where_nothing_can_be_written(fails: Said) -> None:
    fails(["split", "-o", "raw", "-f"], 73, "raw: is a folder")
    fails(["split", "-o", "none/n.csv"], 73, "none/n.csv: no such folder")
    fails(["split", "-o", "split.csv"], 73, "split.csv: exists already")
    fails(["split", "-o", "x" * 300], 73, "cannot write: the name is too long")


def test_memory_that_runs_out_is_no_bug(
    work: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def greedy(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("fr3d.artifacts.store.open_artifact", greedy)
    assert main(["align", "-o", "n.h5"]) == 69
    assert "memory ran out" in capsys.readouterr().err


# --- kill -9 -----------------------------------------------------------------------------------

_AT_RENAME = """
import os, signal, sys
from pathlib import Path
from fr3d.artifacts import atomic
from fr3d.cli import main
left = int(sys.argv[1])
publish = atomic.publish
def dying(temporary, path):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    publish(temporary, path)
atomic.publish = dying
sys.exit(main(sys.argv[2:]))
"""


def killed(at: int, words: list[str]) -> None:
    """Run a command that is killed at its `at`-th rename."""
    done = subprocess.run([sys.executable, "-c", _AT_RENAME, str(at), *words], check=False)
    assert done.returncode == -signal.SIGKILL


def test_killed_reconstruction_resumes_to_the_same_bytes(work: Path) -> None:
    whole = Path("maps.h5").read_bytes()
    words = ["ps-reconstruct", "-o", "new.h5", "-j1"]
    for at in (2, 3):  # of: the plan, the part, the whole
        killed(at, words)
        assert not Path("new.h5").exists()
    assert main([*words, "-q"]) == 0
    assert Path("new.h5").read_bytes() == whole
    assert not Path("new.h5.parts").exists()


@pytest.mark.parametrize("at", [1, 2])
def test_killed_enrolment_leaves_a_gallery_that_answers(
    work: Path, capsys: pytest.CaptureFixture[str], at: int
) -> None:
    """Records first, then the index: the gallery is the old one or the new one, never between."""
    words = ["enroll", "embeddings.h5", "--templates", "each", "-f"]
    killed(at, words)
    records = open_gallery(Path("gallery.faiss")).records
    assert records.strategy == ("mean" if at == 1 else "each")
    assert main(["identify", "-q"]) == 0
    assert main([*words, "-q"]) == 0
    shutil.copy("gallery.h5", "after.h5")
    for name in ("gallery.h5", "gallery.faiss"):
        Path(name).unlink()
    assert main([*words, "-q"]) == 0
    assert Path("gallery.h5").read_bytes() == Path("after.h5").read_bytes()


def test_a_second_writer_is_refused_and_the_first_one_finishes(
    work: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hold = (
        "import time; from pathlib import Path; from fr3d.artifacts.provenance import Step;"
        "from fr3d.artifacts.writer import ArtifactWriter;"
        "ArtifactWriter(Path('new.h5'), 'fr3d.maps', Step('x')).__enter__();"
        "print('held', flush=True);"
        "time.sleep(60)"
    )
    first = subprocess.Popen([sys.executable, "-c", hold], stdout=subprocess.PIPE, text=True)
    try:
        assert first.stdout is not None
        assert first.stdout.readline() == "held\n"
        assert main(["ps-reconstruct", "-o", "new.h5", "-j1"]) == 73
        assert "new.h5: another process is writing it" in capsys.readouterr().err
    finally:
        first.kill()
        first.communicate()
    start = time.monotonic()
    assert main(["ps-reconstruct", "-o", "new.h5", "-j1", "-q"]) == 0
    assert time.monotonic() - start < 30
    assert Path("new.h5").read_bytes() == Path("maps.h5").read_bytes()
