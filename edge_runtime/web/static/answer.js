// The large word, why it is said, and the five scores.

import { named, percent, told } from "/words.js";

const SPEAK_AFTER_MS = 1200; // a word that flickers is not read out
const LONG_WORD = 8;
const LEAST_SHOWN = 0.005;

export class Answer {
  constructor(root) {
    this.word = root.querySelector("#word");
    this.why = root.querySelector("#why");
    this.bars = root.querySelector("#bars");
    this.spoken = root.querySelector("#spoken");
    this.rows = [];
    this.heard = "";
    this.since = 0;
  }

  configure(hello) {
    this.rows = hello.labels.map(row);
    this.bars.replaceChildren(...this.rows.map(({ item }) => item));
  }

  show(face) {
    const { word, why, tone } = told(face);
    this.say(word, why, tone);
    this.weigh(face);
  }

  silence(word) {
    this.say(word, "", null);
    this.weigh(null);
  }

  weigh(face) {
    const leads = face ? Math.max(...face.scores) : 1;
    this.bars.className = `bars${face ? "" : " empty"}${face?.reason ? " unsure" : ""}`;
    this.rows.forEach(({ item, fill, share }, index) => {
      const score = face?.scores[index] ?? 0;
      fill.style.setProperty("--share", score < LEAST_SHOWN ? 0 : score);
      share.textContent = face ? percent(score) : "–";
      item.classList.toggle("leads", Boolean(face) && !face.reason && score === leads);
    });
  }

  say(word, why, tone) {
    if (this.word.textContent !== word) {
      this.word.textContent = word;
      this.since = performance.now();
    }
    this.word.className = `word${tone ? ` tone-${tone}` : ""}${word.length > LONG_WORD ? " long" : ""}`;
    if (this.why.textContent !== why) {
      this.why.textContent = why;
    }
    if (this.heard !== word && performance.now() - this.since > SPEAK_AFTER_MS) {
      this.heard = word;
      this.spoken.textContent = tone === "uncertain" ? `${word}. ${why}` : word;
    }
  }
}

function row(label) {
  const [item, name, share, track, fill] = ["li", "span", "span", "div", "div"].map((tag) => document.createElement(tag));
  item.className = `tone-${label}`;
  name.textContent = named(label);
  share.className = "share";
  track.className = "track";
  fill.className = "fill";
  track.append(fill);
  item.append(name, share, track);
  return { item, fill, share };
}
