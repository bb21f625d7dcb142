"""The built site, a browser, and how a reader looks at a page: shared by the browser's tests."""

import functools
import shutil
import threading
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

SITE = Path(__file__).parents[1] / "_build" / "html"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
BROWSER = next(filter(None, map(shutil.which, BROWSERS)), None)
PAGES = sorted(path.relative_to(SITE).as_posix() for path in SITE.glob("book/**/*.html"))
PATIENCE = 120_000  # ms: other work may have the processor

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
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
LOOKS = {"light": ("light", DESKTOP), "dark": ("dark", DESKTOP), "phone": ("light", PHONE)}

needs_both = [
    pytest.mark.skipif(BROWSER is None, reason=f"no browser on the PATH ({', '.join(BROWSERS)})"),
    pytest.mark.skipif(not SITE.exists(), reason="no built site; run make site first"),
]


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_args):
        pass


@contextmanager
def served():
    """The address of the site on the loopback device."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=str(SITE)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def launched():
    """A browser."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=FLAGS)
        yield browser
        browser.close()


@contextmanager
def view_of(browser, look="light", **options):
    """A page without an address yet, and the list of what goes wrong on it."""
    scheme, size = LOOKS[look]
    context = browser.new_context(color_scheme=scheme, viewport=size, **options)
    context.set_default_timeout(PATIENCE)
    view, problems = context.new_page(), []
    view.on("pageerror", lambda error: problems.append(f"error: {error}"))
    view.on(
        "console",
        lambda message: (
            message.type in ("error", "warning") and problems.append(f"console: {message.text}")
        ),
    )
    try:
        yield view, problems
    finally:
        context.close()


# Colours change by and by: what is measured is how they end.
AT_REST = """() => document.getAnimations().forEach(one => {
  if (Number.isFinite(one.effect?.getComputedTiming().endTime)) one.finish();
})"""


def see(view, look):
    """Look at a page that is open in another way: colours and width."""
    scheme, size = LOOKS[look]
    view.set_viewport_size(size)
    view.emulate_media(color_scheme=scheme)
    view.wait_for_function(
        "mode => document.documentElement.dataset.theme === mode", arg=scheme, timeout=PATIENCE
    )
    view.evaluate(AT_REST)
