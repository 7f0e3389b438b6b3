// The drawing: a face, a camera that goes around it, and the lamp and axes laid over it.
const RADIANS = Math.PI / 180;

// Zenith from the camera axis and azimuth clockwise from up, degrees, as the maps' light files have it.
function lightVector(state) {
  const z = state.zenith * RADIANS, a = state.azimuth * RADIANS;
  return new THREE.Vector3(Math.sin(z) * Math.sin(a), Math.sin(z) * Math.cos(a), Math.cos(z));
}

function makeStage(canvas) {
  const renderer = new THREE.WebGLRenderer({ canvas, antialias: true, alpha: true });
  renderer.outputColorSpace = "srgb-linear"; // the shader encodes its colours itself
  renderer.setClearColor(0x000000, 0);
  renderer.setPixelRatio(Math.min(window.devicePixelRatio || 1, 2));
  const camera = new THREE.PerspectiveCamera(22, 1, 1, 10);
  const material = makeMaterial();
  const mesh = new THREE.Mesh(new THREE.BufferGeometry(), material);
  mesh.frustumCulled = false;
  const scene = new THREE.Scene();
  scene.add(mesh);
  let extent = null;

  function setFace(grid, jump) {
    mesh.geometry.dispose();
    material.uniforms.heights.value?.dispose();
    mesh.geometry = buildGeometry(grid, jump);
    extent = extentOf(grid);
    const u = material.uniforms;
    u.heights.value = heightTexture(grid);
    u.centre.value.set(...grid.centre);
    u.size.value.set(grid.width, grid.height);
    u.low.value = extent.low;
    u.high.value = extent.high;
    return extent;
  }

  function placeCamera(state) {
    const width = canvas.clientWidth || 1, height = canvas.clientHeight || 1;
    renderer.setSize(width, height, false);
    camera.aspect = width / height;
    const half = Math.tan((camera.fov / 2) * RADIANS) * Math.min(1, camera.aspect);
    const distance = extent.radius * (1 + 0.72 / half) / state.zoom;
    const yaw = state.yaw * RADIANS, pitch = state.pitch * RADIANS;
    camera.position.set(
      Math.sin(yaw) * Math.cos(pitch), Math.sin(pitch), Math.cos(yaw) * Math.cos(pitch));
    camera.position.multiplyScalar(distance).add(extent.middle);
    camera.near = Math.max(distance - 2 * extent.radius, extent.radius / 100);
    camera.far = distance + 2 * extent.radius;
    camera.lookAt(extent.middle);
    camera.updateProjectionMatrix();
    camera.updateMatrixWorld();
  }

  function draw(state) {
    if (!extent) return;
    placeCamera(state);
    const u = material.uniforms;
    u.show.value = SHOWS.indexOf(state.show);
    u.useRelief.value = state.relief;
    u.castShadows.value = state.shadows;
    u.wire.value = material.wireframe = state.wire;
    u.light.value.copy(lightVector(state));
    u.fill.value = state.fill;
    u.gain.value = state.gain;
    renderer.render(scene, camera);
  }

  // From the frame of the maps to that of the eye: x right, y up, z towards the visitor.
  const toEye = (vector) => vector.clone().transformDirection(camera.matrixWorldInverse);
  const fromEye = (vector) => vector.clone().transformDirection(camera.matrixWorld);
  return { setFace, draw, toEye, fromEye };
}

// Where the lamp travels on the screen: a circle around the middle.
function lampCircle(canvas) {
  const width = canvas.clientWidth, height = canvas.clientHeight;
  return { x: width / 2, y: height / 2, radius: 0.44 * Math.min(width, height) };
}

function drawOverlay(overlay, canvas, stage, state) {
  const circle = lampCircle(canvas), light = stage.toEye(lightVector(state));
  const x = circle.x + circle.radius * light.x, y = circle.y - circle.radius * light.y;
  const lamp = overlay.querySelector("#lamp");
  lamp.classList.toggle("behind", light.z < 0);
  for (const c of lamp.querySelectorAll("circle")) setAll(c, { cx: x, cy: y });
  setAll(lamp.querySelector("line"), {
    x1: x, y1: y, x2: circle.x + 0.55 * (x - circle.x), y2: circle.y + 0.55 * (y - circle.y) });
  const origin = { x: 46, y: canvas.clientHeight - 46 };
  const axes = { x: [1, 0, 0], y: [0, 1, 0], z: [0, 0, 1] };
  for (const [name, direction] of Object.entries(axes)) {
    const to = stage.toEye(new THREE.Vector3(...direction));
    const group = overlay.querySelector(`#axes .${name}`);
    const end = { x2: origin.x + 28 * to.x, y2: origin.y - 28 * to.y };
    setAll(group.querySelector("line"), { x1: origin.x, y1: origin.y, ...end });
    // An axis that points at the visitor is a dot; its name then stands beside it.
    const away = Math.hypot(to.x, to.y) < 0.3;
    setAll(group.querySelector("text"), away
      ? { x: origin.x - 11, y: origin.y + 11 } : { x: origin.x + 39 * to.x, y: origin.y - 39 * to.y });
  }
}

function setAll(element, values) {
  for (const [name, value] of Object.entries(values)) element.setAttribute(name, value.toFixed(1));
}
