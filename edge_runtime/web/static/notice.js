// What people are told first, and their answer where one is needed.

const ASK_AGAIN_MS = 60_000; // a kiosk shows the notice again when nobody was there for so long

export class NoticeBoard {
  constructor(root) {
    this.dialog = root.querySelector("#notice");
    this.button = root.querySelector("#notice-button");
    this.withdraw = root.querySelector("#withdraw");
    this.strip = root.querySelector("#strip");
    this.consentNeeded = false;
    this.consent = true;
    this.faceAt = performance.now();
    this.first = true;
    root.querySelector("#open-notice").addEventListener("click", () => this.open());
    this.button.addEventListener("click", (event) => this.pressed(event));
    this.withdraw.addEventListener("click", () => answer(false));
    // Browsers let Escape close a dialog whatever a page says; one that needs an answer comes back at once.
    this.dialog.addEventListener("close", () => this.mustAnswer && this.open());
  }

  get mustAnswer() {
    return this.consentNeeded && !this.consent;
  }

  configure(hello, kiosk) {
    const { notice } = hello;
    this.notice = notice;
    this.consentNeeded = hello.consent_needed;
    this.kiosk = kiosk;
    this.dialog.lang = this.strip.lang = this.withdraw.lang = notice.language;
    this.dialog.querySelector("#notice-title").textContent = notice.title;
    this.dialog.querySelector("#notice-text").replaceChildren(...notice.paragraphs.map(paragraph));
    this.strip.textContent = notice.strip;
    this.withdraw.textContent = notice.withdraw_button;
    if (this.first && kiosk) {
      this.open();
    }
    this.first = false;
  }

  /** Follow the device: somebody may have answered at another screen. */
  follow(condition) {
    const wasAsked = this.mustAnswer && this.dialog.open;
    this.consent = condition.consent;
    this.withdraw.hidden = !this.consentNeeded || !this.consent;
    if (this.mustAnswer) {
      this.open();
    } else if (wasAsked) {
      this.dialog.close();
    }
  }

  saw(faces) {
    const now = performance.now();
    if (faces) {
      this.faceAt = now;
    } else if (this.kiosk && now - this.faceAt > ASK_AGAIN_MS) {
      this.faceAt = now;
      this.open();
    }
  }

  open() {
    this.button.textContent = this.mustAnswer ? this.notice.agree_button : this.notice.continue_button;
    if (!this.dialog.open) {
      this.dialog.showModal();
    }
  }

  pressed(event) {
    if (this.mustAnswer) {
      event.preventDefault(); // the dialog closes when the device says that it heard
      answer(true);
    }
  }
}

function paragraph(text) {
  const element = document.createElement("p");
  element.textContent = text;
  return element;
}

function answer(agreed) {
  return fetch("/consent", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ agreed }),
  }).catch(() => undefined); // the connection is lost, and the page says so
}
