import pytest
import torch
from synthetic_faces import SIZE, face_arrays
from torch.utils.data import DataLoader

from fr3d.data.dataset import FaceDataset, whole_batch
from fr3d.data.inputs import face_inputs, input_specs
from fr3d.errors import MalformedInputError


def test_batches_are_the_rows_asked_for():
    faces = face_arrays(3, 2)
    specs = input_specs(["normal", "depth"])
    dataset = FaceDataset(faces, [5, 2, 3], [7, 8, 9], specs)
    batch = dataset.__getitems__([2, 0])
    assert batch.label.tolist() == [9, 7]
    assert batch.mask.shape == (2, SIZE, SIZE)
    expected = face_inputs(faces, [3, 5], specs)
    for name, values in expected.items():
        assert torch.equal(batch.maps[name], torch.from_numpy(values))
    assert torch.equal(dataset[1].maps["depth"], dataset.__getitems__([1]).maps["depth"])


def test_a_loader_gives_the_same_with_and_without_workers():
    dataset = FaceDataset(face_arrays(3, 2), range(6), range(6), input_specs(["normal"]))
    batches = [[0, 5], [3, 1], [2, 2]]
    found = []
    for workers in (0, 2):
        loader = DataLoader(
            dataset, batch_sampler=batches, collate_fn=whole_batch, num_workers=workers
        )
        found.append([batch.maps["normal"] for batch in loader])
    assert len(found[0]) == 3
    for one, other in zip(*found, strict=True):
        assert torch.equal(one, other)


def test_a_small_set_is_kept_in_memory_and_gives_the_same():
    faces = face_arrays(3, 2)
    specs = input_specs(["normal", "albedo"])
    read = FaceDataset(faces, [4, 1, 2], [0, 1, 2], specs)
    kept = FaceDataset(faces, [4, 1, 2], [0, 1, 2], specs).keep_if_small()
    too_large = FaceDataset(faces, [4, 1, 2], [0, 1, 2], specs).keep_if_small(limit=1000)
    for name, values in read.__getitems__([2, 0]).maps.items():
        assert torch.equal(kept.__getitems__([2, 0]).maps[name], values)
    assert kept.__getitems__([2, 0]).label.tolist() == [2, 0]
    faces["normal"][:] = 0
    assert kept.__getitems__([0]).maps["normal"].any()
    with pytest.raises(MalformedInputError):
        too_large.__getitems__([0])
    with pytest.raises(MalformedInputError):
        read.__getitems__([0])
