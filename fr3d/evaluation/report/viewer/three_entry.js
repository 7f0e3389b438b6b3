// What the page takes of three.js 0.187.0 (MIT, LICENSE-three). three.min.js is made from this by
//   npm install three@0.187.0 esbuild@0.28.2
//   npx esbuild three_entry.js --bundle --minify --format=iife --global-name=THREE \
//     --target=es2020 --legal-comments=none --outfile=three.min.js
export {
  BufferAttribute,
  BufferGeometry,
  DataTexture,
  DoubleSide,
  FloatType,
  Mesh,
  NearestFilter,
  PerspectiveCamera,
  RedFormat,
  Scene,
  ShaderMaterial,
  Vector2,
  Vector3,
  WebGLRenderer,
} from "three";
