"""The web application of the simulated Studio: its pages, the JSON they load, exports, and the control of tests.

Handlers run on one event loop and never await midway, so the world needs no lock.
"""

import json
from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from tiktok_assets.simulator.studio import pages
from tiktok_assets.simulator.studio.control import ControlRoutes
from tiktok_assets.simulator.studio.export_routes import ExportRoutes
from tiktok_assets.simulator.studio.insights import answer
from tiktok_assets.simulator.studio.login import LoginRoutes
from tiktok_assets.simulator.studio.markup import CAPTCHAS, Markup
from tiktok_assets.simulator.studio.video_insights import find_video, item_list
from tiktok_assets.simulator.studio.web import (
    INVALID,
    Log,
    assets_of,
    json_body,
    login_expired,
    markup_for,
    markup_of_stranger,
    page,
    session_of,
    visitor_of,
)
from tiktok_assets.simulator.studio.world import StudioWorld

STATIC = {"range.js": "text/javascript", "studio.js": "text/javascript", "studio.css": "text/css"}


def studio_app(world: StudioWorld) -> Starlette:
    """The application that serves ``world``."""
    studio = StudioRoutes(world)
    routes = [
        Route("/", studio.home),
        Route("/tiktokstudio", studio.home),
        Route("/tiktokstudio/analytics", studio.analytics),
        Route("/tiktokstudio/analytics/{tab}", studio.analytics),
        Route("/tiktokstudio/api/web/user", studio.user),
        Route("/tiktokstudio/api/web/relation/multiGetFollowRelationCount", studio.relation),
        Route("/aweme/v2/data/insight/", studio.insight),
        Route("/tiktok/creator/manage/item_list/v1/", studio.items, methods=["POST"]),
        Route(assets_of(world) + "/{name}", studio.static),
        *LoginRoutes(world).routes(),
        *ExportRoutes(world).routes(),
        *ControlRoutes(world).routes(),
    ]
    return Starlette(routes=routes, middleware=[Middleware(Log, world=world)])


class StudioRoutes:
    """Pages and the JSON they load, for one world."""

    def __init__(self, world: StudioWorld) -> None:
        self._world = world
        self._assets = assets_of(world)
        folder = Path(__file__).parent
        self._static = {name: (folder / name).read_bytes() for name in STATIC}

    async def home(self, request: Request) -> Response:
        return RedirectResponse(pages.STUDIO, 302)

    async def static(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name not in self._static:
            return Response("not found", 404)
        return Response(self._static[name], media_type=STATIC[name], headers={"cache-control": "max-age=3600"})

    async def analytics(self, request: Request) -> Response:
        """A tab or a video, or one of the ways in which an ended session shows."""
        tab = request.path_params.get("tab", "overview")
        place = "video" if tab.isdigit() else tab
        session = session_of(self._world, request, place, is_page=True)
        address = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        if session is None or session.ended_as == "redirect_to_login":
            return RedirectResponse(f"/login?redirect_url={pages.quote(address, safe='')}", 302)
        if session.ended_as == "login_panel":
            return page(pages.login_form(markup_of_stranger(self._world, request), address, assets=self._assets))
        account = self._world.accounts[session.handle]
        if place not in (*pages.TABS, "video"):
            return page("<h1>404</h1>", 404)
        faults = self._world.faults.take_any("page", account.handle, place)
        changed = faults.get("dom_changed")
        markup = markup_for(self._world, account, hooks=changed is None)
        overlay = pages.first_run(markup) if "first_run_modal" in faults else ""
        if fault := faults.get("captcha"):
            overlay += markup.captcha(fault.text(CAPTCHAS[0]), address)
        if place == "video":
            return self._video(markup, session.handle, tab, overlay)
        html = pages.analytics(
            markup,
            tab,
            assets=self._assets,
            user_id=account.user_id,
            last_label=self._world.exports.last_label(account),
            today=self._world.now().date(),
            max_export_days=self._world.exports.max_days,
            changed=changed is not None and changed.text("") != "hooks",
            overlay=overlay,
        )
        return page(html)

    def _video(self, markup: Markup, handle: str, video_id: str, overlay: str) -> Response:
        account = self._world.accounts[handle]
        video = find_video(account, video_id, self._world.now())
        if video is None:
            return page("<h1>404</h1>", 404)
        title, user_id = video.title, account.user_id
        return page(pages.video(markup, video_id, title, assets=self._assets, user_id=user_id, overlay=overlay))

    async def user(self, request: Request) -> Response:
        """The owner of the session."""
        visitor = visitor_of(self._world, request, "user")
        if visitor is None:
            return login_expired()
        account = visitor.account
        base = {"UserId": account.user_id, "UniqId": account.handle, "NickName": account.handle, "Region": "US"}
        profile = {"UserProfile": {"UserBase": base}}
        return JSONResponse({"statusCode": 0, "userId": account.user_id, "userBaseInfo": profile})

    async def relation(self, request: Request) -> Response:
        """Followers and following: text in a map by user id. The follower count is the live one."""
        visitor = visitor_of(self._world, request, "relation")
        if visitor is None:
            return login_expired()
        account, today = visitor.account, self._world.now().date()
        truth = account.truth.on(min(today, account.truth.last_day))
        counts = {
            "FollowerCount": str(truth.followers if truth else 0),
            "FollowingCount": str(account.following),
            "FriendCount": str(account.following // 7),
        }
        body = {name: {account.user_id: count} for name, count in counts.items()}
        return JSONResponse(body | {"BaseResp": {"StatusCode": 0, "StatusMessage": ""}})

    async def insight(self, request: Request) -> Response:
        """Numbers by type; ``type_requests`` is a JSON list in the query."""
        visitor = visitor_of(self._world, request, "insight")
        if visitor is None:
            return login_expired()
        faults = self._world.faults.take_any("insight", visitor.account.handle, "insight")
        if "insight_500" in faults:
            return Response("Internal Server Error", 500)
        if "insight_business_error" in faults:
            return JSONResponse({"status_code": 2209, "status_msg": "Insight is not available", "extra": {}})
        try:
            requests = json.loads(request.query_params.get("type_requests", ""))
            return JSONResponse(answer(visitor.account, requests, self._world.now()))
        except (ValueError, AttributeError, TypeError) as error:
            return JSONResponse({"status_code": INVALID, "status_msg": f"invalid type_requests: {error}"})

    async def items(self, request: Request) -> Response:
        """One page of the account's videos."""
        visitor = visitor_of(self._world, request, "item_list")
        if visitor is None:
            return login_expired()
        try:
            body = await json_body(request)
            cursor, size = int(body.get("cursor", 0)), int(body.get("size", 20))
        except ValueError as error:
            return JSONResponse({"status_code": INVALID, "status_msg": str(error)})
        return JSONResponse(item_list(visitor.account, max(0, cursor), size, self._world.now()))
