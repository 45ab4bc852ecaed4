/**
 * Small pictures of the files themselves, before and without any upload, and only of rows that can be seen: two
 * hundred photographs of eight megabytes would otherwise all be decoded at once.
 */

/** @type {WeakMap<Element, File>} */
const files = new WeakMap();

const observer = new IntersectionObserver(
  (entries) => {
    for (const { target, isIntersecting } of entries) {
      if (isIntersecting) show(target);
      else hide(target);
    }
  },
  { rootMargin: '200px 0px' },
);

/**
 * @param {HTMLElement} box of a fixed size, so that nothing moves when the picture comes
 * @param {File} file
 */
export function thumbnail(box, file) {
  if (!file.type.startsWith('image/')) return;
  files.set(box, file);
  observer.observe(box);
}

/** @param {HTMLElement} box of a row that goes away */
export function forgetThumbnail(box) {
  observer.unobserve(box);
  hide(box);
}

/** @param {Element} box */
function show(box) {
  const file = files.get(box);
  if (file === undefined || box.querySelector('img') !== null) return;
  const picture = new Image(48, 48);
  picture.alt = '';
  picture.decoding = 'async';
  picture.src = URL.createObjectURL(file);
  picture.onload = () => URL.revokeObjectURL(picture.src);
  picture.onerror = () => {
    URL.revokeObjectURL(picture.src);
    picture.remove(); // the letters of the extension are under it
    observer.unobserve(box);
  };
  box.append(picture);
}

/** @param {Element} box */
function hide(box) {
  const picture = box.querySelector('img');
  if (picture === null) return;
  URL.revokeObjectURL(picture.src);
  picture.remove();
}
