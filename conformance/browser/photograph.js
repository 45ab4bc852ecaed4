// A photograph as a phone's camera stores it: held upright, written sideways, with EXIF orientation 6. It is drawn here
// (sky, sun, hills and film grain), so its provenance is this file; the grain makes it as heavy as a real one.

/** EXIF with nothing but orientation 6: "rotate by 90 degrees clockwise to see it upright". */
const EXIF = Buffer.concat([
  Buffer.from([0xff, 0xe1, 0x00, 0x22]),
  Buffer.from('Exif\0\0', 'latin1'),
  Buffer.from('MM\0*', 'latin1'),
  Buffer.from([0, 0, 0, 8, 0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0]),
]);

/**
 * @param {import('puppeteer-core').Page} page any page; a canvas of it does the drawing
 * @param {{ width?: number, height?: number, grain?: number, hue?: number }} [look] size as stored, before rotation
 * @returns {Promise<Buffer>} JPEG bytes
 */
export async function drawPhotograph(page, { width = 4032, height = 3024, grain = 64, hue = 205 } = {}) {
  const base64 = await page.evaluate(drawInPage, { width, height, grain, hue });
  const jpeg = Buffer.from(base64, 'base64');
  return Buffer.concat([jpeg.subarray(0, 2), EXIF, jpeg.subarray(2)]);
}

/* c8 ignore start: runs in the page */
async function drawInPage({ width, height, grain, hue }) {
  const canvas = Object.assign(document.createElement('canvas'), { width, height });
  const pen = canvas.getContext('2d');
  // Upright is height wide and width tall; the sensor stores it turned by 90 degrees counter-clockwise.
  pen.translate(0, height);
  pen.rotate(-Math.PI / 2);
  const sky = pen.createLinearGradient(0, 0, 0, width);
  sky.addColorStop(0, `hsl(${hue} 70% 62%)`);
  sky.addColorStop(0.6, `hsl(${hue + 150} 80% 80%)`);
  pen.fillStyle = sky;
  pen.fillRect(0, 0, height, width);
  pen.fillStyle = 'hsl(45 95% 75%)';
  pen.beginPath();
  pen.arc(height * 0.68, width * 0.3, height * 0.1, 0, 7);
  pen.fill();
  for (const [base, swing, light] of [[0.62, 0.06, 45], [0.74, 0.05, 33], [0.87, 0.04, 20]]) {
    pen.fillStyle = `hsl(${hue - 40} 35% ${light}%)`;
    pen.beginPath();
    pen.moveTo(0, width);
    for (let x = 0; x <= height; x += 20) pen.lineTo(x, width * (base + swing * Math.sin((x / height) * 6 + base * 20)));
    pen.lineTo(height, width);
    pen.fill();
  }
  const pixels = pen.getImageData(0, 0, width, height);
  let seed = 7;
  for (let at = 0; at < pixels.data.length; at += 4) {
    seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
    const noise = ((seed >> 12) % grain) - grain / 2;
    for (const channel of [0, 1, 2]) pixels.data[at + channel] += noise;
  }
  pen.putImageData(pixels, 0, 0);
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, 'image/jpeg', 0.9));
  const bytes = new Uint8Array(await blob.arrayBuffer());
  let text = '';
  for (let at = 0; at < bytes.length; at += 32768) text += String.fromCharCode(...bytes.subarray(at, at + 32768));
  return btoa(text);
}
/* c8 ignore stop */
