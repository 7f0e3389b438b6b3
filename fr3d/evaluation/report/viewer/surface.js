// Triangles over the pixels of a face, as mesh.py lays them: cut along the flatter diagonal, left
// out where a corner is missing or an edge is steeper than `jump`.
function triangulate(grid, jump) {
  const { width, height, z } = grid;
  const corners = [];
  const flat = (p, q, length) => Math.abs(z[p] - z[q]) <= jump * length;
  const add = (p, q, r) => {
    if (Number.isNaN(z[p] + z[q] + z[r])) return;
    const edges = [[p, q], [q, r], [r, p]];
    const near = ([s, t]) => flat(s, t, (s % width !== t % width) && Math.abs(s - t) > 1 ? Math.SQRT2 : 1);
    if (edges.every(near)) corners.push(p, q, r);
  };
  for (let row = 0; row + 1 < height; row++) {
    for (let column = 0; column + 1 < width; column++) {
      const a = row * width + column, b = a + 1, c = a + width, d = c + 1;
      const across = Number.isNaN(z[b] + z[c]);
      if (across || Math.abs(z[a] - z[d]) <= Math.abs(z[b] - z[c])) {
        add(a, c, d);
        add(a, d, b);
      } else {
        add(a, c, b);
        add(b, c, d);
      }
    }
  }
  return new Uint32Array(corners);
}

function buildGeometry(grid, jump) {
  const count = grid.width * grid.height;
  const place = new Float32Array(3 * count);
  for (let i = 0; i < count; i++) {
    place[3 * i] = (i % grid.width) - grid.centre[0];
    place[3 * i + 1] = grid.centre[1] - Math.floor(i / grid.width);
    place[3 * i + 2] = Number.isNaN(grid.z[i]) ? 0 : grid.z[i];
  }
  const geometry = new THREE.BufferGeometry();
  geometry.setAttribute("position", new THREE.BufferAttribute(place, 3));
  geometry.setIndex(new THREE.BufferAttribute(triangulate(grid, jump), 1));
  geometry.computeVertexNormals();
  geometry.setAttribute("relief", geometry.getAttribute("normal"));
  geometry.setAttribute("normal", new THREE.BufferAttribute(grid.normal, 3));
  geometry.setAttribute("colour", new THREE.BufferAttribute(grid.colour, 3));
  return geometry;
}

// Middle and radius of the part that is there, and its lowest and highest depth.
function extentOf(grid) {
  let low = Infinity, high = -Infinity;
  for (const z of grid.z) {
    if (z < low) low = z;
    if (z > high) high = z;
  }
  const middle = new THREE.Vector3(
    (grid.width - 1) / 2 - grid.centre[0], grid.centre[1] - (grid.height - 1) / 2, (low + high) / 2);
  return { low, high, middle, radius: Math.hypot(grid.width, grid.height, high - low) / 2 };
}

function heightTexture(grid) {
  const data = Float32Array.from(grid.z, (z) => (Number.isNaN(z) ? -1e9 : z));
  const texture = new THREE.DataTexture(data, grid.width, grid.height, THREE.RedFormat, THREE.FloatType);
  texture.minFilter = texture.magFilter = THREE.NearestFilter;
  texture.needsUpdate = true;
  return texture;
}
