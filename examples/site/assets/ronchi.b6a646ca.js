// A Ronchi test one can play with: the shadows of a grating across a mirror, by the slope of its surface.

/** Draws the bands for a grating at `offset` mm inside the centre of curvature, for a figure from sphere (0) to paraboloid (1). */
export function bands(canvas, offset, figure) {
  const size = canvas.width;
  const context = canvas.getContext("2d");
  const image = context.createImageData(size, size);
  const middle = (size - 1) / 2;
  const radius = size * 0.46;
  for (let row = 0; row < size; row += 1) {
    for (let column = 0; column < size; column += 1) {
      const x = (column - middle) / radius;
      const y = (row - middle) / radius;
      const square = x * x + y * y;
      const at = 4 * (row * size + column);
      image.data[at + 3] = 255;
      if (square > 1) {
        image.data.set([13, 14, 18], at);
        continue;
      }
      const across = x * (offset - figure * 4.6 * square);
      const shade = 0.5 + 0.5 * Math.tanh(3 * Math.sin(2 * Math.PI * across));
      image.data.set([40 + 180 * shade, 46 + 200 * shade, 40 + 164 * shade], at);
    }
  }
  context.putImageData(image, 0, 0);
}

const canvas = document.querySelector("canvas[data-ronchi]");
const slider = document.querySelector("input[data-figure]");
if (canvas && slider) {
  const show = () => bands(canvas, 6.5, Number(slider.value));
  slider.addEventListener("input", show);
  show();
}
document.documentElement.dataset.bench = "ready";
