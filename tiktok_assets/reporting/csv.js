// Gives every table a button that saves its shown rows as CSV: numbers as numbers, unknown as nothing, no formulas.
function cellText(cell) {
  if (cell.dataset.sort !== undefined && cell.classList.contains("number")) return cell.dataset.sort;
  const text = cell.textContent.trim().replace(/\s+/g, " ");
  if (text === "\u2014") return "";
  if (/^[\u2212-]?[\d,]+(\.\d+)?$/.test(text)) return text.replace("\u2212", "-").replaceAll(",", "");
  return /^[=+\-@]/.test(text) ? `'${text}` : text;
}

function csvOf(table) {
  const shown = [...table.rows].filter((row) => !row.hidden);
  const quoted = (text) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  return shown.map((row) => [...row.cells].map((cell) => quoted(cellText(cell))).join(",")).join("\r\n");
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
