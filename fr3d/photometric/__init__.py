"""Images and light directions in; normals, albedo and depth out."""
