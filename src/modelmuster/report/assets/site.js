/* Filters, sorting, copying, arrow keys and charts of the static site. Pages are complete without it.
   The address holds the state; every text of a model reaches the page through textContent only. */
"use strict";
(() => {
  const state = new URLSearchParams(location.hash.slice(1));
  const tables = [...document.querySelectorAll("table.plain")];

  function remember(name, value) {
    if (value) state.set(name, value); else state.delete(name);
    history.replaceState(null, "", String(state) ? `#${state}` : location.pathname + location.search);
  }

  /* ---- Filters: every word must occur in the row, ! in front excludes ---- */
  function narrow(input) {
    const rows = [...document.getElementById(input.dataset.filter).tBodies[0].rows];
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of rows) {
      const text = row.textContent.toLowerCase();
      row.hidden = !words.every((word) => (word.startsWith("!") && word.length > 1 ? !text.includes(word.slice(1)) : text.includes(word)));
      shown += !row.hidden;
    }
    input.closest(".find").querySelector("output").textContent = `${shown} of ${rows.length} rows`;
  }

  /* ---- Sorting: numbers as numbers, what is none last ---- */
  const valueOf = (row, column) => {
    const cell = row.cells[column], text = cell?.textContent.trim() ?? "";
    const said = cell?.dataset.value ?? text.replaceAll("\u202f", "").match(/[+-]?\d+(\.\d+)?(e[+-]?\d+)?/)?.[0];
    return { text, number: parseFloat(said) };
  };
  function sort(table, column, direction) {
    const heads = [...table.tHead.rows[0].cells], numeric = heads[column].classList.contains("n");
    const sign = direction === "descending" ? -1 : 1;
    const rows = [...table.tBodies[0].rows].map((row) => ({ row, ...valueOf(row, column) }));
    rows.sort((one, other) => {
      if (!numeric) return sign * one.text.localeCompare(other.text);
      if (Number.isNaN(one.number) || Number.isNaN(other.number)) return Number.isNaN(one.number) - Number.isNaN(other.number);
      return sign * (one.number - other.number);
    });
    table.tBodies[0].append(...rows.map((entry) => entry.row));
    heads.forEach((head, place) => { if (place === column) head.setAttribute("aria-sort", direction); else head.removeAttribute("aria-sort"); });
  }

  function restore() {
    for (const input of document.querySelectorAll("[data-filter]")) {
      input.value = state.get(`q-${input.dataset.filter}`) ?? "";
      narrow(input);
    }
    for (const table of tables) {
      const [column, direction] = (state.get(`sort-${table.id}`) ?? "").split(" ");
      if (direction && table.tHead.rows[0].cells[column]) sort(table, Number(column), direction);
    }
  }

  document.addEventListener("input", (event) => {
    const input = event.target.closest?.("[data-filter]");
    if (!input) return;
    narrow(input);
    remember(`q-${input.dataset.filter}`, input.value);
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-copy]");
    if (button) {
      const text = button.previousElementSibling;
      navigator.clipboard.writeText(text.textContent).then(() => { button.textContent = "Copied"; }, () => {
        getSelection().selectAllChildren(text);
        button.textContent = "Press Ctrl+C";
      });
      return;
    }
    const head = event.target.closest?.("thead th");
    if (head) chooseSort(head);
  });
  function chooseSort(head) {
    const table = head.closest("table"), direction = head.getAttribute("aria-sort") === "ascending" ? "descending" : "ascending";
    sort(table, head.cellIndex, direction);
    remember(`sort-${table.id}`, `${head.cellIndex} ${direction}`);
  }

  /* ---- Keyboard ---- */
  document.addEventListener("keydown", (event) => {
    const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
    if (event.key === "/" && !typing) {
      const input = document.querySelector("[data-filter]");
      if (input) { event.preventDefault(); input.focus(); }
      return;
    }
    if (event.key === "Enter" && event.target.matches?.("thead th")) return chooseSort(event.target);
    if (!["ArrowDown", "ArrowUp"].includes(event.key) || typing) return;
    const cell = event.target.closest?.("tbody td, tbody th");
    if (!cell) return;
    let row = cell.parentElement;
    do row = event.key === "ArrowDown" ? row.nextElementSibling : row.previousElementSibling;
    while (row && (row.hidden || !row.cells[cell.cellIndex]?.querySelector("a, button")));
    if (row) { event.preventDefault(); row.cells[cell.cellIndex].querySelector("a, button").focus(); }
  });
  for (const table of tables) for (const head of table.tHead.rows[0].cells) head.tabIndex = 0;

  /* ---- Charts ---- */
  for (const source of document.querySelectorAll("[data-chart]")) {
    const figure = JSON.parse(source.textContent);
    Plotly.newPlot(source.dataset.chart, figure.data, figure.layout, { responsive: true, displaylogo: false });
  }

  addEventListener("hashchange", () => {
    for (const name of [...state.keys()]) state.delete(name);
    for (const [name, value] of new URLSearchParams(location.hash.slice(1))) state.set(name, value);
    restore();
  });
  restore();
  document.body.dataset.ready = "yes";
})();
