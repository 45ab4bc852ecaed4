/** A picture for those who have none at hand: drawn here, so that it comes from no other host and belongs to nobody. */

const WIDTH = 1600;
const HEIGHT = 1200;

/**
 * @param {string} name
 * @returns {Promise<File>}
 */
export async function samplePicture(name) {
  const canvas = Object.assign(document.createElement('canvas'), { width: WIDTH, height: HEIGHT });
  const pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
  const hue = Math.floor(Math.random() * 360);
  const sky = pen.createLinearGradient(0, 0, 0, HEIGHT);
  sky.addColorStop(0, `hsl(${hue} 60% 68%)`);
  sky.addColorStop(1, `hsl(${hue + 50} 80% 90%)`);
  pen.fillStyle = sky;
  pen.fillRect(0, 0, WIDTH, HEIGHT);
  pen.fillStyle = 'hsl(45 95% 82%)';
  pen.beginPath();
  pen.arc(WIDTH * 0.7, HEIGHT * 0.32, HEIGHT * 0.11, 0, 7);
  pen.fill();
  for (const [base, swing, light] of [[0.6, 0.07, 58], [0.73, 0.06, 44], [0.86, 0.05, 30]]) {
    pen.fillStyle = `hsl(${hue - 30} 32% ${light}%)`;
    pen.beginPath();
    pen.moveTo(0, HEIGHT);
    for (let x = 0; x <= WIDTH; x += 20) pen.lineTo(x, HEIGHT * (base + swing * Math.sin((x / WIDTH) * 6 + base * 20)));
    pen.lineTo(WIDTH, HEIGHT);
    pen.fill();
  }
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, 'image/jpeg', 0.9));
  return new File([/** @type {Blob} */ (blob)], name, { type: 'image/jpeg' });
}
