// Pointer, wheel and keys on the drawing.
function listen(canvas, lamp, stage, getState, change) {
  const pointers = new Map();
  let spread = 0, movesLight = false;

  const moveLight = (event) => {
    const box = canvas.getBoundingClientRect(), circle = lampCircle(canvas);
    let x = (event.clientX - box.left - circle.x) / circle.radius;
    let y = -(event.clientY - box.top - circle.y) / circle.radius;
    const length = Math.hypot(x, y);
    if (length > 1) [x, y] = [x / length, y / length];
    const eye = new THREE.Vector3(x, y, Math.sqrt(Math.max(1 - x * x - y * y, 0)));
    change(anglesOf(stage.fromEye(eye)));
  };

  const begin = (event, light) => {
    if (event.button > 0) return;
    canvas.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, event);
    movesLight = light;
    spread = 0;
    if (light) moveLight(event);
    canvas.focus({ preventScroll: true });
    event.preventDefault();
  };
  canvas.addEventListener("pointerdown", (event) => begin(event, event.shiftKey));
  lamp.addEventListener("pointerdown", (event) => begin(event, true));

  canvas.addEventListener("pointermove", (event) => {
    const before = pointers.get(event.pointerId);
    if (!before) return;
    pointers.set(event.pointerId, event);
    if (pointers.size > 1) return pinch();
    if (movesLight) return moveLight(event);
    const state = getState();
    // The face follows the finger, so the camera goes the other way.
    change({
      yaw: wrap(state.yaw - 0.45 * (event.clientX - before.clientX)),
      pitch: clamp(state.pitch + 0.45 * (event.clientY - before.clientY), -89, 89),
    });
  });

  function pinch() {
    const [p, q] = [...pointers.values()];
    const now = Math.hypot(p.clientX - q.clientX, p.clientY - q.clientY);
    if (spread) change({ zoom: clamp(getState().zoom * now / spread, 0.5, 6) });
    spread = now;
  }

  for (const name of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(name, (event) => {
      pointers.delete(event.pointerId);
      spread = 0;
    });
  }
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    change({ zoom: clamp(getState().zoom * Math.exp(-event.deltaY / 600), 0.5, 6) });
  }, { passive: false });
  canvas.addEventListener("keydown", (event) => {
    const wanted = keyChange(event, getState());
    if (wanted === undefined) return;
    event.preventDefault();
    change(wanted);
  });
}

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

// What a key changes; undefined when it is none of ours.
function keyChange(event, state) {
  if (event.ctrlKey || event.metaKey || event.altKey) return undefined;
  const arrow = ARROWS[event.key];
  if (arrow && event.shiftKey) return nudgeLight(state, arrow);
  if (arrow) {
    return { yaw: wrap(state.yaw - 5 * arrow[0]), pitch: clamp(state.pitch - 5 * arrow[1], -89, 89) };
  }
  const key = event.key.toLowerCase();
  if ("1234".includes(key)) return { show: SHOWS[Number(key) - 1] };
  return {
    "+": { zoom: clamp(state.zoom * 1.1, 0.5, 6) },
    "=": { zoom: clamp(state.zoom * 1.1, 0.5, 6) },
    "-": { zoom: clamp(state.zoom / 1.1, 0.5, 6) },
    "0": null,
    s: { shadows: !state.shadows },
    r: { relief: !state.relief },
    w: { wire: !state.wire },
    "[": { step: -1 },
    "]": { step: 1 },
  }[key];
}

// On the disc whose middle is the camera axis and whose radius is the zenith.
function nudgeLight(state, arrow) {
  const a = state.azimuth * RADIANS;
  const x = state.zenith * Math.sin(a) + 5 * arrow[0], y = state.zenith * Math.cos(a) + 5 * arrow[1];
  return {
    zenith: clamp(Math.hypot(x, y), 0, 180),
    azimuth: (Math.atan2(x, y) / RADIANS + 360) % 360,
  };
}

const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
const wrap = (degrees) => ((degrees + 540) % 360) - 180;
