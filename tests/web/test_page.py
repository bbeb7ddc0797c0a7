"""The page in a real Chromium, before the program as people start it: the demo, over real sockets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

pytest.importorskip("selenium", reason="selenium is missing: pip install -e '.[test]'")
pytest.importorskip("skimage", reason="the demo's photograph is missing: pip install -e '.[demo]'")

from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.chrome.webdriver import WebDriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from tests.web import chromium
from tests.web.program import free_port, running

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(chromium.missing() is not None, reason=str(chromium.missing())),
]

PATIENCE_S = 60.0
"""The demo's face leaves for a few seconds in every twelve, and this machine may be busy."""

WHOLE = """const picture = document.getElementById('picture');
    return picture.hidden || picture.naturalWidth > 0 && document.getAnimations().length === 0"""
"""Whether the page shows all it has: the picture, and bars that stand still."""

ANSWERS = {"Angry", "Disgust", "Sad", "Happy", "Surprise"}
T = TypeVar("T")


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebDriver]:
    """One browser for all tests of this file."""
    with chromium.browser(tmp_path_factory.mktemp("chromium") / "profile") as opened:
        yield opened


@pytest.fixture(scope="module")
def demo() -> Iterator[int]:
    """Run the demo with its page, and return its port."""
    with running(free_port()) as port:
        yield port


@pytest.fixture
def shot(request: pytest.FixtureRequest, driver: WebDriver, tmp_path: Path) -> Callable[[str], Path]:
    """Return a function that keeps a picture of the page under a name."""
    folder: Path = request.config.getoption("--screenshots") or tmp_path
    folder.mkdir(parents=True, exist_ok=True)

    def keep(name: str) -> Path:
        path = folder / f"{name}.png"
        wait(driver, lambda d: d.execute_script(WHOLE), "the picture does not come")
        assert driver.save_screenshot(str(path))
        return path

    return keep


def wait(driver: WebDriver, condition: Callable[[WebDriver], T], message: str) -> T:
    patient = WebDriverWait(driver, PATIENCE_S, 0.1, ignored_exceptions=[StaleElementReferenceException])
    return patient.until(condition, message)


def text(driver: WebDriver, element: str) -> str:
    return " ".join(driver.find_element(By.ID, element).text.split())


def open_page(driver: WebDriver, port: int, path: str = "/", *, width: int = 1280, height: int = 800) -> None:
    chromium.size(driver, width, height)
    chromium.prefer(driver, prefers_color_scheme="light")
    driver.get(f"http://localhost:{port}{path}")


def wait_for_face(driver: WebDriver) -> str:
    """Wait until a face is answered with one of the five labels, well inside the picture, and return the word."""

    def answered(_: WebDriver) -> str | bool:
        word = text(driver, "word")
        return word if word in ANSWERS and text(driver, "why") > "8" else False

    return str(wait(driver, answered, "no face was answered"))


def drawn_pixels(driver: WebDriver, canvas: str) -> int:
    script = """const c = document.getElementById(arguments[0]);
        const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
        let n = 0; for (let i = 3; i < d.length; i += 4) n += d[i] > 0; return n;"""
    return int(driver.execute_script(script, canvas))


def test_the_demos_face_is_shown_with_points_scores_and_picture(
    demo: int, driver: WebDriver, shot: Callable[[str], Path]
) -> None:
    open_page(driver, demo)

    word = wait_for_face(driver)
    shot("desktop")

    leading = driver.find_element(By.CSS_SELECTOR, ".bars .leads")
    assert leading.text.splitlines()[0] in ANSWERS
    assert word in ANSWERS
    assert drawn_pixels(driver, "overlay") > 500
    assert wait(driver, lambda d: d.execute_script("return document.getElementById('picture').naturalWidth"), "picture")
    assert text(driver, "fps").endswith("fps")
    assert text(driver, "latency").endswith("ms")
    assert text(driver, "device") == "kiosk-1"
    assert text(driver, "lamp-camera") == "Camera running"
    assert text(driver, "lamp-broker") == "Broker off"
    assert text(driver, "lamp-accelerator") == "Runs on CPU"


def test_points_move_and_the_timeline_grows(demo: int, driver: WebDriver) -> None:
    open_page(driver, demo)
    wait_for_face(driver)
    snapshot = "return document.getElementById('overlay').toDataURL()"

    first = driver.execute_script(snapshot)

    assert wait(driver, lambda d: d.execute_script(snapshot) != first, "nothing moves")
    assert wait(driver, lambda d: drawn_pixels(d, "timeline") > 0, "the timeline stays empty")
    label = driver.find_element(By.ID, "timeline").get_attribute("aria-label")
    assert wait(driver, lambda _: label, "the timeline has no words")


def test_nobody_in_view_is_said(demo: int, driver: WebDriver, shot: Callable[[str], Path]) -> None:
    open_page(driver, demo)

    wait(driver, lambda _: text(driver, "word") == "No face", "the face never left")
    shot("no-face")

    assert text(driver, "why") == "Nobody is in view."
    assert text(driver, "faces") == "0"


