#!/bin/sh
# Makes .venv from uv.lock and looks for a browser. Run by `make setup`; a second run does nothing.
#
# Needs Python 3.11 to 3.14. Everything it makes is in .venv and .uv, which may be deleted at any time; only as root on
# Debian or Ubuntu does it also install system packages (python3-venv, chromium), and only if they are missing.
set -eu
cd "$(dirname "$0")/.."
unset VIRTUAL_ENV PYTHONHOME PYTHONPATH
export UV_PROJECT_ENVIRONMENT=.venv PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore

say() { printf '%s\n' "set-up: $*"; }
fail() {
    printf '%s\n' "set-up failed: $*" >&2
    exit 1
}
is_debian_root() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; }
apt_install() {
    DEBIAN_FRONTEND=noninteractive apt-get -qq update >/dev/null &&
        DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "$@" >/dev/null
}

# The inputs of the set-up, and its folder.
fingerprint() {
    cat uv.lock pyproject.toml scripts/setup.sh | cksum
    pwd
}

# The first Python that dagster supports, checked by running it: a pyenv shim may exist without its Python.
find_python() {
    for candidate in "${PYTHON:-python3}" python3 python3.13 python3.12 python3.11 python3.14; do
        if "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
}

# uv in .uv, by venv or, if that is missing (Debian without python3-venv), by pip. Neither touches the system's Python.
install_uv() {
    uv_package='uv>=0.9,<1'
    if ! "$1" -m venv .uv >/dev/null 2>&1; then
        rm -rf .uv
        if "$1" -m pip --version >/dev/null 2>&1; then
            "$1" -m pip install --quiet --target .uv "$uv_package" || fail "pip could not fetch uv; see its message above."
            return
        fi
        if ! { is_debian_root && apt_install python3-venv && "$1" -m venv .uv >/dev/null 2>&1; }; then
            rm -rf .uv
            fail "$1 has neither venv nor pip. On Debian or Ubuntu: 'sudo apt-get install python3-venv'," \
                "or install uv (docs.astral.sh/uv), then run this again."
        fi
    fi
    .uv/bin/python -m pip install --quiet "$uv_package" || fail "pip could not fetch uv; see its message above."
}

make_venv() {
    # Programs in .venv and .uv hold the absolute path of their folder: moved or copied ones would run the old code.
    [ ! -e .venv/.set-up ] || [ "$(tail -n 1 .venv/.set-up)" = "$(pwd)" ] || rm -rf .venv .uv
    python=$(find_python)
    if command -v uv >/dev/null && uv --version >/dev/null 2>&1; then
        uv=uv
    else
        [ -n "$python" ] || fail "no Python from 3.11 to 3.14 found (tried ${PYTHON:+$PYTHON, }python3 and python3.11 to" \
            "python3.14). Install one, or name it: make setup PYTHON=/path/to/python3.12"
        uv=.uv/bin/uv
        "$uv" --version >/dev/null 2>&1 || install_uv "$python"
    fi
    # Without a Python, an already installed uv downloads one.
    # Compiled here once: where Python cannot write compiled files, each command would take twice as long to start.
    "$uv" sync --frozen --quiet --compile-bytecode --python "${python:-3.12}" ||
        fail "uv could not make .venv from uv.lock; see its message above. Fix the cause, then run this again."
}

# A browser that starts, in the order in which tiktok_assets looks for one.
find_browser() {
    for candidate in "${TIKTOK_BROWSER_PATH:-}" chromium-headless-shell chromium chromium-browser google-chrome-stable \
        google-chrome microsoft-edge "$(playwright_browser)"; do
        if [ -n "$candidate" ] && "$candidate" --version >/dev/null 2>&1; then
            command -v "$candidate"
            return
        fi
    done
    return 1
}

playwright_browser() {
    .venv/bin/python -c 'from playwright.sync_api import sync_playwright
with sync_playwright() as playwright:
    print(playwright.chromium.executable_path)' 2>/dev/null || true
}

# Playwright retries a download that does not start for minutes: five seconds are enough to know whether its server is reachable.
install_browser() {
    export PLAYWRIGHT_DOWNLOAD_CONNECTION_TIMEOUT=5000
    say "no browser found: trying to install Chromium."
    .venv/bin/python -m playwright install chromium >/dev/null 2>&1 && find_browser >/dev/null && return
    is_debian_root && apt_install chromium 2>/dev/null && find_browser >/dev/null
}

if [ "$(cat .venv/.set-up 2>/dev/null)" = "$(fingerprint)" ] && .venv/bin/python -c '' 2>/dev/null; then
    say "up to date, nothing to do."
    exit 0
fi
say "making .venv from uv.lock (about 1 GB; minutes the first time, seconds when the packages are cached)."
make_venv
if browser=$(find_browser) || { install_browser && browser=$(find_browser); }; then
    say "browser: $browser"
else
    say "no browser: everything except downloading exports works. Install Chromium or Chrome, or run '.venv/bin/playwright" \
        "install --with-deps chromium', or set TIKTOK_BROWSER_PATH."
fi
fingerprint >.venv/.set-up
say "done."
