// The device's updates: one EventSource that comes back by itself, whatever ended it.

const SILENCE_MS = 8000; // the device speaks every two seconds
const RETRY_MS = 1500;

export class Feed {
  /** @param {{hello: Function, seen: Function, condition: Function, lost: Function}} hearer */
  constructor(hearer) {
    this.hearer = hearer;
    this.heardAt = performance.now();
    this.open();
    setInterval(() => this.check(), 1000);
  }

  open() {
    this.source = new EventSource("/updates");
    for (const name of ["hello", "seen", "condition"]) {
      this.source.addEventListener(name, (event) => this.heard(name, event));
    }
    this.source.addEventListener("error", () => this.hearer.lost());
  }

  heard(name, event) {
    this.heardAt = performance.now();
    this.hearer[name](JSON.parse(event.data));
  }

  /** EventSource gives up for good after an answer such as 503, and cannot know that a silent line is dead. */
  check() {
    const waited = performance.now() - this.heardAt;
    if ((this.source.readyState === EventSource.CLOSED && waited > RETRY_MS) || waited > SILENCE_MS) {
      this.source.close();
      this.hearer.lost();
      this.heardAt = performance.now();
      this.open();
    }
  }
}
