// The inverse of packing.py: base64, inflate, join bytes, add up the differences of each row.
async function inflate(text) {
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

async function unpackLevels(text, count, width, wide) {
  const bytes = await inflate(text);
  if (bytes.length !== count * (wide ? 2 : 1)) throw new Error("the page is damaged");
  const levels = wide ? new Uint16Array(count) : new Uint8Array(count);
  let before = 0;
  for (let i = 0; i < count; i++) {
    const step = wide ? (bytes[i] << 8) | bytes[count + i] : bytes[i];
    before = i % width ? before + step : step;
    levels[i] = before; // typed arrays wrap around, as the differences do
    before = levels[i];
  }
  return levels;
}

// One face as arrays over its pixels: height (NaN unknown), unit normals, linear colours.
async function unpackFace(face) {
  const count = face.width * face.height;
  const depth = await unpackLevels(face.depth.data, count, face.width, true);
  const height = Float32Array.from(depth, (v) => (v ? face.depth.zero + v * face.depth.step : NaN));
  const folded = await unpackLevels(face.normal, 2 * count, face.width, true);
  const normal = new Float32Array(3 * count);
  for (let i = 0; i < count; i++) {
    normal.set(unfold(folded[i] / 4095 * 2 - 1, folded[count + i] / 4095 * 2 - 1), 3 * i);
  }
  const colour = new Float32Array(3 * count).fill(0.6);
  if (face.albedo) {
    const planes = face.albedo.planes;
    const levels = await unpackLevels(face.albedo.data, planes * count, face.width, false);
    for (let i = 0; i < count; i++) {
      for (let k = 0; k < 3; k++) {
        colour[3 * i + k] = linear(levels[(k % planes) * count + i] / 255);
      }
    }
  }
  return { width: face.width, height: face.height, centre: face.centre, z: height, normal, colour };
}

function unfold(u, v) {
  const w = 1 - Math.abs(u) - Math.abs(v);
  const t = Math.max(-w, 0);
  const n = [u - Math.sign(u) * t, v - Math.sign(v) * t, w];
  const length = Math.hypot(...n) || 1;
  return n.map((x) => x / length);
}

function linear(stored) {
  return stored <= 0.04045 ? stored / 12.92 : ((stored + 0.055) / 1.055) ** 2.4;
}
