"""The page in a real browser: quiet, complete, usable by mouse and by keyboard, at any width."""

import shutil

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
QUIET = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium (apt install chromium)")
VIEWER = "#convnet-layers"
PATIENCE = 120_000  # milliseconds: what a page shows is asked, not how soon a busy machine does


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as tools:
        running = tools.chromium.launch(executable_path=CHROMIUM, args=QUIET.split())
        yield running
        running.close()


@pytest.fixture
def opened(browser, html, tmp_path):
    """Open the page as a file; fail the test for any complaint or request to elsewhere."""
    path = tmp_path / "index.html"
    path.write_text(html)
    complaints = []

    def open_page(width=1280, scheme="light"):
        page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: _check(request.url))
        page.goto(path.as_uri(), timeout=PATIENCE)
        return page

    def _check(url):
        if not url.startswith("data:") and url != path.as_uri():
            complaints.append(f"request to {url}")

    yield open_page
    assert complaints == []


def shown(page, viewer=VIEWER):
    """The visible frames of a viewer as (photo, step)."""
    frames = page.locator(f"{viewer} figure:visible")
    return frames.evaluate_all("all => all.map(f => [f.dataset.photo, f.dataset.step])")


def test_every_picture_loads(opened):
    images = opened().locator("main img, header img")
    images = images.evaluate_all("all => all.map(i => i.complete && i.naturalWidth)")
    assert len(images) > 30
    assert all(images)


def test_the_slider_changes_the_picture_by_keyboard_and_by_mouse(opened):
    page = opened()
    slider = page.locator(f"{VIEWER} input[type=range]")
    assert shown(page) == [["0", "0"]]
    slider.focus()
    page.keyboard.press("ArrowRight")
    assert shown(page) == [["0", "1"]]
    assert page.locator(f"{VIEWER} output").text_content() == "pool1"
    assert slider.get_attribute("aria-valuetext") == "pool1"
    page.keyboard.press("Home")
    assert shown(page) == [["0", "0"]]
    box = slider.bounding_box()
    slider.click(position={"x": box["width"] - 3, "y": box["height"] / 2})
    assert shown(page) == [["0", "2"]]
    assert shown(page, "#vgg16-layers") == [["0", "0"]]  # the other one stays


def test_the_photo_chooser_keeps_the_layer(opened):
    page = opened()
    page.locator(f"{VIEWER} input[type=range]").focus()
    page.keyboard.press("End")
    page.locator(f"{VIEWER} .photo").nth(1).click()
    assert shown(page) == [["1", "2"]]
    page.keyboard.press("ArrowLeft")  # the chooser has the focus
    assert shown(page) == [["0", "2"]]


def test_focus_is_visible(opened):
    page = opened()
    page.locator(f"{VIEWER} input[type=range]").focus()
    page.keyboard.press("ArrowRight")
    style = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert style == "solid"


def test_a_picture_is_enlarged_and_put_back(opened):
    page = opened()
    page.locator(f"{VIEWER} figure:visible .zoom").focus()
    page.keyboard.press("Enter")
    large = page.locator("dialog[open] img")
    assert large.evaluate("image => image.naturalWidth") == 60
    page.keyboard.press("Escape")
    assert page.locator("dialog[open]").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 390, 1280])
def test_no_width_or_scheme_makes_the_page_scroll_sideways(opened, width, scheme):
    page = opened(width, scheme)
    for details in page.locator("details:visible").all():
        details.locator("summary").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_dark_is_dark_and_print_is_light(opened):
    page = opened(scheme="dark")
    ground = "getComputedStyle(document.body).backgroundColor"
    assert max(_levels(page.evaluate(ground))) < 60
    page.emulate_media(media="print")
    assert min(_levels(page.evaluate(ground))) == 255
    assert not page.locator("nav").is_visible()
    assert not page.locator("input[type=range]").first.is_visible()


def _levels(colour):
    return [float(part) for part in colour[colour.index("(") + 1 : -1].split(",")[:3]]


def test_without_scripts_every_layer_is_there(browser, html, tmp_path):
    path = tmp_path / "plain.html"
    path.write_text(html)
    page = browser.new_page(java_script_enabled=False)
    page.goto(path.as_uri(), timeout=PATIENCE)
    assert page.locator(f"{VIEWER} figure:visible").count() == 6
