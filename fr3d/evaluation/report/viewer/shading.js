// Everything is shaded in the frame of the maps: the camera goes around the face, not the reverse.
const VERTEX = `
attribute vec3 relief, colour;
varying vec3 place, measured, formed, tint;
void main() {
  place = position; measured = normal; formed = relief; tint = colour;
  gl_Position = projectionMatrix * modelViewMatrix * vec4(position, 1.0);
}`;

const FRAGMENT = `
varying vec3 place, measured, formed, tint;
uniform int show;
uniform bool useRelief, castShadows, wire;
uniform vec3 light;
uniform float fill, gain, low, high;
uniform vec2 centre, size;
uniform sampler2D heights;

float heightAt(vec2 p) {
  vec2 whole = floor(p);
  if (whole.x < 0.0 || whole.y < 0.0 || whole.x > size.x - 2.0 || whole.y > size.y - 2.0) return -1e9;
  ivec2 i = ivec2(whole);
  vec2 f = p - whole;
  float a = texelFetch(heights, i, 0).r, b = texelFetch(heights, i + ivec2(1, 0), 0).r;
  float c = texelFetch(heights, i + ivec2(0, 1), 0).r, d = texelFetch(heights, i + ivec2(1, 1), 0).r;
  return mix(mix(a, b, f.x), mix(c, d, f.x), f.y);
}

// Walk towards the light; how far the surface stands above the ray says how dark the shadow is.
float visible(vec3 from) {
  if (light.z <= 0.0) return 0.0;
  float across = length(light.xy);
  if (across < 1e-3) return 1.0;
  vec2 start = vec2(from.x + centre.x, centre.y - from.y);
  vec2 direction = vec2(light.x, -light.y) / across;
  float rise = light.z / across;
  float farthest = min((high - from.z) / rise, length(size));
  float stride = max(1.0, farthest / 160.0), above = 0.0;
  for (int k = 1; k <= 160; k++) {
    float t = float(k) * stride;
    if (t > farthest) break;
    above = max(above, heightAt(start + direction * t) - from.z - t * rise);
  }
  return 1.0 - smoothstep(0.25, 1.25, above);
}

vec3 ramp(float t) {
  vec3 c0 = vec3(.267, .005, .329), c1 = vec3(.231, .322, .545), c2 = vec3(.129, .569, .549);
  vec3 c3 = vec3(.369, .788, .384), c4 = vec3(.992, .906, .145);
  float s = clamp(t, 0.0, 1.0) * 4.0;
  return s < 1.0 ? mix(c0, c1, s) : s < 2.0 ? mix(c1, c2, s - 1.0)
       : s < 3.0 ? mix(c2, c3, s - 2.0) : mix(c3, c4, s - 3.0);
}

vec3 stored(vec3 c) {
  c = clamp(c, 0.0, 1.0);
  return mix(12.92 * c, 1.055 * pow(max(c, 1e-6), vec3(1.0 / 2.4)) - 0.055, step(0.0031308, c));
}

void main() {
  vec3 n = normalize(useRelief ? formed : measured);
  float lit = max(dot(n, light), 0.0);
  if (castShadows && lit > 0.0) lit *= visible(place);
  float shade = gain * (fill + (1.0 - fill) * lit);
  vec3 c;
  if (show == 1) c = n * 0.5 + 0.5;
  else if (show == 3) {
    // Colour tells the depth, so the light may only hint at the form.
    c = ramp((place.z - low) / max(high - low, 1e-6)) * (0.55 + 0.45 * min(shade, 1.0));
  } else c = stored((show == 2 ? vec3(0.62, 0.58, 0.54) : tint) * shade);
  if (!wire && !gl_FrontFacing) c = mix(vec3(dot(c, vec3(0.33))), vec3(0.35), 0.75);
  gl_FragColor = vec4(c, 1.0);
}`;

const SHOWS = ["albedo", "normal", "clay", "depth"];

function makeMaterial() {
  const value = (v) => ({ value: v });
  return new THREE.ShaderMaterial({
    vertexShader: VERTEX,
    fragmentShader: FRAGMENT,
    side: THREE.DoubleSide,
    uniforms: {
      show: value(0), useRelief: value(false), castShadows: value(false), wire: value(false),
      light: value(new THREE.Vector3(0, 0, 1)), fill: value(0), gain: value(1),
      low: value(0), high: value(1), centre: value(new THREE.Vector2()), size: value(new THREE.Vector2()),
      heights: value(null),
    },
  });
}