def test_nothing_is_loaded_from_elsewhere_and_nothing_breaks_the_policy(demo: int, driver: WebDriver) -> None:
    driver.get_log("browser")  # type: ignore[no-untyped-call]
    open_page(driver, demo)
    wait_for_face(driver)

    script = "return performance.getEntriesByType('resource').map((entry) => new URL(entry.name).host)"
    hosts = set(driver.execute_script(script))
    log = driver.get_log("browser")  # type: ignore[no-untyped-call]
    complaints = [entry["message"] for entry in log if "/updates" not in entry["message"]]

    assert hosts == {f"localhost:{demo}"}
    assert complaints == []


def test_uncertain_is_shown_with_its_reason(driver: WebDriver, shot: Callable[[str], Path]) -> None:
    with running(free_port(), POLICY__MAX_YAW="0") as port:
        open_page(driver, port)

        wait(driver, lambda _: text(driver, "word") == "Uncertain", "never uncertain")
        shot("uncertain")

        assert text(driver, "why") == "The head is turned away. Look at the camera."


def test_kiosk_shows_the_notice_first_then_large_type(
    demo: int, driver: WebDriver, shot: Callable[[str], Path]
) -> None:
    open_page(driver, demo, "/?kiosk", width=1920, height=1080)

    wait(driver, lambda _: driver.find_element(By.ID, "notice-button").is_displayed(), "no notice")
    shot("kiosk-notice")
    driver.switch_to.active_element.send_keys(Keys.ENTER)
    wait_for_face(driver)
    shot("kiosk")

    assert not driver.find_element(By.ID, "notice").is_displayed()
    assert text(driver, "strip").startswith("A camera here reads facial expressions")
    size = driver.execute_script("return parseFloat(getComputedStyle(document.getElementById('word')).fontSize)")
    assert size > 100


def test_nothing_is_read_before_somebody_agrees(driver: WebDriver, shot: Callable[[str], Path]) -> None:
    with running(free_port(), WEB__CONSENT_GATE="true") as port:
        open_page(driver, port)

        button = driver.find_element(By.ID, "notice-button")
        wait(driver, lambda _: button.is_displayed(), "nobody is asked")
        paused = wait(driver, lambda _: text(driver, "lamp-camera") == "Camera paused", "not paused")
        shot("consent")
        driver.find_element(By.TAG_NAME, "body").send_keys(Keys.ESCAPE)
        still_asked = wait(driver, lambda _: button.is_displayed(), "Escape gets by without an answer")
        button.click()
        wait_for_face(driver)
        driver.find_element(By.ID, "withdraw").click()

        assert (paused, still_asked) == (True, True)
        assert wait(driver, lambda _: text(driver, "lamp-camera") == "Camera paused", "does not stop")
        assert not driver.find_element(By.ID, "picture").is_displayed()


def test_without_picture_points_are_drawn_on_an_empty_ground(driver: WebDriver, shot: Callable[[str], Path]) -> None:
    with running(free_port(), WEB__PICTURE="false") as port:
        open_page(driver, port)

        wait_for_face(driver)
        shot("points-only")

        assert not driver.find_element(By.ID, "picture").is_displayed()
        assert drawn_pixels(driver, "overlay") > 500


def test_the_page_survives_a_restart_of_the_program(driver: WebDriver) -> None:
    port = free_port()
    with running(port):
        open_page(driver, port)
        wait_for_face(driver)

    gone = wait(driver, lambda _: "No connection" in text(driver, "veil"), "the loss is not said")
    with running(port):
        word = wait_for_face(driver)

    assert gone
    assert word in ANSWERS


@pytest.mark.parametrize(
    ("name", "width", "height"), [("mobile", 390, 844), ("tablet", 820, 1180), ("wide", 1920, 1080)]
)
def test_nothing_is_wider_than_the_window(
    name: str, width: int, height: int, demo: int, driver: WebDriver, shot: Callable[[str], Path]
) -> None:
    open_page(driver, demo, width=width, height=height)

    wait_for_face(driver)
    if name == "mobile":
        shot(name)

    assert driver.execute_script("return document.documentElement.scrollWidth") <= width


def test_dark_theme_is_dark(demo: int, driver: WebDriver, shot: Callable[[str], Path]) -> None:
    open_page(driver, demo)
    chromium.prefer(driver, prefers_color_scheme="dark")

    wait_for_face(driver)
    shot("dark")

    script = "return getComputedStyle(document.body).backgroundColor"
    red, green, blue = (int(part) for part in driver.execute_script(script)[4:-1].split(","))
    assert max(red, green, blue) < 40


def test_bars_stand_still_for_who_asked_for_less_motion(demo: int, driver: WebDriver) -> None:
    open_page(driver, demo)
    chromium.prefer(driver, prefers_reduced_motion="reduce")
    wait_for_face(driver)

    script = "return getComputedStyle(document.querySelector('.fill')).transitionProperty"

    assert driver.execute_script(script) == "none"


def test_the_answer_is_spoken_and_every_button_is_reached_by_keyboard(demo: int, driver: WebDriver) -> None:
    open_page(driver, demo)
    wait_for_face(driver)
    body = driver.find_element(By.TAG_NAME, "body")

    reached = []
    for _ in range(3):
        body.send_keys(Keys.TAB)
        reached.append(driver.switch_to.active_element.text)

    assert reached == ["Skip to the answer", "Notice", "Full screen"]
    spoken = driver.find_element(By.ID, "spoken")
    assert spoken.get_attribute("aria-live") == "polite"
    said = "return document.getElementById('spoken').textContent"
    assert wait(driver, lambda d: d.execute_script(said), "nothing was spoken")
