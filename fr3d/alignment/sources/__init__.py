"""What faces are aligned from: maps, photographs, RGB-D pairs, 3D scans, maps of other tools."""
