// Window and level of an image of 16 bits: the server draws each, and the picture changes when it
// is there.

const PAUSE_MS = 120;

export class Tones {
  constructor(host, image, signal) {
    Object.assign(this, { host, image });
    host.addEventListener("input", (event) => event.target.dataset?.tone && this.draw(), { signal });
  }

  range = (name) => this.host.querySelector(`[data-tone=${name}]`);

  step(name, by) {
    const range = this.range(name);
    if (!range) return;
    range.value = Number(range.value) + by * Number(range.dataset.step);
    this.draw();
  }

  draw() {
    const address = new URL(this.host.dataset.image, location.href);
    for (const name of ["window", "level"]) {
      const { value } = this.range(name);
      this.host.querySelector(`[data-tone-shown=${name}]`).textContent = value;
      address.searchParams.set(name[0], value);
    }
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => {
      // The former picture stays until the next one is there.
      const next = new Image();
      next.onload = () => this.host.isConnected && this.image.setAttribute("href", next.src);
      next.src = address.href;
    }, PAUSE_MS);
  }
}
