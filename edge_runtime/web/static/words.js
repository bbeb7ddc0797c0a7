// Everything the page says about what it sees, in plain words.

export const UNCERTAIN = "uncertain";

const WHY = {
  low_confidence: "No expression stands out.",
  small_face: "The face is too small. Come closer.",
  blurred: "The face is blurred. Hold still, or look for more light.",
  pose: "The head is turned away. Look at the camera.",
};

export function named(label) {
  return label.charAt(0).toUpperCase() + label.slice(1);
}

export function percent(share) {
  return `${Math.round(100 * share)}\u2009%`;
}

export function reasonOf(face) {
  return WHY[face.reason] ?? "No answer is possible.";
}

/** What the large word and the line below it say. */
export function told(face) {
  if (!face) {
    return { word: "No face", why: "Nobody is in view.", tone: null };
  }
  if (face.reason) {
    return { word: named(UNCERTAIN), why: reasonOf(face), tone: UNCERTAIN };
  }
  return { word: named(face.label), why: `${percent(face.confidence)} sure`, tone: face.label };
}

/** Why there is no live view, or null when there is one. */
export function veilOf(linked, condition) {
  if (!linked) {
    return "No connection to the device. Trying again…";
  }
  if (!condition || condition.state === "starting") {
    return "Starting…";
  }
  if (!condition.consent) {
    return "The camera is off until you agree.";
  }
  if (condition.state === "stalled") {
    return "The program does not answer.";
  }
  const cameras = {
    connecting: "Waiting for the camera…",
    paused: "The camera is paused.",
    lost: "The camera does not answer. Trying again…",
    ended: "The recording has ended.",
  };
  return cameras[condition.camera] ?? null;
}
