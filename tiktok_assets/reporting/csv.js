// Gives every table a button that saves its shown rows as CSV: numbers exact, unknown as nothing, no formulas.
// What stands small in a cell, such as a change, becomes a column of its own.
function plain(text) {
  const one = text.trim().replace(/\s+/g, " ").replaceAll("\u2212", "-");
  if (one === "\u2014") return "";
  if (/^-?[\d,]+(\.\d+)?$/.test(one)) return one.replaceAll(",", "");
  return /^[=+\-@]/.test(one) && !/^[+-][\d,.]+(%| \([+-][\d.]+%\))?$/.test(one) ? `'${one}` : one;
}

function parts(cell) {
  const copy = cell.cloneNode(true);
  const small = [...copy.querySelectorAll("small, details > :not(summary)")];
  small.forEach((one) => one.remove());
  const isNumber = cell.dataset.sort !== undefined && cell.classList.contains("number");
  return [isNumber ? cell.dataset.sort : plain(copy.textContent), small.map((one) => plain(one.textContent)).filter(Boolean).join("; ")];
}

function csvOf(table) {
  const rows = [...table.rows].filter((row) => !row.hidden).map((row) => [...row.cells].map(parts));
  const [header, ...shown] = rows;
  const hasNotes = header.map((_, column) => shown.some((row) => row[column]?.[1]));
  const quoted = (text) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const names = header.map(([name, note]) => [name, note ? `${name} ${note}` : `${name} (note)`]);
  const lines = [names, ...shown].map((row) => row.flatMap((cell, column) => (hasNotes[column] ? cell : cell.slice(0, 1))));
  return lines.map((line) => line.map(quoted).join(",")).join("\r\n");
}

for (const [number, table] of document.querySelectorAll("table").entries()) {
  const button = document.createElement("button");
  button.textContent = "CSV";
  button.className = "csv";
  button.title = "Save this table as CSV";
  button.addEventListener("click", () => {
    const title = table.closest("section")?.querySelector("h1, h2, h3")?.textContent ?? "table";
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob(["\ufeff", csvOf(table)], { type: "text/csv" }));
    link.download = `${title.trim().toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "-") || "table"}-${number + 1}.csv`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  });
  table.before(button);
}
