"use strict";
// What a click does on the simulated Studio, and the JSON its pages load by themselves. The range is range.js.

// ---- numbers

const HISTORIES = {
  overview: [["vv_history", "video_views"], ["pv_history", "profile_views"], ["like_history", "likes"],
    ["comment_history", "comments"], ["share_history", "shares"]],
  content: [["vv_history", "video_views"]],
  viewers: [["reached_audience_history", "viewers"]],
  followers: [["net_follower_history", "followers"], ["follower_num_history", ""]],
};
const SNAPSHOTS = {
  overview: ["vv_traffic_source"],
  content: [],
  viewers: ["unique_viewer_num", "viewer_gender_percent", "viewer_age_distribution"],
  followers: ["follower_num", "follower_gender_percent", "follower_age_distribution", "follower_location_percent",
    "follower_active_history_hours"],
};
const OF_A_VIDEO = ["video_info", "video_per_duration_realtime", "video_finish_rate_realtime",
  "video_retention_rate_realtime", "video_traffic_source_percent_realtime", "video_new_followers"];

function card(title, value, series) {
  const top = series ? Math.max(...series, 1) : 1;
  const points = series && series.map((y, x) => `${(x / (series.length - 1 || 1)) * 100},${40 - (y / top) * 38}`);
  const line = series
    ? `<svg viewBox="0 0 100 42" preserveAspectRatio="none"><polyline fill="none" stroke="#fe2c55" points="${points.join(" ")}"/></svg>`
    : "";
  const element = document.createElement("section");
  element.className = "Card";
  element.innerHTML = `<span></span><b></b>${line}`;
  element.firstChild.textContent = title;
  element.querySelector("b").textContent = value;
  E("metrics").append(element);
}

async function insights(requests) {
  const query = new URLSearchParams({
    aid: "1988", app_name: "tiktok_creator_center", locale: BOOT.language, tz_offset: "0",
    type_requests: JSON.stringify(requests),
  });
  const response = await fetch("/aweme/v2/data/insight/?" + query);
  const body = response.ok ? await response.json() : { status_code: -1 };
  return body.status_code === 0 ? body : null;
}

function daysOfRange() {
  if (range.type === "fixed") return { days: range.pastDay, end_days: 1 };
  const days = (Date.parse(range.endDate) - Date.parse(range.startDate)) / DAY + 1;
  return { days, end_days: (Date.parse(BOOT.today) - Date.parse(range.endDate)) / DAY };
}

async function showNumbers() {
  const window = daysOfRange();
  const histories = HISTORIES[BOOT.tab].map(([type]) => ({ insigh_type: type, ...window }));
  const snapshots = SNAPSHOTS[BOOT.tab].map((type) => ({ insigh_type: type, range: window.days }));
  const body = await insights([...histories, ...snapshots]);
  E("metrics").replaceChildren();
  for (const [type, name] of HISTORIES[BOOT.tab].filter(([, name]) => name)) {
    const values = body ? body[type].filter((day) => day.status === 0).map((day) => day.value) : [];
    const sum = values.reduce((total, value) => total + value, 0);
    card(T[name], values.length ? sum.toLocaleString(BOOT.language) : T.no_data, values.length ? values : undefined);
  }
}

async function showVideo() {
  const body = await insights(OF_A_VIDEO.map((type) => ({ insigh_type: type, aweme_id: BOOT.videoId })));
  const value = (type) => body && body[type] && body[type].value && body[type].value.status === 0 && body[type].value.value;
  const info = body && body.video_info;
  card(T.video_views, info ? info.statistics.play_count.toLocaleString(BOOT.language) : T.no_data);
  card(T.average_watch_time, value("video_per_duration_realtime") ? value("video_per_duration_realtime") + " s" : T.no_data);
  card(T.watched_full, value("video_finish_rate_realtime")
    ? (value("video_finish_rate_realtime") * 100).toFixed(1) + "%" : T.no_data);
}

async function showPosts(cursor) {
  const response = await fetch("/tiktok/creator/manage/item_list/v1/", {
    method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ cursor, size: 20 }),
  });
  const body = await response.json();
  for (const item of body.item_list || []) {
    const link = document.createElement("a");
    link.href = "/tiktokstudio/analytics/" + item.item_id;
    link.innerHTML = "<span></span><b></b>";
    link.firstChild.textContent = item.desc || item.item_id;
    link.lastChild.textContent = Number(item.play_count).toLocaleString(BOOT.language);
    E("posts").append(link);
  }
  if (!body.has_more) return;
  new IntersectionObserver((entries, observer) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    observer.disconnect();
    showPosts(body.cursor);
  }).observe(E("posts").lastChild);
}

async function load() {
  await fetch("/tiktokstudio/api/web/user?needIsVerified=true");
  await fetch("/tiktokstudio/api/web/relation/multiGetFollowRelationCount?userId=" + BOOT.userId);
  if (BOOT.tab === "video") return showVideo();
  await showNumbers();
  if (BOOT.tab === "content") await showPosts(0);
}

// ---- the download

function refusal(response, body) {
  if (response.status === 429) return T.too_many;
  return body.status_msg || T.went_wrong;
}

async function download() {
  const format = $("input[name=format]:checked").value;
  E("preparing").hidden = false;
  const response = await fetch("/tiktokstudio/api/web/export/create", {
    method: "POST", headers: { "content-type": "application/json" },
    body: JSON.stringify({ section: BOOT.tab, format, range }),
  });
  let body = await response.json().catch(() => ({ status_code: -1 }));
  if (!response.ok || body.status_code !== 0) {
    E("download-dialog").hidden = true;
    return toast(refusal(response, body));
  }
  const state = "/tiktokstudio/api/web/export/state?task_id=" + body.task_id;
  for (let pause = 60; body.status_code === 0 && body.state !== "ready"; pause = Math.min(1000, pause * 1.5)) {
    await sleep(pause);
    body = await (await fetch(state)).json();
  }
  E("download-dialog").hidden = true;
  if (body.status_code !== 0) return toast(body.status_msg || T.went_wrong);
  const link = document.createElement("a");
  link.href = body.url;
  link.download = "";
  document.body.append(link);
  link.click();
  link.remove();
}

function wireDownload() {
  E("download").onclick = () => { E("preparing").hidden = true; E("download-dialog").hidden = false; };
  E("download-cancel").onclick = () => { E("download-dialog").hidden = true; };
  E("download-confirm").onclick = () => download().catch(() => toast(T.went_wrong));
}

// ---- start

async function waitForScan() {
  const query = new URLSearchParams({ token: BOOT.token, redirect_url: BOOT.continueTo });
  for (;;) {
    const body = await (await fetch("/passport/web/check_qrconnect/?" + query)).json();
    if (body.data.status === "confirmed") return location.assign(body.data.redirect_url);
    await sleep(300);
  }
}

if (BOOT.tab === "qr") {
  waitForScan();
} else {
  const tabs = document.querySelectorAll(".TUXTabBar-item");
  BOOT.tabs.forEach((path, index) => { tabs[index].onclick = () => location.assign(path); });
  if (E("got-it")) E("got-it").onclick = () => E("news").remove();
  if (BOOT.tab !== "video") { wireRange(); wireDownload(); }
  load().catch(() => {});
}
