"""The routes of login and logout: password, one-time code, QR code."""

from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from tiktok_assets.simulator.studio import pages
from tiktok_assets.simulator.studio.markup import CAPTCHAS
from tiktok_assets.simulator.studio.sessions import Session
from tiktok_assets.simulator.studio.web import (
    assets_of,
    local_path,
    markup_for,
    markup_of_stranger,
    page,
    set_session,
)
from tiktok_assets.simulator.studio.world import StudioWorld

PENDING = "passport_auth_status"
"""The cookie of a login that is waiting for its code."""


class LoginRoutes:
    """The routes under /login and /passport of one world."""

    def __init__(self, world: StudioWorld) -> None:
        self._world = world
        self._assets = assets_of(world)

    def routes(self) -> list[Route]:
        """Every login route."""
        return [
            Route("/login", self.choose),
            Route("/login/phone-or-email/email", self.password, methods=["GET", "POST"]),
            Route("/login/2sv", self.code, methods=["GET", "POST"]),
            Route("/login/qrcode", self.qr),
            Route("/passport/web/check_qrconnect/", self.check_qr),
            Route("/logout", self.leave),
        ]

    async def choose(self, request: Request) -> Response:
        markup = markup_of_stranger(self._world, request)
        return page(pages.login_choice(markup, self._continue_to(request), assets=self._assets))

    async def password(self, request: Request) -> Response:
        markup, continue_to = markup_of_stranger(self._world, request), self._continue_to(request)
        if request.method == "GET":
            return page(pages.login_form(markup, continue_to, assets=self._assets))
        form = await self._form(request)
        pending = self._world.sessions.begin(form.get("username", ""), form.get("password", ""), continue_to)
        login = self._world.sessions.pending(pending) if pending else None
        if pending is None or login is None:
            error = markup.texts.wrong_login
            return page(pages.login_form(markup, continue_to, assets=self._assets, error=error))
        if login.account.totp_secret is None and (session := self._world.sessions.finish(pending, "")):
            return self._enter(session, continue_to)
        response = RedirectResponse("/login/2sv", 303)
        response.set_cookie(PENDING, pending, httponly=True, samesite="lax")
        return response

    async def code(self, request: Request) -> Response:
        token = request.cookies.get(PENDING, "")
        login = self._world.sessions.pending(token)
        if login is None:
            return RedirectResponse("/login", 303)
        markup = markup_for(self._world, login.account)
        error = overlay = ""
        if request.method == "POST":
            session = self._world.sessions.finish(token, (await self._form(request)).get("code", ""))
            if session is not None:
                return self._enter(session, login.continue_to)
            error = markup.texts.wrong_code
        if fault := self._world.faults.take("captcha", login.account.handle, "login"):
            overlay = markup.captcha(fault.text(CAPTCHAS[0]), "/login/2sv")
        return page(pages.login_code(markup, assets=self._assets, error=error, overlay=overlay))

    async def qr(self, request: Request) -> Response:
        markup, token = markup_of_stranger(self._world, request), self._world.sessions.show_qr()
        return page(pages.login_qr(markup, token, self._continue_to(request), assets=self._assets))

    async def check_qr(self, request: Request) -> Response:
        session = self._world.sessions.take_scan(request.query_params.get("token", ""))
        if session is None:
            return JSONResponse({"message": "success", "data": {"status": "new"}})
        data = {"status": "confirmed", "redirect_url": self._continue_to(request)}
        response = JSONResponse({"message": "success", "data": data})
        set_session(self._world, response, session)
        return response

    async def leave(self, request: Request) -> Response:
        if session := self._world.sessions.find(request.cookies.get("sessionid", "")):
            session.ended_as = "redirect_to_login"
        return RedirectResponse("/login", 303)

    def _enter(self, session: Session, continue_to: str) -> Response:
        response = RedirectResponse(continue_to, 303)
        response.delete_cookie(PENDING)
        set_session(self._world, response, session)
        return response

    @staticmethod
    def _continue_to(request: Request) -> str:
        return local_path(request.query_params.get("redirect_url"), pages.STUDIO)

    @staticmethod
    async def _form(request: Request) -> dict[str, str]:
        """Parsed manually: Starlette's parser needs another package."""
        fields = parse_qs((await request.body()).decode(), keep_blank_values=True)
        return {name: values[-1] for name, values in fields.items()}
