// The controls beside the drawing: they show the state and change it.
const NUMBERS = ["zenith", "azimuth", "gain", "fill", "yaw", "pitch", "zoom"];
const CHECKS = ["shadows", "relief", "wire"];
const MOST_BUTTONS = 8;
const ANGLES = ["zenith", "azimuth", "yaw", "pitch"];

function nameOf(face) {
  return `${face.subject} · ${face.session}`;
}

function makePanel(page, change) {
  const field = (name) => document.querySelector(`#panel input[name=${name}]`);
  for (const name of NUMBERS) {
    field(name).addEventListener("input", (e) => change({ [name]: Number(e.target.value) }));
  }
  for (const name of CHECKS) {
    field(name).addEventListener("change", (e) => change({ [name]: e.target.checked }));
  }
  for (const radio of document.querySelectorAll("#shows input")) {
    radio.addEventListener("change", (e) => change({ show: e.target.value }));
  }
  document.getElementById("reset").addEventListener("click", () => change(null));
  const choice = makeChoice(page, change);

  function update(state, extent) {
    const face = page.faces[state.face];
    document.getElementById("who").textContent = nameOf(face);
    document.title = `${nameOf(face)} – 3D face`;
    choice.value = state.face;
    for (const name of NUMBERS) {
      const input = field(name);
      input.value = state[name];
      const text = ANGLES.includes(name) ? `${Math.round(state[name])}°` : state[name].toFixed(2);
      input.parentElement.querySelector("output").textContent = text;
    }
    for (const name of CHECKS) field(name).checked = state[name];
    document.querySelector(`#shows input[value=${state.show}]`).checked = true;
    updateFlashChoice(state, face);
    showKey(state, face, extent);
  }
  function showLights(state) {
    showFlashes(page.faces[state.face], change);
    updateFlashChoice(state, page.faces[state.face]);
  }
  return { update, showFlashes: showLights };
}

function makeChoice(page, change) {
  const choice = document.getElementById("face");
  page.faces.forEach((face, k) => choice.append(new Option(nameOf(face), k)));
  document.getElementById("many").hidden = page.faces.length < 2;
  choice.addEventListener("change", () => change({ face: Number(choice.value) }));
  document.getElementById("before").addEventListener("click", () => change({ step: -1 }));
  document.getElementById("after").addEventListener("click", () => change({ step: 1 }));
  return choice;
}

// The lights under which the face was photographed.
function showFlashes(face, change) {
  const row = document.getElementById("flashes");
  row.querySelectorAll("button,select").forEach((control) => control.remove());
  row.hidden = !face.lights.length;
  if (face.lights.length > MOST_BUTTONS) {
    row.append(makeFlashChoice(face, change));
    return;
  }
  face.lights.forEach((light, k) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = k + 1;
    button.setAttribute("aria-label", `Light ${k + 1} of the capture`);
    button.addEventListener("click", () => change(anglesOf(new THREE.Vector3(...light))));
    row.append(button);
  });
}

function makeFlashChoice(face, change) {
  const choice = document.createElement("select");
  choice.setAttribute("aria-label", "Light of the capture");
  choice.append(new Option("choose", ""));
  face.lights.forEach((light, k) => choice.append(new Option(`Light ${k + 1}`, k)));
  choice.addEventListener("change", () => {
    if (choice.value) change(anglesOf(new THREE.Vector3(...face.lights[choice.value])));
  });
  return choice;
}

// The lamp may have been moved since, so that the same light can be chosen again.
function updateFlashChoice(state, face) {
  const choice = document.querySelector("#flashes select");
  if (!choice) return;
  const near = (light) => {
    const { zenith, azimuth } = anglesOf(new THREE.Vector3(...light));
    return Math.abs(zenith - state.zenith) < 0.01 && Math.abs(azimuth - state.azimuth) < 0.01;
  };
  const found = face.lights.findIndex(near);
  choice.value = found < 0 ? "" : found;
}

function anglesOf(vector) {
  const azimuth = Math.atan2(vector.x, vector.y) / RADIANS;
  return {
    zenith: Math.atan2(Math.hypot(vector.x, vector.y), vector.z) / RADIANS,
    azimuth: (azimuth + 360) % 360,
  };
}

// What the colours mean.
function showKey(state, face, extent) {
  const key = document.getElementById("key");
  const scale = (face.scale_mm ?? face.shrunk), unit = face.scale_mm ? "mm" : "px";
  const texts = {
    albedo: "Reflectance under the lamp.",
    normal: "Colour is (n + 1) / 2: red right, green up, blue to the camera. The lamp has no effect.",
    clay: "Form alone, without the skin's colour.",
  };
  if (state.show !== "depth") {
    key.textContent = texts[state.show];
    return;
  }
  const ramp = document.createElement("span");
  ramp.className = "ramp";
  const ends = [extent.low, extent.high].map((z) => (z * scale).toFixed(1));
  key.replaceChildren(`Depth, from ${ends[0]} to ${ends[1]} ${unit} (near)`, ramp);
}
