// The controls beside the drawing: they show the state and change it.
const NUMBERS = ["zenith", "azimuth", "gain", "fill", "yaw", "pitch", "zoom"];
const CHECKS = ["shadows", "relief", "wire"];
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
    showKey(state, face, extent);
  }
  return { update, showFlashes: (state) => showFlashes(page.faces[state.face], change) };
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
  row.querySelectorAll("button").forEach((button) => button.remove());
  row.hidden = !face.lights.length;
  face.lights.forEach((light, k) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = k + 1;
    button.setAttribute("aria-label", `Light ${k + 1} of the capture`);
    button.addEventListener("click", () => change(anglesOf(new THREE.Vector3(...light))));
    row.append(button);
  });
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
    albedo: "Reflectance of the skin under the lamp.",
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
