"""What a network sees: rows of face maps as tensors, samplers, augmentation."""
