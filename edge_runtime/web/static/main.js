// Joins the parts: what the device says goes to the picture, the overlay, the answer, the timeline and the lamps.

import { Answer } from "/answer.js";
import { Feed } from "/feed.js";
import { NoticeBoard } from "/notice.js";
import { Overlay } from "/overlay.js";
import { Timeline } from "/timeline.js";
import { veilOf } from "/words.js";

const STALE_MS = 1500; // an older frame is not what is there now
const TIMELINE_MS = 500;

const find = (id) => document.getElementById(id);
const page = {
  answer: new Answer(document),
  notice: new NoticeBoard(document),
  overlay: new Overlay(find("overlay")),
  timeline: new Timeline(find("timeline"), find("legend")),
};
const asked = new URLSearchParams(location.search).has("kiosk");
const state = { linked: false, hello: null, condition: null, seen: null, seenAt: 0, due: false };

function hello(message) {
  state.linked = true;
  state.hello = message;
  state.seen = null;
  setKiosk(asked || message.kiosk || document.body.classList.contains("by-hand"));
  for (const part of [page.answer, page.overlay, page.timeline]) {
    part.configure(message);
  }
  page.notice.configure(message, asked || message.kiosk);
  find("frame").classList.toggle("mirror", message.mirror);
  stopPicture(); // the old stream is dead, even if the browser does not know
  draw();
}

function condition(message) {
  state.linked = true;
  state.condition = message;
  if (veilOf(true, message) !== null) {
    page.timeline.add(null); // what was there last is not there still
  }
  page.notice.follow(message);
  find("device").textContent = message.device_id;
  const camera = { running: "good", connecting: "warn", paused: "off", lost: "bad", ended: "off" };
  lamp("camera", camera[message.camera] ?? "off", message.camera);
  lamp("broker", { connected: "good", away: "bad", off: "off" }[message.broker], message.broker);
  lamp("accelerator", acceleratorLevel(message.accelerator), acceleratorName(message.accelerator));
  tellTrouble(message);
  draw();
}

function seen(message) {
  state.seen = message;
  state.seenAt = performance.now();
  if (page.timeline.add(message.faces[0]?.label ?? null)) {
    page.timeline.draw();
  }
  page.notice.saw(message.faces.length);
  if (!state.due) {
    state.due = true;
    requestAnimationFrame(() => {
      state.due = false;
      draw();
    });
  }
}

function lost() {
  state.linked = false;
  state.seen = null;
  page.timeline.add(null);
  stopPicture();
  for (const name of ["camera", "broker", "accelerator"]) {
    lamp(name, "off", "unknown");
  }
  find("trouble").hidden = true;
  draw();
}

function draw() {
  const current = performance.now() - state.seenAt < STALE_MS ? state.seen : null;
  const veil = veilOf(state.linked, state.condition);
  find("veil").hidden = veil === null;
  if (find("veil").textContent !== (veil ?? "")) {
    find("veil").textContent = veil ?? ""; // only when it changes: it is read out
  }
  if (veil === null) {
    startPicture();
  } else {
    stopPicture();
  }
  const shown = veil === null ? current : null;
  if (shown) {
    find("frame").style.setProperty("--ratio", shown.width / shown.height);
    page.answer.show(shown.faces[0] ?? null);
  } else {
    page.answer.silence(state.linked && veil === null ? "…" : "–");
  }
  page.overlay.draw(shown);
  find("fps").textContent = shown ? `${shown.fps.toFixed(0)} fps` : "–";
  find("latency").textContent = shown ? `${shown.latency_ms.toFixed(shown.latency_ms < 10 ? 1 : 0)} ms` : "–";
  find("faces").textContent = shown ? shown.faces.length : "–";
}

function startPicture() {
  const picture = find("picture");
  if (state.hello?.picture && picture.hidden) {
    picture.src = `/picture?${Math.round(performance.now())}`; // a new address: browsers share streams of the same one
    picture.hidden = false;
  }
}

function stopPicture() {
  find("picture").hidden = true;
  find("picture").removeAttribute("src");
}

function lamp(name, level, how) {
  const item = find(`lamp-${name}`);
  item.dataset.level = level;
  item.querySelector(".how").textContent = how;
}

function acceleratorLevel(name) {
  if (!name) {
    return "off";
  }
  return name.startsWith("cpu (") ? "warn" : "good"; // an Edge TPU is asked for, and the processor stands in
}

function acceleratorName(name) {
  if (!name) {
    return "unknown";
  }
  const words = name.replace(/edgetpu(?::(\w+):(\d+))?/, (_, bus, number) => ["Edge TPU", bus, number].filter(Boolean).join(" "));
  return words.replace(/^cpu\b/, "CPU");
}

function tellTrouble({ state: service, reasons, broker, broker_problem: problem }) {
  const told = service === "degraded" ? [...reasons] : [];
  if (broker === "away" && problem && !told.some((reason) => reason.includes(problem))) {
    told.push(problem);
  }
  find("trouble").hidden = told.length === 0;
  const text = told.join(" · ");
  if (find("trouble").textContent !== text) {
    find("trouble").textContent = text;
  }
}

function setKiosk(on) {
  document.body.classList.toggle("kiosk", on);
}

find("fullscreen").addEventListener("click", async () => {
  const on = !document.body.classList.contains("by-hand");
  document.body.classList.toggle("by-hand", on);
  setKiosk(on);
  find("fullscreen").textContent = on ? "Leave full screen" : "Full screen";
  try {
    await (on ? document.documentElement.requestFullscreen() : document.exitFullscreen());
  } catch {
    // A browser that refuses full screen still shows the large form.
  }
  draw();
});
document.addEventListener("fullscreenchange", () => {
  if (!document.fullscreenElement && document.body.classList.contains("by-hand")) {
    find("fullscreen").click();
  }
});
find("picture").addEventListener("error", () => setTimeout(stopPicture, 1000));
window.addEventListener("resize", () => draw());
setInterval(() => {
  if (performance.now() - state.seenAt > STALE_MS) {
    draw();
  }
  page.timeline.draw();
}, TIMELINE_MS);
new Feed({ hello, seen, condition, lost });
