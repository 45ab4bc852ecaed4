/** An `XMLHttpRequest` whose transfer the test plays by hand: unit level only, the real one is tested in a browser. */

/** @typedef {{ loaded: number, total: number }} Extent */

export class ScriptedRequest {
  /** @type {{ onprogress: ((event: Extent) => void) | null, onload: (() => void) | null }} */
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
  aborted = false;
  /** @type {string | null} */
  url = null;
  /** @type {FormData | null} */
  form = null;
  #headers = '';

  /**
   * @param {string} _method
   * @param {string} url
   */
  open(_method, url) {
    this.url = url;
  }

  /** @param {FormData} form */
  send(form) {
    this.form = form;
  }

  abort() {
    this.aborted = true;
    this.onabort?.();
    this.onloadend?.();
  }

  getAllResponseHeaders() {
    return this.#headers;
  }

  /**
   * @param {number} loaded
   * @param {number} total
   */
  progress(loaded, total) {
    this.upload.onprogress?.({ loaded, total });
  }

  sendAll() {
    this.upload.onload?.();
  }

  /**
   * @param {number} status
   * @param {string} [body]
   * @param {Record<string, string>} [headers]
   */
  answer(status, body = '', headers = {}) {
    this.status = status;
    this.responseText = body;
    this.#headers = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`).join('');
    this.onload?.();
    this.onloadend?.();
  }

  breakConnection() {
    this.onerror?.();
    this.onloadend?.();
  }
}

/** Makes requests on demand and hands each to the test once it has been sent. */
export class RequestDesk {
  /** @type {ScriptedRequest[]} */
  requests = [];
  create = () => {
    const request = new ScriptedRequest();
    this.requests.push(request);
    return /** @type {XMLHttpRequest} */ (/** @type {unknown} */ (request));
  };

  /**
   * @param {number} [index]
   * @returns {Promise<ScriptedRequest & { form: FormData }>}
   */
  async sent(index = 0) {
    for (let turn = 0; turn < 200; turn += 1) {
      const request = this.requests[index];
      if (request?.form) return /** @type {ScriptedRequest & { form: FormData }} */ (request);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    throw new Error(`request ${index} was never sent`);
  }
}
