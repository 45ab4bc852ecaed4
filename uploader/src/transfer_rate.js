/** How fast it goes and how long it will take: over the last seconds, since a phone's network changes by the second. */

const WINDOW_MS = 4000;
/** Before that, the first burst into the socket's buffer would be taken for the speed. */
const EARLIEST_MS = 400;

/** Remembers how many bytes had been sent when. */
export class TransferRate {
  /** @type {{ at: number, sent: number }[]} */
  #marks = [];

  /**
   * @param {number} sent bytes
   * @param {number} at milliseconds
   */
  mark(sent, at) {
    this.#marks.push({ at, sent });
    while (this.#marks.length > 2 && this.#marks[1].at < at - WINDOW_MS) this.#marks.shift();
  }

  /** @returns {number | null} nothing while it is too early to say */
  get bytesPerSecond() {
    if (this.#marks.length < 2) return null;
    const first = this.#marks[0];
    const last = this.#marks[this.#marks.length - 1];
    const elapsed = last.at - first.at;
    return elapsed < EARLIEST_MS ? null : ((last.sent - first.sent) * 1000) / elapsed;
  }

  /**
   * @param {number} total bytes
   * @returns {number | null}
   */
  secondsLeft(total) {
    const rate = this.bytesPerSecond;
    if (rate === null || rate <= 0) return null;
    return (total - this.#marks[this.#marks.length - 1].sent) / rate;
  }
}
