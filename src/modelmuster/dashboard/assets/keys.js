/* Keyboard and clipboard of the dashboard: arrows move between the links of a table, / goes to the first field. */
"use strict";
(() => {
  const LINKS = "a, button";
  document.addEventListener("keydown", (event) => {
    const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
    if (event.key === "/" && !typing) {
      const input = document.querySelector("#choices input[type=search]");
      if (input) { event.preventDefault(); input.focus(); }
      return;
    }
    const cell = event.target.closest?.("#main td, #main th");
    if (!cell || typing) return;
    const steps = { ArrowDown: [1, 0], ArrowUp: [-1, 0], ArrowRight: [0, 1], ArrowLeft: [0, -1] };
    const step = steps[event.key];
    if (!step) return;
    const rows = [...cell.closest("table").rows];
    let row = rows.indexOf(cell.parentElement), column = cell.cellIndex, next;
    do {
      row += step[0];
      column += step[1];
      next = rows[row]?.cells[column];
    } while (next && !next.querySelector(LINKS));
    if (next) { event.preventDefault(); next.querySelector(LINKS).focus(); }
  });
  document.addEventListener("submit", (event) => event.preventDefault());
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-copy]");
    if (!button) return;
    const text = button.previousElementSibling;
    navigator.clipboard.writeText(text.textContent).then(() => { button.textContent = "Copied"; }, () => {
      getSelection().selectAllChildren(text);
      button.textContent = "Press Ctrl+C";
    });
  });
})();
