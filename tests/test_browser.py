"""The built site in a browser: every page in light, in dark and on a phone.

Needs a Chromium on the PATH and a built site (`make site`; `make test` builds it first).
"""

import functools
import shutil
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

SITE = Path(__file__).parents[1] / "_build" / "html"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
BROWSER = next(filter(None, map(shutil.which, BROWSERS)), None)
PAGES = sorted(path.relative_to(SITE).as_posix() for path in SITE.glob("book/*.html"))

# No call home of the browser itself; each is a request that a page did not make.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
LOOKS = {
    "light": {"color_scheme": "light", "viewport": {"width": 1280, "height": 900}},
    "dark": {"color_scheme": "dark", "viewport": {"width": 1280, "height": 900}},
    "phone": {"color_scheme": "light", "viewport": {"width": 390, "height": 844}},
}

pytestmark = [
    pytest.mark.skipif(BROWSER is None, reason=f"no browser on the PATH ({', '.join(BROWSERS)})"),
    pytest.mark.skipif(not SITE.exists(), reason="no built site; run make site first"),
]


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_args):
        pass


@pytest.fixture(scope="module")
def address():
    """The site on the loopback device."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=str(SITE)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=BROWSER, args=FLAGS)
        yield launched
        launched.close()


def test_the_site_has_pages():
    """Without this, a site without pages would pass."""
    assert {"book/index.html", "book/ledger.html"} <= set(PAGES)


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("page", PAGES)
def test_page(browser, address, page, look):
    """No error, no other host, formulas drawn, figures there, nothing wider than the screen."""
    context = browser.new_context(**LOOKS[look])
    problems = []
    view = context.new_page()
    view.on("pageerror", lambda error: problems.append(f"error: {error}"))
    view.on(
        "console",
        lambda message: message.type == "error" and problems.append(f"console: {message.text}"),
    )
    view.on(
        "request",
        lambda request: (
            request.url.startswith((address, "data:", "blob:"))
            or problems.append(f"other host: {request.url}")
        ),
    )
    view.on(
        "response",
        lambda response: (
            response.status < 400 or problems.append(f"{response.status}: {response.url}")
        ),
    )
    try:
        view.goto(f"{address}/{page}", wait_until="networkidle")
        if view.locator(".math").count():
            view.wait_for_function("document.querySelectorAll('mjx-container').length > 0")
            view.evaluate("MathJax.startup.promise")
            if undrawn := view.locator(".math:not(:has(mjx-container))").count():
                problems.append(f"{undrawn} formulas not drawn")
            problems += view.locator("mjx-merror").all_text_contents()
        problems += view.evaluate(
            "[...document.images].filter(i => i.complete && !i.naturalWidth)"
            ".map(i => 'broken image: ' + i.src)"
        )
        wide = view.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        if wide > 0:
            problems.append(f"{wide} px wider than the screen")
        theme = view.evaluate("document.documentElement.dataset.theme")
        assert theme == ("dark" if look == "dark" else "light")
    finally:
        context.close()
    assert not problems
