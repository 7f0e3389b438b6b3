"""A gallery on disk: what damage, kills and crowds do to it, and that the answer stays right."""

import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from pathlib import Path

import faiss
import numpy as np
import pytest
from gallery_people import D, people
from small_models import contract_of_faces, linear_onnx, write_faces

from fr3d.artifacts.provenance import Step
from fr3d.errors import CannotWriteError, MalformedInputError, MissingInputError, UsageError
from fr3d.gallery import storage
from fr3d.gallery.enrolment import add_sessions, new_records
from fr3d.gallery.index import build_index, load_index
from fr3d.gallery.intake import check_strangers, no_sessions
from fr3d.gallery.records import GalleryRecords, from_bytes, model_of, to_bytes
from fr3d.gallery.search import search
from fr3d.gallery.storage import create_gallery, open_gallery, update_gallery
from fr3d.gallery.templates import Sessions
from fr3d.inference.onnx_model import OnnxModel
from fr3d.protocols.leaks import subject_hash


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> OnnxModel:
    faces = write_faces(tmp_path_factory.mktemp("model") / "faces.h5", ["a"])
    return OnnxModel(linear_onnx(contract_of_faces(faces)))


@pytest.fixture
def records(model: OnnxModel) -> GalleryRecords:
    return new_records(
        model,
        people("abcde"),
        people("qrstuvwxyz"),
        fpir=0.1,
        threshold=None,
        step=Step("enroll", {"fpir": 0.1}, {"faces.h5": "00"}),
        steps=[Step("align", {"size": 12}).record()],
    )


@pytest.fixture
def path(tmp_path: Path, records: GalleryRecords) -> Path:
    create_gallery(tmp_path / "gallery.faiss", records)
    return tmp_path / "gallery.faiss"


def answers(path: Path) -> list[tuple[str, float]]:
    gallery = open_gallery(path)
    probes = people("abcdeqx", seed=9, sessions=1)
    found = search(gallery.records.templates, gallery.index, probes.embedding)
    return [(c[0].subject_id, c[0].score) for c in found]


def test_records_survive_their_file(records: GalleryRecords, model: OnnxModel) -> None:
    again = from_bytes(to_bytes(records), Path("gallery.h5"))
    assert again.contract == records.contract
    assert again.model == model.data
    assert again.enrolled.subject_id == records.enrolled.subject_id
    assert again.calibration.session_id == records.calibration.session_id
    assert (again.fpir, again.threshold) == (records.fpir, records.threshold)
    assert again.step == records.step
    assert list(again.steps) == list(records.steps)
    np.testing.assert_array_equal(again.enrolled.embedding, records.enrolled.embedding)
    np.testing.assert_array_equal(again.templates.vector, records.templates.vector)
    np.testing.assert_array_equal(again.calibration_score, records.calibration_score)


def test_parts_that_do_not_fit_are_refused(records: GalleryRecords) -> None:
    """A file whose digest is right, but which was put together wrongly."""
    for wrong in (
        {"calibration_score": records.calibration_score[:-1]},
        {"enrolled": replace(records.enrolled, session_id=("1",))},
        {"calibration": replace(records.calibration, embedding=np.ones((20, 3), np.float32))},
        {"templates": replace(records.templates, id=records.templates.id[1:])},
    ):
        with pytest.raises(MalformedInputError, match="do not fit together"):
            from_bytes(to_bytes(replace(records, **wrong)), Path("gallery.h5"))


def test_the_model_inside_must_be_the_one_named(records: GalleryRecords) -> None:
    assert model_of(records, "gallery.faiss").contract == records.contract
    other = replace(records.contract, weights_sha256="0" * 64)
    with pytest.raises(MalformedInputError, match=r"model inside gallery\.faiss.*weights_sha256"):
        model_of(replace(records, contract=other), "gallery.faiss")


def test_same_gallery_same_bytes(records: GalleryRecords) -> None:
    assert to_bytes(records) == to_bytes(records)


def test_threshold_is_above_every_stranger_of_the_calibration(records: GalleryRecords) -> None:
    assert len(records.calibration_score) == 20
    assert records.threshold > np.sort(records.calibration_score)[-2]


@pytest.mark.parametrize("name", ["gallery.faiss", "gallery.h5"])
def test_either_name_opens_it(path: Path, name: str) -> None:
    gallery = open_gallery(path.with_name(name))
    assert gallery.repaired == ""
    assert gallery.records.enrolled.people == tuple("abcde")


