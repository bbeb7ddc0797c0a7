"""The page while the camera does not run, in a real Chromium: it says so, and shows nothing that is over."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec
import pytest

pytest.importorskip("selenium", reason="selenium is missing: pip install -e '.[test]'")

from selenium.webdriver.chrome.webdriver import WebDriver
from selenium.webdriver.support.ui import WebDriverWait

from edge_runtime.payloads import OutMessage
from edge_runtime.testing import MemorySink
from tests import samples
from tests.web import chromium
from tests.web.conftest import Running, face

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(chromium.missing() is not None, reason=str(chromium.missing())),
]

PATIENCE_S = 30.0
Serve = Callable[..., Running]


class AwayBroker(MemorySink):
    """A sink whose broker does not answer."""

    connected = False
    problem = "mqtt: broker:1883: connection refused"

    def __init__(self) -> None:
        super().__init__()
        self.name = "mqtt"


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebDriver]:
    """One browser for all tests of this file."""
    with chromium.browser(tmp_path_factory.mktemp("chromium") / "profile") as opened:
        yield opened


def wait(driver: WebDriver, condition: Callable[[], object], message: str) -> None:
    WebDriverWait(driver, PATIENCE_S, 0.1).until(lambda _: condition(), message)


def said(driver: WebDriver, element: str) -> str:
    return str(driver.execute_script("return document.getElementById(arguments[0]).textContent", element))


def is_hidden(driver: WebDriver, element: str) -> bool:
    return bool(driver.execute_script("return document.getElementById(arguments[0]).hidden", element))


def tell(running: Running, **status: object) -> None:
    """Publish a status as the service does."""
    running.parts.display.publish(OutMessage("status", msgspec.structs.replace(samples.status(), **status)))


def opened_with_a_happy_face(running: Running, driver: WebDriver) -> None:
    """Show frames until the answer is spoken, so that the page has all it can have."""
    running.run()
    driver.get(f"http://127.0.0.1:{running.port}/")

    def spoken() -> bool:
        running.show(face())
        return said(driver, "spoken") == "Happy" and not is_hidden(driver, "picture")

    wait(driver, spoken, "the answer is not spoken")


def timeline(driver: WebDriver) -> str:
    return str(driver.execute_script("return document.getElementById('timeline').getAttribute('aria-label')"))


def grows(driver: WebDriver) -> bool:
    """Whether the timeline counts on: for two seconds, and not in the one in which it is drawn for the last time."""
    driver.execute_async_script("setTimeout(arguments[0], 1000)")
    before = timeline(driver)
    driver.execute_async_script("setTimeout(arguments[0], 2000)")
    return timeline(driver) != before


def test_a_pause_is_said_and_nothing_of_before_is_shown_spoken_or_counted_on(serve: Serve, driver: WebDriver) -> None:
    running = serve()
    opened_with_a_happy_face(running, driver)

    tell(running, camera="paused")
    wait(driver, lambda: said(driver, "veil") == "The camera is paused.", "the pause is not said")
    wait(driver, lambda: said(driver, "spoken") != "Happy", "the old answer stays spoken")

    assert is_hidden(driver, "picture")
    assert not is_hidden(driver, "veil")
    assert driver.find_element("id", "veil").get_attribute("role") == "status"
    assert "happy" in timeline(driver)
    assert not grows(driver)


def test_the_timeline_ends_with_the_connection(serve: Serve, driver: WebDriver) -> None:
    running = serve()
    opened_with_a_happy_face(running, driver)

    running.parts.server.__exit__(None, None, None)
    wait(driver, lambda: "No connection" in said(driver, "veil"), "the loss is not said")

    assert not grows(driver)
    assert "happy" in timeline(driver)


def test_consent_that_is_missing_is_told_before_the_pause_that_follows_from_it(serve: Serve, driver: WebDriver) -> None:
    running = serve(consent_gate=True)
    tell(running, camera="paused")

    driver.get(f"http://127.0.0.1:{running.port}/")

    wait(driver, lambda: said(driver, "veil") == "The camera is off until you agree.", "consent is not asked for")


def test_a_trouble_that_is_a_reason_too_is_shown_once(serve: Serve, driver: WebDriver) -> None:
    running = serve()
    running.parts.display.sinks = [AwayBroker()]
    driver.get(f"http://127.0.0.1:{running.port}/")

    tell(running)
    wait(driver, lambda: said(driver, "trouble") == AwayBroker.problem, "the broker's trouble is not shown")
    tell(running, state="degraded", reasons=(f"{AwayBroker.problem}; loses messages", "too hot"))
    wait(driver, lambda: "too hot" in said(driver, "trouble"), "the reasons are not shown")

    assert said(driver, "trouble") == f"{AwayBroker.problem}; loses messages · too hot"


@pytest.mark.parametrize(
    ("accelerator", "level", "name"),
    [
        ("cpu", "good", "CPU"),
        ("edgetpu:usb:0", "good", "Edge TPU usb 0"),
        ("cpu (edgetpu:usb:0: no such device)", "warn", "CPU (Edge TPU usb 0: no such device)"),
        ("cpu (edgetpu lost: the process ended)", "warn", "CPU (Edge TPU lost: the process ended)"),
    ],
)
def test_an_edge_tpu_that_is_missing_is_a_warning(
    accelerator: str, level: str, name: str, serve: Serve, driver: WebDriver
) -> None:
    running = serve()
    tell(running, accelerator=accelerator)

    driver.get(f"http://127.0.0.1:{running.port}/")

    lamp = driver.find_element("id", "lamp-accelerator")
    wait(driver, lambda: lamp.find_element("class name", "how").text == name, "the accelerator is not named")
    assert lamp.get_attribute("data-level") == level
