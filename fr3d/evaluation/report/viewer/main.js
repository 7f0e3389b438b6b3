// State in the address, so that a view can be linked to:
// #face=0&turn=20,-5&zoom=1&light=35,315&show=clay&shadows=1&relief=1&wire=1&fill=0.08&gain=0.8&scheme=dark
const page = JSON.parse(document.getElementById("faces").textContent);
const canvas = document.getElementById("view"), overlay = document.getElementById("overlay");
const message = document.getElementById("message");

const START = {
  face: 0, yaw: 0, pitch: 0, zoom: 1, show: "albedo", shadows: false, relief: false, wire: false,
  fill: 0.08, gain: 0.8, ...anglesOf(new THREE.Vector3(...page.light)),
};
let state = { ...START, ...readAddress() };

function readAddress() {
  const words = new URLSearchParams(location.hash.slice(1)), found = {};
  const number = (name, text, low, high) => {
    const value = Number.parseFloat(text);
    if (Number.isFinite(value)) found[name] = clamp(value, low, high);
  };
  const pair = (word) => (words.get(word) ?? "").split(",");
  number("face", words.get("face"), 0, page.faces.length - 1);
  if ("face" in found) found.face = Math.floor(found.face);
  number("yaw", pair("turn")[0], -180, 180);
  number("pitch", pair("turn")[1], -89, 89);
  number("zenith", pair("light")[0], 0, 180);
  number("azimuth", pair("light")[1], 0, 360);
  number("zoom", words.get("zoom"), 0.5, 6);
  number("fill", words.get("fill"), 0, 1);
  number("gain", words.get("gain"), 0.2, 3);
  if (SHOWS.includes(words.get("show"))) found.show = words.get("show");
  for (const name of CHECKS) if (words.has(name)) found[name] = words.get(name) !== "0";
  const scheme = words.get("scheme");
  if (scheme === "dark" || scheme === "light") document.documentElement.dataset.scheme = scheme;
  return found;
}

let waiting = 0;
function writeAddress() {
  clearTimeout(waiting);
  waiting = setTimeout(() => {
    const round = (v) => Math.round(v * 100) / 100;
    const words = [
      `face=${state.face}`, `turn=${round(state.yaw)},${round(state.pitch)}`, `zoom=${round(state.zoom)}`,
      `light=${round(state.zenith)},${round(state.azimuth)}`, `show=${state.show}`,
      `fill=${round(state.fill)}`, `gain=${round(state.gain)}`,
      ...CHECKS.map((name) => `${name}=${state[name] ? 1 : 0}`)];
    const scheme = document.documentElement.dataset.scheme;
    if (scheme) words.push(`scheme=${scheme}`);
    try {
      history.replaceState(null, "", `#${words.join("&")}`);
    } catch {
      // Some browsers refuse it for local files; the page works without.
    }
  }, 300);
}

function fail(text) {
  message.textContent = text;
  message.hidden = false;
  document.documentElement.dataset.state = "failed";
}

function begin() {
  let stage;
  try {
    stage = makeStage(canvas);
  } catch {
    fail("This browser cannot draw in 3D here: WebGL 2 is missing or switched off. "
      + "Another browser may, or this one with hardware acceleration on.");
    return;
  }
  if (!("DecompressionStream" in window)) {
    fail("This browser is too old to open the page: one of 2023 or later is needed.");
    return;
  }
  run(stage);
}

function run(stage) {
  let extent = null, loading = 0, asked = 0;
  const panel = makePanel(page, change);

  const paint = () => {
    asked = 0;
    if (!extent) return;
    stage.draw(state);
    drawOverlay(overlay, canvas, stage, state);
  };
  const repaint = () => {
    if (!asked) asked = requestAnimationFrame(paint);
  };

  async function load() {
    const mine = ++loading;
    document.documentElement.dataset.state = "loading";
    const grid = await unpackFace(page.faces[state.face]);
    if (mine !== loading) return; // the visitor has gone on to another face meanwhile
    extent = stage.setFace(grid, page.jump);
    message.hidden = true;
    panel.update(state, extent);
    panel.showFlashes(state);
    paint();
    document.documentElement.dataset.state = "drawn";
  }

  function change(wanted) {
    const face = state.face;
    if (wanted === null) state = { ...START, face };
    else if ("step" in wanted) {
      state.face = (face + wanted.step + page.faces.length) % page.faces.length;
    } else state = { ...state, ...wanted };
    if (state.face !== face) {
      load().catch((error) => fail(`The page cannot be read: ${error.message}.`));
    } else if (extent) {
      panel.update(state, extent);
      repaint();
    }
    writeAddress();
  }

  listen(canvas, document.getElementById("lamp"), stage, () => state, change);
  window.addEventListener("hashchange", () => change({ ...START, ...readAddress() }));
  new ResizeObserver(paint).observe(canvas);
  load().catch((error) => fail(`The page cannot be read: ${error.message}.`));
}

begin();