def test_any_faiss_opens_the_index(path: Path, records: GalleryRecords) -> None:
    index = faiss.read_index(str(path))
    assert index.ntotal == 5
    assert index.metric_type == faiss.METRIC_INNER_PRODUCT
    np.testing.assert_array_equal(index.reconstruct(3), records.templates.vector[3])


def test_other_names_and_missing_files(path: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not a name for a gallery"):
        open_gallery(tmp_path / "gallery.txt")
    with pytest.raises(MissingInputError, match=r"none\.h5"):
        open_gallery(tmp_path / "none.faiss")
    assert not (tmp_path / "none.lock").exists()
    path.with_suffix(".h5").unlink()
    with pytest.raises(MissingInputError) as caught:
        open_gallery(path)
    assert "alone knows no names" in caught.value.hint


def test_a_gallery_is_not_replaced_without_force(path: Path, records: GalleryRecords) -> None:
    with pytest.raises(CannotWriteError, match="exists already"):
        create_gallery(path, records)
    create_gallery(path, records, force=True)


def test_missing_index_is_made_again(path: Path) -> None:
    before, bytes_before = answers(path), path.read_bytes()
    path.unlink()
    assert "was missing" in open_gallery(path).repaired
    assert path.read_bytes() == bytes_before
    assert open_gallery(path).repaired == ""
    assert answers(path) == before


def test_index_of_another_gallery_is_not_used(
    path: Path, tmp_path: Path, records: GalleryRecords
) -> None:
    before = answers(path)
    other = add_sessions(records, people("fghi"))
    create_gallery(tmp_path / "other.faiss", other)
    path.write_bytes((tmp_path / "other.faiss").read_bytes())
    assert "does not match" in open_gallery(path).repaired
    assert answers(path) == before


def test_flipped_bytes_never_change_an_answer(path: Path) -> None:
    before = answers(path)
    rng = np.random.default_rng(0)
    for file in (path, path.with_suffix(".h5")):
        sound = file.read_bytes()
        for place in rng.integers(0, len(sound), 60):
            damaged = bytearray(sound)
            damaged[place] ^= 1 << int(rng.integers(8))
            file.write_bytes(damaged)
            try:
                assert answers(path) == before
                assert file == path, "damaged records were accepted"
            except MalformedInputError as error:
                assert "gallery.h5" in error.message  # noqa: PT017
            file.write_bytes(sound)
    assert answers(path) == before


@pytest.mark.parametrize("share", [0.0, 0.3, 0.99])
def test_cut_files_never_change_an_answer(path: Path, share: float) -> None:
    before = answers(path)
    sound = path.read_bytes()
    path.write_bytes(sound[: int(share * len(sound))])
    assert answers(path) == before
    records = path.with_suffix(".h5")
    data = records.read_bytes()
    records.write_bytes(data[: int(share * len(data))])
    with pytest.raises(MalformedInputError, match=r"gallery\.h5"):
        open_gallery(path)


def test_read_only_folder_is_searched_all_the_same(path: Path, monkeypatch: object) -> None:
    before = answers(path)
    path.unlink()

    def refuse(*_: object, **__: object) -> None:
        raise CannotWriteError("read-only")

    monkeypatch.setattr(storage.atomic, "write_bytes", refuse)
    assert "cannot be written" in open_gallery(path).repaired
    assert answers(path) == before


_WRITER = """
    import os, signal, sys
    sys.path.insert(0, {tests!r})
    from pathlib import Path
    from gallery_people import people
    from fr3d.artifacts import atomic
    from fr3d.gallery.enrolment import add_sessions
    from fr3d.gallery.storage import update_gallery
    """


def _script(body: str) -> list[str]:
    here = str(Path(__file__).parents[1])
    lines = textwrap.dedent(_WRITER).format(tests=here) + textwrap.dedent(body)
    return [sys.executable, "-c", lines]


@pytest.mark.parametrize(("suffix", "enrolled"), [(".h5", "abcde"), (".faiss", "abcdef")])
def test_killed_between_the_writes(path: Path, suffix: str, enrolled: str) -> None:
    """Dead before the records: the old gallery. Dead before the index: the new one, repaired."""
    body = f"""
        write = atomic.write_bytes
        def killed(path, data, force=False):
            if path.suffix == {suffix!r}:
                os.kill(os.getpid(), signal.SIGKILL)
            write(path, data, force)
        atomic.write_bytes = killed
        update_gallery(Path({str(path)!r}), lambda r: add_sessions(r, people("f")))
        """
    done = subprocess.run(_script(body), check=False, capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    gallery = open_gallery(path)
    assert bool(gallery.repaired) == (suffix == ".faiss")
    assert "".join(gallery.records.enrolled.people) == enrolled
    found = search(
        gallery.records.templates, gallery.index, people("f", seed=3, sessions=1).embedding
    )
    assert (found[0][0].subject_id == "f") == ("f" in enrolled)
    update_gallery(path, lambda r: add_sessions(r, people("g")))  # the lock died with its holder
    assert open_gallery(path).records.enrolled.people[-1] == "g"


def test_four_writers_lose_nobody(path: Path) -> None:
    groups = ["fgh", "ijk", "lmn", "opA"]
    body = f"""
        children = []
        for group in {groups!r}:
            child = os.fork()
            if child == 0:
                for name in group:
                    update_gallery(Path({str(path)!r}), lambda r: add_sessions(r, people(name)))
                os._exit(0)
            children.append(child)
        sys.exit(sum(os.waitpid(child, 0)[1] for child in children) != 0)
        """
    writers = subprocess.Popen(_script(body))
    while writers.poll() is None:
        assert len(open_gallery(path).records.enrolled.people) >= 5  # readers see whole galleries
        time.sleep(0.01)
    assert writers.returncode == 0
    gallery = open_gallery(path)
    assert gallery.repaired == ""
    assert sorted(gallery.records.enrolled.people) == sorted("abcde" + "".join(groups))
    assert gallery.records.generation == 13
    assert gallery.index.ntotal == 17


def test_adding_calibrates_again(path: Path, records: GalleryRecords) -> None:
    """A person close to a stranger raises the threshold."""
    stranger = records.calibration.take([0])
    double = Sessions(("zz",), ("1",), stranger.embedding, stranger.quality)
    grown = update_gallery(path, lambda r: add_sessions(r, double))
    assert grown.calibration_score[0] == pytest.approx(1, abs=1e-6)
    assert grown.threshold >= records.threshold
    assert grown.generation == 2


def test_adding_a_session_moves_the_template(records: GalleryRecords) -> None:
    one = people("a", seed=5, sessions=1)
    grown = add_sessions(records, Sessions(one.subject_id, ("new",), one.embedding, one.quality))
    assert len(grown.templates) == 5
    assert grown.templates.sessions[0] == 3
    assert not np.array_equal(grown.templates.vector[0], records.templates.vector[0])
    np.testing.assert_array_equal(grown.templates.vector[1:], records.templates.vector[1:])


def test_people_on_both_sides_are_refused(records: GalleryRecords) -> None:
    with pytest.raises(MalformedInputError, match="1 people are both enrolled"):
        add_sessions(records, people("q", seed=1, sessions=3))


def test_nobody_to_enroll(model: OnnxModel) -> None:
    with pytest.raises(MalformedInputError, match="no session to enroll"):
        new_records(
            model, no_sessions(D), no_sessions(D), fpir=0.1, threshold=None, step=Step("enroll")
        )


def test_threshold_by_hand_needs_no_strangers(model: OnnxModel) -> None:
    records = new_records(
        model, people("ab"), no_sessions(D), fpir=0.1, threshold=0.4, step=Step("enroll")
    )
    again = from_bytes(to_bytes(records), Path("x.h5"))
    assert (again.threshold, again.fpir, len(again.calibration)) == (0.4, None, 0)


def test_duplicate_ids_and_nan_are_refused(records: GalleryRecords) -> None:
    templates = records.templates
    twice = type(templates)(
        np.zeros(5, np.int64),
        templates.subject_id,
        templates.sessions,
        templates.vector,
        templates.quality,
    )
    with pytest.raises(MalformedInputError, match="two templates with one id"):
        build_index(twice)
    vector = templates.vector.copy()
    vector[2, 3] = np.nan
    broken = type(templates)(
        templates.id, templates.subject_id, templates.sessions, vector, templates.quality
    )
    with pytest.raises(MalformedInputError, match="not finite"):
        build_index(broken)


def test_damaged_index_is_an_error_not_a_crash() -> None:
    with pytest.raises(MalformedInputError, match="damaged index"):
        load_index(b"IxM2" + b"\xff" * 60)


def test_training_people_do_not_calibrate() -> None:
    training = [subject_hash("set", "a")]
    check_strangers(["a", "b"], "other", training)
    with pytest.raises(MalformedInputError, match="1 calibration people were in the training: a"):
        check_strangers(["a", "b"], "set", training)
