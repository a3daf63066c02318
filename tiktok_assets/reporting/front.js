// Sorts and filters the table of accounts. An empty value is unknown and comes last, whatever the direction.
const body = document.querySelector("#roster tbody");
const rows = [...body.rows];
const headers = [...document.querySelectorAll("#roster th")];
const find = document.getElementById("find");
const boxes = ["attention", "due"].map((id) => document.getElementById(id));
const groups = ["client", "owner"].map((id) => document.getElementById(id)).filter(Boolean);

function sortBy(header) {
  const column = headers.indexOf(header);
  const isText = header.dataset.by === "text";
  const first = isText ? "ascending" : "descending";
  const direction = header.getAttribute("aria-sort") === first ? (isText ? "descending" : "ascending") : first;
  headers.forEach((one) => one.removeAttribute("aria-sort"));
  header.setAttribute("aria-sort", direction);
  const sign = direction === "ascending" ? 1 : -1;
  const value = (row) => row.cells[column].dataset.sort;
  rows.sort((one, other) => {
    const [a, b] = [value(one), value(other)];
    if (!a || !b) return (a ? 0 : 1) - (b ? 0 : 1);
    return sign * (isText ? a.localeCompare(b) : Number(a) - Number(b));
  });
  body.append(...rows);
}

function filter() {
  const wanted = find.value.trim().toLowerCase();
  let shown = 0;
  for (const row of rows) {
    const fits = row.cells[1].textContent.toLowerCase().includes(wanted);
    const isOther = groups.some((one) => one.value && one.value.toLowerCase() !== (row.dataset[one.id] ?? `(no ${one.id})`).toLowerCase());
    row.hidden = !fits || isOther || boxes.some((box) => box.checked && !(box.id in row.dataset));
    shown += row.hidden ? 0 : 1;
  }
  document.getElementById("shown").textContent = `${shown} of ${rows.length}`;
}

for (const header of headers.filter((one) => one.dataset.by)) {
  const button = document.createElement("button");
  button.append(...header.childNodes);
  button.addEventListener("click", () => sortBy(header));
  header.append(button);
}
find.addEventListener("input", filter);
[...boxes, ...groups].forEach((one) => one.addEventListener("change", filter));
document.querySelector(".tools").hidden = false;
filter();
