/**
 * An `XMLHttpRequest` that really sends, by way of Node's `fetch`, so that a real server sees the bytes that a form
 * makes. It knows no upload progress; that is a browser's matter.
 */
export class FormRequest {
  /** @type {{ onprogress: unknown, onload: (() => void) | null }} */
  upload = { onprogress: null, onload: null };
  /** @type {(() => void) | null} */
  onload = null;
  /** @type {(() => void) | null} */
  onerror = null;
  /** @type {(() => void) | null} */
  onabort = null;
  /** @type {(() => void) | null} */
  onloadend = null;
  status = 0;
  responseText = '';
  #url = '';
  /** @type {Headers} */
  #headers = new Headers();
  #controller = new AbortController();

  /**
   * @param {string} _method
   * @param {string} url
   */
  open(_method, url) {
    this.#url = url;
  }

  /** @param {FormData} form */
  async send(form) {
    try {
      const response = await fetch(this.#url, { method: 'POST', body: form, signal: this.#controller.signal });
      this.upload.onload?.();
      this.status = response.status;
      this.#headers = response.headers;
      this.responseText = await response.text();
      this.onload?.();
    } catch {
      if (!this.#controller.signal.aborted) this.onerror?.();
    }
    this.onloadend?.();
  }

  abort() {
    this.#controller.abort();
    this.onabort?.();
  }

  getAllResponseHeaders() {
    return [...this.#headers].map(([name, value]) => `${name}: ${value}\r\n`).join('');
  }
}
