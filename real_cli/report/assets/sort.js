"use strict";
// A click on a column's head sorts its table: down, then up. Cells without a number stay last.
for (const table of document.querySelectorAll("table")) {
  const body = table.tBodies[0];
  if (body.rows.length < 2) continue;
  [...table.tHead.rows[0].cells].forEach((head, index) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => sort(table, head, index));
  });
}

function sort(table, head, index) {
  const isNumber = head.classList.contains("number");
  const wasFirst = head.getAttribute("aria-sort") ?? "";
  const order = wasFirst === (isNumber ? "descending" : "ascending") ? !isNumber : isNumber;
  for (const other of head.parentElement.cells) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", order ? "descending" : "ascending");
  const sign = order ? -1 : 1;
  const keyed = [...table.tBodies[0].rows].map((row) => [row, key(row.cells[index], isNumber)]);
  keyed.sort(([, a], [, b]) => {
    if (a === null || b === null) return (a === null) - (b === null);
    return sign * (isNumber ? a - b : a.localeCompare(b, undefined, { numeric: true }));
  });
  table.tBodies[0].append(...keyed.map(([row]) => row));
}

function key(cell, isNumber) {
  if (!isNumber) return cell.textContent;
  return "value" in cell.dataset ? Number(cell.dataset.value) : null;
}
