// Box, points and answer of each face, drawn over the picture or on an empty ground.

import { named, percent, UNCERTAIN } from "/words.js";

// Bright on every picture, whatever the page's theme is.
const TONES = {
  angry: "#ff7a6d",
  disgust: "#b5de57",
  sad: "#74afff",
  happy: "#ffc247",
  surprise: "#d3a3ff",
  uncertain: "#dbe3ec",
};
const DARK = "rgb(9 12 17 / 80%)";

// Lines that make a face of 15 points.
const STROKES = [
  ["left_eyebrow_inner_end", "left_eyebrow_outer_end"],
  ["right_eyebrow_inner_end", "right_eyebrow_outer_end"],
  ["left_eye_inner_corner", "left_eye_center", "left_eye_outer_corner"],
  ["right_eye_inner_corner", "right_eye_center", "right_eye_outer_corner"],
  ["mouth_left_corner", "mouth_center_top_lip", "mouth_right_corner", "mouth_center_bottom_lip", "mouth_left_corner"],
];

export class Overlay {
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
    this.strokes = [];
    this.mirror = false;
    this.ground = false;
  }

  configure(hello) {
    this.strokes = STROKES.map((names) => names.map((name) => hello.keypoints.indexOf(name)));
    this.mirror = hello.mirror;
    this.ground = !hello.picture;
  }

  draw(seen) {
    const ratio = window.devicePixelRatio || 1;
    const width = Math.round(this.canvas.clientWidth * ratio);
    const height = Math.round(this.canvas.clientHeight * ratio);
    if (this.canvas.width !== width || this.canvas.height !== height) {
      this.canvas.width = width;
      this.canvas.height = height;
    }
    const context = this.context;
    context.clearRect(0, 0, width, height);
    if (this.ground) {
      this.drawGround(width, height, ratio);
    }
    if (!seen) {
      return;
    }
    const scale = width / seen.width;
    const pen = Math.max(1.5 * ratio, width / 420);
    for (const face of [...seen.faces].reverse()) {
      this.drawFace(face, seen, scale, pen, ratio);
    }
  }

  drawGround(width, height, ratio) {
    const context = this.context;
    const step = width / 16;
    context.fillStyle = "#2a3542";
    for (let y = step / 2; y < height; y += step) {
      for (let x = step / 2; x < width; x += step) {
        context.fillRect(x - ratio, y - ratio, 2 * ratio, 2 * ratio);
      }
    }
  }

  drawFace(face, seen, scale, pen, ratio) {
    const tone = TONES[face.label] ?? TONES[UNCERTAIN];
    const place = ([x, y]) => [(this.mirror ? seen.width - x : x) * scale, y * scale];
    // A point at 0 lies in the middle of the first pixel, a box from 0 begins at that pixel's edge.
    const points = face.points.map(([x, y]) => place([x + 0.5, y + 0.5]));
    const [x0, y0] = place([face.box[0], face.box[1]]);
    const [x1, y1] = place([face.box[2], face.box[3]]);
    const box = { left: Math.min(x0, x1), right: Math.max(x0, x1), top: y0, bottom: y1 };
    this.drawBox(box, tone, pen, face.label === UNCERTAIN);
    this.drawPoints(points, tone, pen);
    this.drawTag(face, box, tone, ratio);
  }

  drawBox({ left, right, top, bottom }, tone, pen, dashed) {
    const context = this.context;
    const arm = Math.min(right - left, bottom - top) / 4;
    context.lineCap = "round";
    context.lineJoin = "round";
    context.setLineDash(dashed ? [pen * 3, pen * 3] : []);
    for (const [style, extra] of [[DARK, pen], [tone, 0]]) {
      context.strokeStyle = style;
      context.lineWidth = pen * 1.4 + extra;
      context.beginPath();
      for (const [x, y, dx, dy] of [[left, top, 1, 1], [right, top, -1, 1], [right, bottom, -1, -1], [left, bottom, 1, -1]]) {
        context.moveTo(x + dx * arm, y);
        context.lineTo(x, y);
        context.lineTo(x, y + dy * arm);
      }
      context.stroke();
    }
    context.setLineDash([]);
  }

  drawPoints(points, tone, pen) {
    const context = this.context;
    context.strokeStyle = this.ground ? tone : "rgb(255 255 255 / 55%)";
    context.lineWidth = this.ground ? pen : pen * 0.7;
    for (const stroke of this.strokes) {
      context.beginPath();
      stroke.forEach((index, turn) => context[turn ? "lineTo" : "moveTo"](...points[index]));
      context.stroke();
    }
    for (const [x, y] of points) {
      context.beginPath();
      context.arc(x, y, pen * 1.7, 0, 2 * Math.PI);
      context.fillStyle = tone;
      context.fill();
      context.lineWidth = pen * 0.6;
      context.strokeStyle = DARK;
      context.stroke();
    }
  }

  drawTag(face, box, tone, ratio) {
    const context = this.context;
    const size = Math.round(Math.max(13 * ratio, this.canvas.width / 42));
    const text = face.label === UNCERTAIN ? named(UNCERTAIN) : `${named(face.label)}  ${percent(face.confidence)}`;
    context.font = `600 ${size}px -apple-system, "Segoe UI", Roboto, Inter, "Noto Sans", "Liberation Sans", system-ui, sans-serif`;
    const width = context.measureText(text).width + size * 1.2;
    const height = size * 1.7;
    const x = Math.min(Math.max(box.left, 4 * ratio), this.canvas.width - width - 4 * ratio);
    const above = box.top - height - 6 * ratio;
    const y = above >= 4 * ratio ? above : Math.min(box.bottom + 6 * ratio, this.canvas.height - height - 4 * ratio);
    context.beginPath();
    context.roundRect(x, y, width, height, size * 0.4);
    context.fillStyle = tone;
    context.fill();
    context.fillStyle = "#0b0f15";
    context.textBaseline = "middle";
    context.fillText(text, x + size * 0.6, y + height / 2 + ratio * 0.5);
  }
}
