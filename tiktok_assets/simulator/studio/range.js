"use strict";
// The range of the simulator's analytics: presets, and a calendar that can only be clicked. Loaded before studio.js.

const BOOT = JSON.parse(document.getElementById("__BOOT__").textContent);
const T = BOOT.texts;
const DAY = 864e5;
const E = (name) => document.getElementById(BOOT.ids + name);
const $ = (selector) => document.querySelector(selector);
const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
const iso = (milliseconds) => new Date(milliseconds).toISOString().slice(0, 10);
const sleep = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

function toast(message) {
  E("toast").textContent = message;
  E("toast").hidden = false;
}

let range = { type: "fixed", pastDay: 7 };
let month = "";
let picked = { start: "", end: "" };
let active = "start";

function rangeFromAddress() {
  try {
    const asked = JSON.parse(new URLSearchParams(location.search).get("dateRange"));
    if (asked && asked.type === "fixed" && asked.pastDay > 0) range = { type: "fixed", pastDay: asked.pastDay };
  } catch { /* an unreadable range is no range */ }
}

function showRange() {
  const shown = (day) => new Date(day).toLocaleDateString(BOOT.language, { dateStyle: "medium", timeZone: "UTC" });
  E("range").querySelector(".TUXButton-label").textContent = range.type === "fixed"
    ? fill(T.last_days, { days: range.pastDay }) : `${shown(range.startDate)} – ${shown(range.endDate)}`;
}

function setRange(next) {
  range = next;
  E("menu").hidden = E("calendar").hidden = true;
  const query = range.type === "fixed" ? "?dateRange=" + encodeURIComponent(JSON.stringify(range)) : "";
  history.replaceState(null, "", location.pathname + query);
  showRange();
  showNumbers();
}

function showMonth() {
  const first = new Date(month + "-01");
  $(".month-title").textContent = T.months[first.getUTCMonth()];
  $(".year-title").textContent = String(first.getUTCFullYear());
  const cells = [];
  for (let blank = 0; blank < first.getUTCDay(); blank++) cells.push(document.createElement("span"));
  for (let time = +first; iso(time).startsWith(month); time += DAY) {
    const day = iso(time);
    const cell = document.createElement("span");
    cell.textContent = String(new Date(time).getUTCDate());
    cell.className = "day";
    if (day <= BOOT.lastDay) {
      cell.classList.add("valid");
      cell.onclick = () => pick(day);
    }
    cell.classList.toggle("selected", day === picked.start || day === picked.end);
    cells.push(cell);
  }
  $(".days-wrapper").replaceChildren(...cells);
  for (const field of ["start", "end"]) {
    E(field).value = picked[field];
    E(field).classList.toggle("active", active === field);
  }
}

function pick(day) {
  picked[active] = day;
  active = active === "start" ? "end" : "start";
  showMonth();
}

function turn(months) {
  const first = new Date(month + "-01");
  first.setUTCMonth(first.getUTCMonth() + months);
  month = iso(first).slice(0, 7);
  showMonth();
}

function apply() {
  const days = (Date.parse(picked.end) - Date.parse(picked.start)) / DAY + 1;
  const wrong = !(days >= 1) ? T.incomplete : days > BOOT.maxDays ? fill(T.too_long, { days: BOOT.maxDays }) : "";
  E("calendar-error").textContent = wrong;
  if (!wrong) setRange({ type: "custom", startDate: picked.start, endDate: picked.end });
}

function wireRange() {
  rangeFromAddress();
  showRange();
  E("range").onclick = () => { E("menu").hidden = !E("menu").hidden; };
  const options = E("menu").children;
  BOOT.presets.forEach((days, index) => { options[index].onclick = () => setRange({ type: "fixed", pastDay: days }); });
  E("custom").onclick = () => {
    E("menu").hidden = true;
    E("calendar").hidden = false;
    E("calendar-error").textContent = "";
    [picked, active, month] = [{ start: "", end: "" }, "start", BOOT.lastDay.slice(0, 7)];
    showMonth();
  };
  const [previous, next] = document.querySelectorAll(".arrow");
  previous.onclick = () => turn(-1);
  next.onclick = () => turn(1);
  for (const field of ["start", "end"]) E(field).onclick = () => { active = field; showMonth(); };
  E("apply").onclick = apply;
  E("calendar-cancel").onclick = () => { E("calendar").hidden = true; };
}
