"""The playground's page in a headless Chromium, as a person uses it."""

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from selenium.webdriver import Chrome, ChromeOptions, ChromeService
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
CHROMEDRIVER = shutil.which("chromedriver")
PATIENCE_S = 15
FLAGS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--hide-scrollbars",
    "--lang=en-US",
]


def chromium_is_here() -> bool:
    """Whether this machine has Chromium and its driver."""
    return CHROMIUM is not None and CHROMEDRIVER is not None


class Browser:
    """One Chromium window with a profile of its own, thrown away by `close`."""

    def __init__(self) -> None:
        self.profile = tempfile.mkdtemp(prefix="page-")
        options = ChromeOptions()
        options.binary_location = str(CHROMIUM)
        for flag in [*FLAGS, f"--user-data-dir={self.profile}"]:
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = Chrome(options=options, service=ChromeService(str(CHROMEDRIVER)))
        self.url = ""
        self.resize(1280)

    def close(self) -> None:
        """End Chromium and remove its profile."""
        self.driver.quit()
        shutil.rmtree(self.profile, ignore_errors=True)

    # Going somewhere

    def open_page(self, url: str, user: str | None = None, at: str | None = None) -> None:
        """Open the page at the playground's address, as `user` (an id) and at a channel id or "home" if given."""
        self.url = url.rstrip("/")
        self.driver.get("about:blank")
        self.driver.get(f"{self.url}/" + (f"#/{user or ''}/{at or ''}" if user or at else ""))
        self.wait_for(".page")

    def become(self, user: str) -> None:
        """Choose another person (by id) in the sidebar."""
        self._to_sidebar()
        self.wait_for(".switcher-button").click()
        self.wait_for(f'.menu [data-user="{user}"]').click()
        self.wait_for(f'.page[data-user="{user}"]')

    def open_channel(self, channel: str) -> None:
        """Open a channel or a direct conversation by its id; "home" is the app's Home tab."""
        self._to_sidebar()
        row = self._find(f'.side-row[data-channel="{channel}"]')
        if row is None:
            self.wait_for('.side-row[data-channel="home"]').click()
            self.wait_until(lambda: len(self.driver.find_elements(By.CSS_SELECTOR, ".tab")) == 2, "the Messages tab")
            self.driver.find_elements(By.CSS_SELECTOR, ".tab")[1].click()
        else:
            row.click()
        self.wait_for(f'.page[data-at="{channel}"]')

    def open_thread(self, text: str) -> None:
        """Open the thread of the newest message that contains `text`."""
        message = self.message_with(text)
        self.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", message)
        button = message.find_element(By.CSS_SELECTOR, ".replies, .hover-action")
        self.driver.execute_script("arguments[0].click()", button)
        self.wait_for(".thread")

    def _to_sidebar(self) -> None:
        for _ in range(2):
            back = [button for button in self.driver.find_elements(By.CSS_SELECTOR, ".back") if button.is_displayed()]
            if back:
                back[0].click()

    # Writing

    def type_message(self, text: str, thread: bool = False) -> None:
        """Type into the message field and press Enter."""
        field = self.wait_for(f'textarea[data-composer="{"thread" if thread else "channel"}"]')
        field.send_keys(text, Keys.ENTER)

    def type_command(self, text: str) -> None:
        """Type a slash command ("/kpi …") and send it."""
        field = self.wait_for('textarea[data-composer="channel"]')
        field.send_keys(text)
        if len(text.split()) == 1:
            field.send_keys(" ")
        field.send_keys(Keys.ENTER)

    # Pressing

    def click_button(self, name: str, within: str = "") -> None:
        """Click the last visible button with this text, inside the element of the CSS selector `within` if given."""
        self.wait_until(lambda: self._buttons(name, within) != [], f"a button {name!r}")
        button = self._buttons(name, within)[-1]
        self.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", button)
        button.click()

    def choose(self, control: str, option: str) -> None:
        """Open the last select whose label or text contains `control` and take the option that contains `option`."""
        self.wait_until(lambda: self._selects(control) != [], f"a select {control!r}")
        select = self._selects(control)[-1]
        self.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", select)
        select.click()
        self.wait_until(lambda: self._options(option) != [], f"an option {option!r}")
        self._options(option)[0].click()

    def fill(self, label: str, text: str) -> None:
        """Write into the modal's field of this label, in place of what is there."""
        field = self.wait_for(f'dialog .field[aria-label="{label}"]')
        field.send_keys(Keys.CONTROL, "a")
        field.send_keys(Keys.DELETE if text == "" else text)

    def _buttons(self, name: str, within: str) -> list[WebElement]:
        found = self.driver.find_elements(By.CSS_SELECTOR, f"{within} button".strip())
        return [button for button in found if button.is_displayed() and name in (button.text, button.accessible_name)]

    def _selects(self, name: str) -> list[WebElement]:
        found = self.driver.find_elements(By.CSS_SELECTOR, ".select-button")
        return [one for one in found if one.is_displayed() and name in f"{one.text} {one.accessible_name}"]

    def _options(self, name: str) -> list[WebElement]:
        found = self.driver.find_elements(By.CSS_SELECTOR, '.menu [role="option"], .menu [role="menuitem"]')
        return [option for option in found if option.is_displayed() and name in option.text]

    # Seeing

    def text(self, selector: str = "body") -> str:
        """The visible text of an element."""
        return str(self.wait_for(selector).text)

    def message_with(self, text: str) -> WebElement:
        """The newest message that contains `text`, waited for."""
        self.wait_for_text(text, ".list")
        messages = self.driver.find_elements(By.CSS_SELECTOR, ".message")
        return [message for message in messages if text in message.text][-1]

    def wait_for_text(self, text: str, selector: str = "body") -> None:
        """Wait until the element of this selector shows `text`."""
        self.wait_until(lambda: text in self._text(selector), f"{text!r} in {selector}", lambda: self._text(selector))

    def wait_for(self, selector: str) -> WebElement:
        """Wait for a visible element."""
        self.wait_until(lambda: self._find(selector) is not None, selector)
        found = self._find(selector)
        assert found is not None
        return found

    def wait_gone(self, selector: str) -> None:
        """Wait until no visible element fits the selector."""
        self.wait_until(lambda: self._find(selector) is None, f"no {selector}")

    def wait_until(self, holds: Callable[[], bool], what: str, seen: Callable[[], str] = str) -> None:
        """Wait until `holds()`; a stale element counts as not yet."""
        from selenium.common.exceptions import StaleElementReferenceException, TimeoutException

        wait = WebDriverWait(self.driver, PATIENCE_S, 0.05, ignored_exceptions=[StaleElementReferenceException])
        try:
            wait.until(lambda _driver: holds())
        except TimeoutException:
            raise AssertionError(f"waited {PATIENCE_S} s for {what}\n{seen()}") from None

    def errors(self) -> list[str]:
        """What Chromium's console has complained about since it was last asked."""
        entries: list[dict[str, Any]] = self.driver.get_log("browser")
        return [str(entry["message"]) for entry in entries if entry["level"] == "SEVERE"]

    def screenshot(self, path: Path, width: int = 1280, dark: bool = False, height: int | None = None) -> None:
        """Save a PNG of the page at a window width in pixels, in the light or the dark theme of the system."""
        self.resize(width, height)
        self.dark(dark)
        self.wait_for(f'html[data-theme="{"dark" if dark else "light"}"] body')
        self.driver.execute_async_script(
            "const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 150)))"
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        self.driver.save_screenshot(str(path))

    def resize(self, width: int, height: int | None = None) -> None:
        """Give the window a width (390 is a phone) and a height in CSS pixels."""
        size = {
            "width": width,
            "height": height or (844 if width < 720 else 860),
            "deviceScaleFactor": 1,
            "mobile": False,
        }
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)

    def dark(self, on: bool) -> None:
        """Let the system prefer the dark theme, or the light one."""
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if on else "light"}]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": scheme})

    def _find(self, selector: str) -> WebElement | None:
        found = self.driver.find_elements(By.CSS_SELECTOR, selector)
        return next((element for element in found if element.is_displayed()), None)

    def _text(self, selector: str) -> str:
        return "\n".join(str(element.text) for element in self.driver.find_elements(By.CSS_SELECTOR, selector))
