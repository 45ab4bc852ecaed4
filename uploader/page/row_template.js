/** How a row is built, before it is filled. */

const ROW = `
<li class="row">
  <div class="thumb" aria-hidden="true"><span></span></div>
  <div class="about">
    <p class="name"><span class="stem"></span><span class="extension"></span><span class="size"></span></p>
    <p class="state"></p>
  </div>
  <svg class="mark" aria-hidden="true"><use href="#mark"/></svg>
  <div class="actions"></div>
  <div class="bar" role="progressbar" aria-valuemin="0" aria-valuemax="100"><i></i></div>
  <button type="button" class="strip" aria-expanded="false"></button>
  <div class="offer"></div>
  <div class="conversation" hidden></div>
</li>`;

const template = document.createElement('template');
template.innerHTML = ROW.trim();

/** @returns {HTMLLIElement} */
export function emptyRow() {
  return /** @type {HTMLLIElement} */ (/** @type {Element} */ (template.content.firstElementChild).cloneNode(true));
}
