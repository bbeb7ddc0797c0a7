// What the nearest face showed over the last minutes: a band of colours, with words where there is room.

import { named, UNCERTAIN } from "/words.js";

const SPAN_MS = 180_000;
const SHORTEST_SPOKEN_MS = 1000;

export class Timeline {
  constructor(canvas, legend) {
    this.canvas = canvas;
    this.legend = legend;
    this.context = canvas.getContext("2d");
    this.moments = []; // {at, label}: ascending; label null = nobody
  }

  configure(hello) {
    const now = performance.now();
    this.moments = hello.timeline.map(({ age_s, label }) => ({ at: now - 1000 * age_s, label }));
    this.legend.replaceChildren(
      ...hello.labels.map((label) => entry(named(label), `tone-${label}`, "")),
      entry(named(UNCERTAIN), `tone-${UNCERTAIN}`, "hatched"),
      entry("Nobody", "", "blank"),
    );
  }

  /** Returns whether this is something new. */
  add(label) {
    const isNew = this.moments.at(-1)?.label !== label;
    if (isNew) {
      this.moments.push({ at: performance.now(), label });
    }
    while (this.moments.length > 1 && performance.now() - this.moments[1].at > SPAN_MS) {
      this.moments.shift();
    }
    return isNew;
  }

  draw() {
    const ratio = window.devicePixelRatio || 1;
    const { canvas, context } = this;
    canvas.width = Math.round(canvas.clientWidth * ratio);
    canvas.height = Math.round(canvas.clientHeight * ratio);
    const style = getComputedStyle(canvas);
    const now = performance.now();
    const placed = (at) => canvas.width * (1 - Math.min(now - at, SPAN_MS) / SPAN_MS);
    this.moments.forEach(({ at, label }, index) => {
      const end = this.moments[index + 1]?.at ?? now;
      if (label && now - end < SPAN_MS) {
        this.drawSpan(label, placed(at), placed(end), style, ratio);
      }
    });
    context.fillStyle = style.getPropertyValue("--card");
    for (const third of [1 / 3, 2 / 3]) {
      context.fillRect(Math.round(canvas.width * third), 0, ratio, canvas.height);
    }
    canvas.setAttribute("aria-label", this.spoken(now));
  }

  drawSpan(label, from, to, style, ratio) {
    const { canvas, context } = this;
    const tone = style.getPropertyValue(`--${label}`);
    const width = Math.max(to - from, ratio);
    context.save();
    context.beginPath();
    context.rect(from, 0, width, canvas.height);
    context.clip();
    context.fillStyle = context.strokeStyle = tone;
    if (label === UNCERTAIN) {
      context.globalAlpha = 0.55;
      context.lineWidth = 2 * ratio;
      const step = 8 * ratio;
      for (let x = Math.floor(from / step) * step - canvas.height; x < to; x += step) {
        context.beginPath();
        context.moveTo(x, canvas.height);
        context.lineTo(x + canvas.height, 0);
        context.stroke();
      }
    } else {
      context.fillRect(from, 0, width, canvas.height);
      this.drawName(label, from, width, style, ratio);
    }
    context.restore();
  }

  drawName(label, from, width, style, ratio) {
    const { canvas, context } = this;
    context.font = `600 ${13 * ratio}px ${style.fontFamily}`;
    context.fillStyle = style.getPropertyValue("--card");
    context.textBaseline = "middle";
    if (context.measureText(named(label)).width + 16 * ratio <= width) {
      context.fillText(named(label), from + 8 * ratio, canvas.height / 2);
    }
  }

  /** The same in words: how long each answer lasted. */
  spoken(now) {
    const sums = new Map();
    this.moments.forEach(({ at, label }, index) => {
      const lasted = (this.moments[index + 1]?.at ?? now) - Math.max(at, now - SPAN_MS);
      if (label && lasted > 0) {
        sums.set(label, (sums.get(label) ?? 0) + lasted);
      }
    });
    const parts = [...sums].filter(([, ms]) => ms >= SHORTEST_SPOKEN_MS).sort((a, b) => b[1] - a[1]);
    return parts.length ? parts.map(([label, ms]) => `${label} ${Math.round(ms / 1000)} seconds`).join(", ") : "Nobody was seen";
  }
}

function entry(text, tone, kind) {
  const item = document.createElement("li");
  const swatch = document.createElement("span");
  item.className = tone;
  swatch.className = `swatch ${kind}`;
  item.append(swatch, text);
  return item;
}
