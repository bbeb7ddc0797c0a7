"""The page fits the screens it is made for, in a real Chromium: nothing is cut off, nothing is covered."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec
import pytest

pytest.importorskip("selenium", reason="selenium is missing: pip install -e '.[test]'")

from selenium.webdriver.chrome.webdriver import WebDriver
from selenium.webdriver.support.ui import WebDriverWait

from edge_runtime.payloads import OutMessage
from tests import samples
from tests.web import chromium
from tests.web.conftest import Running, face

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(chromium.missing() is not None, reason=str(chromium.missing())),
]

PATIENCE_S = 20.0
SIZES = {
    "phone": (390, 844),
    "upright kiosk": (480, 800),
    "Raspberry Pi's 7 inches": (800, 480),
    "10 inches": (1024, 600),
    "laptop": (1280, 800),
    "full HD": (1920, 1080),
}
SURPRISE = 4
"""The longest label."""
LEAST_TYPE_PX = 16.0
"""At arm's length on the smallest screen, 7 inches of 800 x 480, this is 3 mm."""
TROUBLE = "/dev/video0: no such camera; found no camera at all; plug one in, or use --source picamera"

FAULTS = """const [mayScroll] = arguments;
    const faults = [], page = document.documentElement, wide = page.clientWidth, high = page.clientHeight;
    const dialog = document.querySelector("dialog[open]");
    const within = (root, names) => names.split(",").flatMap((name) => [...root.querySelectorAll(name)]);
    const told = dialog
      ? within(dialog, "h2,p,button")
      : within(document, "header h1,header p,header li,header button,.trouble,.frame,h2,.word,.why,.bars li,.share,"
        + ".track,.figures div,#timeline,.legend li,.ticks span,.strip p").filter((one) => !one.closest("dialog"));
    const drawn = ".frame,canvas,.track";
    const seen = told.filter((one) => one.checkVisibility() && (one.textContent.trim() || one.matches(drawn)));
    const sides = ({ left, right, top, bottom }) => {
      const [x, y] = [(left + right) / 2, (top + bottom) / 2];
      return [[x, y], [left + 2, y], [right - 2, y], [x, top + 2], [x, bottom - 2]];
    };
    const tooLong = (one, across) => across && one.scrollWidth > one.clientWidth || one.scrollHeight > one.clientHeight;
    if (page.scrollWidth > wide) faults.push(`the page is ${page.scrollWidth} wide`);
    if (!mayScroll && page.scrollHeight > high) faults.push(`the page is ${page.scrollHeight} high`);
    if (!mayScroll && tooLong(document.body, true)) faults.push("the body holds more than it shows");
    if (dialog && tooLong(dialog.querySelector("#notice-text"), true)) faults.push("the notice must be scrolled");
    for (const one of seen) {
      const name = `${one.tagName} ${one.id || one.className} "${one.textContent.trim().slice(0, 20)}"`;
      if (mayScroll) one.scrollIntoView({ block: "center" });
      const box = one.getBoundingClientRect(), range = document.createRange();
      range.selectNodeContents(one);
      const text = one.matches(drawn) ? box : range.getBoundingClientRect();
      if (box.left < 0 || box.right > wide || box.top < 0 || box.bottom > high) faults.push(`${name} is outside`);
      if (text.left < box.left - 1 || text.right > box.right + 1) faults.push(`${name} is wider than its place`);
      const hits = sides(box).map(([x, y]) => document.elementFromPoint(x, y));
      for (const hit of hits.filter((hit) => hit && !one.contains(hit)))
        faults.push(`${name} is covered by ${hit.tagName} ${hit.id || hit.className}`);
    }
    return [seen.length, [...new Set(faults)]];"""
"""Count what is told, and name all of it that cannot be seen."""

TYPE = """return Math.min(...[...document.querySelectorAll(arguments[0])]
    .filter((one) => one.checkVisibility()).map((one) => parseFloat(getComputedStyle(one).fontSize)))"""
"""The smallest type of all that a selector finds, in pixels."""


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebDriver]:
    """One browser for all tests of this file."""
    with chromium.browser(tmp_path_factory.mktemp("chromium") / "profile") as opened:
        yield opened


def wait_for(driver: WebDriver, script: str, again: Callable[[], object] = lambda: None) -> None:
    """Do something again and again until a script returns what is true."""

    def turn(_: WebDriver) -> bool:
        again()
        return bool(driver.execute_script(f"return {script}"))

    WebDriverWait(driver, PATIENCE_S, 0.1).until(turn, script)


def require_fit(driver: WebDriver, *, may_scroll: bool = False) -> None:
    """Fail for everything on the page that is cut off or covered."""
    count, faults = driver.execute_script(FAULTS, may_scroll)

    assert count >= 3
    assert faults == []


def require_type(driver: WebDriver) -> None:
    """Fail when some type is too small to be read at arm's length."""
    smallest = driver.execute_script(TYPE, ".why, .bars li, .strip p, .trouble, button, dialog[open] p")

    assert smallest >= LEAST_TYPE_PX


def answer_notice(driver: WebDriver) -> None:
    """Press the notice's button, and wait for the page behind it."""
    press = "if (document.getElementById('notice').open) document.getElementById('notice-button').click()"
    unveiled = "document.getElementById('veil').hidden"
    wait_for(driver, f"!document.getElementById('notice').open && {unveiled}", lambda: driver.execute_script(press))


def show(running: Running, driver: WebDriver, *, word: str = "Surprise", trouble: str = "") -> None:
    """Let a face come, certain or blurred, and trouble."""
    status = msgspec.structs.replace(
        samples.status(),
        camera="running",
        state="degraded" if trouble else "running",
        reasons=(trouble,) if trouble else (),
    )
    running.parts.display.publish(OutMessage("status", status))
    wait_for(driver, f"document.getElementById('trouble').hidden === {str(not trouble).lower()}")
    seen = face(SURPRISE, reason=None if word == "Surprise" else "blurred")
    wait_for(driver, f"document.getElementById('word').textContent === '{word}'", lambda: running.show(seen))


@pytest.mark.parametrize("gate", [False, True], ids=["", "with the gate"])
@pytest.mark.parametrize("name", SIZES)
def test_the_kiosk_fits(name: str, driver: WebDriver, serve: Callable[..., Running], *, gate: bool) -> None:
    running = serve(consent_gate=gate)
    running.run()
    chromium.size(driver, *SIZES[name])
    driver.get(f"http://127.0.0.1:{running.port}/?kiosk")

    wait_for(driver, "document.getElementById('notice').open")
    require_fit(driver)
    require_type(driver)
    answer_notice(driver)
    for trouble in ("", TROUBLE):
        show(running, driver, trouble=trouble)
        require_fit(driver)
    require_type(driver)
    show(running, driver, word="Uncertain")
    require_fit(driver)


@pytest.mark.parametrize("gate", [False, True], ids=["", "with the gate"])
@pytest.mark.parametrize("name", SIZES)
def test_the_page_and_its_full_screen_fit(
    name: str, driver: WebDriver, serve: Callable[..., Running], *, gate: bool
) -> None:
    running = serve(consent_gate=gate)
    running.run()
    chromium.size(driver, *SIZES[name])
    driver.get(f"http://127.0.0.1:{running.port}/")

    if gate:
        wait_for(driver, "document.getElementById('notice').open")
        require_fit(driver, may_scroll=True)
        answer_notice(driver)
    show(running, driver, trouble=TROUBLE)
    require_fit(driver, may_scroll=True)
    driver.execute_script("document.getElementById('fullscreen').click()")
    show(running, driver)
    require_fit(driver)
