/* Filters, keyboard, tooltip and detail panel of the report.
   The table is complete without this script; every text of a model reaches the page through textContent only. */
"use strict";
(() => {
  const CLASSES = { pass: "O", fail: "X", error: "E", crash: "C", oom: "M", timeout: "T", unsupported: "U",
    unavailable: "V", not_applicable: "N", skipped: "S", not_run: "R", mock: "K" };
  const OUTCOMES = Object.fromEntries(Object.entries(CLASSES).map(([name, letter]) => [letter, name]));
  const DECIDED = new Set(["pass", "fail", "error", "crash", "oom", "timeout"]);
  const QUIET = new Set(["pass", "not_applicable"]);
  const byId = (id) => document.getElementById(id);
  const grid = byId("grid"), panel = byId("panel"), tip = byId("tip"), form = byId("filters");
  const word = (outcome) => (outcome === "oom" ? "out of memory" : outcome === "mock" ? "🔷 mock" : outcome.replaceAll("_", " "));

  /** A new element: attributes, then children; strings become text, null is left out. */
  function make(tag, attributes, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) {
      if (value !== null && value !== undefined) element.setAttribute(name, value);
    }
    element.append(...children.flat().filter((child) => child !== null && child !== undefined));
    return element;
  }

  /* ---- The table as data: read once ---- */
  const heads = [...grid.tHead.rows[0].cells].filter((head) => head.dataset.c);
  const columns = heads.map((head) => ({ key: head.dataset.c, target: head.dataset.target, shown: true }));
  const groups = [...grid.tBodies].map((body) => ({ body, family: body.dataset.family, head: body.rows[0], rows: [] }));
  const rows = [];
  for (const group of groups) {
    for (const element of [...group.body.rows].slice(1)) {
      const row = { index: rows.length, element, group, key: element.dataset.k ?? element.cells[0].textContent,
        cells: [...element.cells].slice(1, 1 + columns.length), outcomes: [], worst: [], shown: true };
      row.worst = row.cells.map((cell) => OUTCOMES[cell.classList[0]] ?? null);
      row.outcomes = row.worst;
      row.classes = row.cells.map((cell) => cell.className);
      rows.push(row);
      group.rows.push(row);
    }
  }
  const keyOf = (row, column) => `${row.key}@${columns[column].key}`;
  const nameOf = (row, column) => `${row.key} on ${columns[column].key.split("/").slice(0, 2).join(" ")}`;

  /* ---- Details: unpacked in the background ---- */
  let data = null;
  async function unpack() {
    const bytes = Uint8Array.from(atob(byId("details").textContent), (character) => character.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    data = await new Response(stream).json();
  }
  const textOf = (number) => (number === undefined || number === null ? "" : data.texts[number]);
  const detailOf = (row, column) => (data ? data.rows[row.index][column] : null);

  /* ---- State: the address holds it ---- */
  const EMPTY = { q: "", family: "", target: "", check: "", outcome: "", hide: "", closed: "", cell: "" };
  const list = (text) => (text ? text.split(",") : []);
  let state = { ...EMPTY };

  function readAddress() {
    const fresh = { ...EMPTY };
    for (const part of [location.search.slice(1), location.hash.slice(1)]) {
      if (!part.includes("=")) continue;
      for (const [name, value] of new URLSearchParams(part)) if (name in fresh) fresh[name] = value;
    }
    return fresh;
  }
  function writeAddress() {
    const parameters = new URLSearchParams();
    for (const [name, value] of Object.entries(state)) if (value) parameters.set(name, value);
    const address = String(parameters);
    history.replaceState(null, "", address ? `#${address}` : location.pathname);
  }
  function change(part) {
    state = { ...state, ...part };
    writeAddress();
    apply();
  }

  /* ---- Filters ---- */
  function matcher(text) {
    const terms = text.toLowerCase().split(/\s+/).filter(Boolean).map((term) => {
      const without = term.startsWith("!");
      const body = without ? term.slice(1) : term;
      const parts = body.split("*").map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
      return { without, body, pattern: body.includes("*") ? new RegExp(`^${parts.join(".*")}$`) : new RegExp(parts[0]) };
    }).filter((term) => term.body);
    const wanted = terms.filter((term) => !term.without), unwanted = terms.filter((term) => term.without);
    return (name) => (!wanted.length || wanted.some((term) => term.pattern.test(name)))
      && !unwanted.some((term) => term.pattern.test(name));
  }

  /** Show the marks of one check, or the worst of all checks. */
  function showCheck(check) {
    for (const row of rows) {
      row.outcomes = row.worst.map((worst, column) => {
        if (!check || !worst || worst === "mock" || !data) return worst;
        const result = detailOf(row, column).results.find((one) => one.check === check);
        return result ? result.outcome : null;
      });
      row.cells.forEach((cell, column) => {
        const outcome = row.outcomes[column];
        const emulated = row.classes[column].split(" ").includes("u") ? " u" : "";
        const classes = outcome === row.worst[column] && !check ? row.classes[column]
          : outcome ? CLASSES[outcome] + emulated : "";
        cell.className = cell.classList.contains("open") ? `${classes} open` : classes;
        cell.textContent = outcome === "mock" ? "~" : outcome ? data?.outcomes[outcome] ?? cell.textContent : "";
      });
    }
  }

  let shownCheck = "";
  function apply() {
    if (state.check !== shownCheck && (data || !state.check)) {
      showCheck(state.check);
      shownCheck = state.check;
      label();
    }
    const matches = matcher(state.q), outcomes = new Set(list(state.outcome)), closed = new Set(list(state.closed));
    columns.forEach((column) => { column.shown = !state.target || column.target === state.target; });
    const total = columns.map(() => [0, 0, 0]);
    for (const group of groups) {
      const counts = columns.map(() => [0, 0, 0]);
      let alive = 0;
      for (const row of group.rows) {
        const seen = row.outcomes.filter((outcome, column) => outcome && columns[column].shown);
        const fits = (!state.family || state.family === group.family) && matches(row.key.toLowerCase())
          && seen.length > 0 && (!outcomes.size || seen.some((outcome) => outcomes.has(outcome)))
          && !(state.hide === "green" && seen.every((outcome) => QUIET.has(outcome)));
        row.shown = fits && !closed.has(group.family);
        row.element.hidden = !row.shown;
        if (!fits) continue;
        alive += 1;
        row.outcomes.forEach((outcome, column) => {
          if (outcome === "pass") counts[column][0] += 1;
          if (DECIDED.has(outcome)) counts[column][1] += 1;
          if (outcome === "mock") counts[column][2] += 1;
        });
      }
      group.body.hidden = alive === 0;
      group.alive = alive;
      const button = group.head.querySelector("button");
      button.setAttribute("aria-expanded", String(!closed.has(group.family)));
      button.querySelector("small").textContent = alive === group.rows.length ? alive : `${alive} of ${group.rows.length}`;
      writeCounts(group.head, counts);
      counts.forEach((count, column) => count.forEach((number, part) => { total[column][part] += number; }));
    }
    writeCounts(grid.tHead.rows[1], total);
    const lines = [grid.tHead.rows[0], grid.tHead.rows[1], ...groups.map((group) => group.head), ...rows.map((row) => row.element)];
    for (const line of lines) {
      columns.forEach((column, index) => { if (line.cells[index + 1]) line.cells[index + 1].hidden = !column.shown; });
    }
    const alive = groups.reduce((sum, group) => sum + group.alive, 0);
    byId("shown").textContent = `${alive} of ${rows.length} rows`;
    byId("none").hidden = alive > 0;
    for (const name of ["q", "family", "target", "check"]) if (form.elements[name].value !== state[name]) form.elements[name].value = state[name];
    form.elements.hide.checked = state.hide === "green";
    for (const chip of form.querySelectorAll(".chip")) chip.setAttribute("aria-pressed", String(outcomes.has(chip.dataset.outcome)));
    enterable();
  }
  function writeCounts(line, counts) {
    counts.forEach(([passed, decided, mock], column) => {
      const cell = line.cells[column + 1];
      cell.replaceChildren(...(decided ? [String(passed), make("small", null, `/${decided}`)]
        : [make("small", null, mock ? "mock" : "–")]));
      cell.title = decided ? `${passed} of ${decided} decided cells pass` : "";
    });
  }

  /* ---- Keyboard: one cell of the grid takes part in the tab order ---- */
  let current = null;
  const cellAt = (place) => (place ? place.row.cells[place.column] : null);
  const usable = (row, column) => row.shown && columns[column].shown && row.outcomes[column] !== null;
  function setCurrent(place, focus) {
    cellAt(current)?.removeAttribute("tabindex");
    current = place;
    const cell = cellAt(place);
    if (!cell) return;
    cell.tabIndex = 0;
    if (focus) {
      cell.focus({ preventScroll: true });
      cell.scrollIntoView({ block: "nearest", inline: "nearest" });
    }
  }
  function enterable() {
    if (current && usable(current.row, current.column)) return;
    for (const row of rows) {
      const column = columns.findIndex((_, index) => usable(row, index));
      if (column >= 0) return setCurrent({ row, column }, false);
    }
    setCurrent(null, false);
  }
  function placeOf(element) {
    const cell = element.closest?.("td");
    if (!cell || !grid.contains(cell)) return null;
    const row = rows.find((one) => one.element === cell.parentElement);
    const column = row ? row.cells.indexOf(cell) : -1;
    return column >= 0 && row.outcomes[column] ? { row, column } : null;
  }
  function move(rowStep, columnStep) {
    let { row, column } = current, index = row.index;
    for (;;) {
      index += rowStep;
      column += columnStep;
      if (index < 0 || index >= rows.length || column < 0 || column >= columns.length) return;
      if (usable(rows[index], column)) break;
    }
    arrive({ row: rows[index], column });
  }
  function arrive(place) {
    setCurrent(place, true);
    showTip(place);
    if (!panel.hidden) open(place, false);
  }
  function jump(backwards) {
    const order = columns.map((_, index) => index);
    const column = (backwards ? order : order.reverse()).find((index) => usable(current.row, index));
    arrive({ row: current.row, column });
  }
  grid.addEventListener("keydown", (event) => {
    if (!current || event.target !== cellAt(current) || event.ctrlKey || event.metaKey || event.altKey) return;
    const actions = { ArrowUp: () => move(-1, 0), ArrowDown: () => move(1, 0), ArrowLeft: () => move(0, -1),
      ArrowRight: () => move(0, 1), Home: () => jump(true), End: () => jump(false),
      Enter: () => open(current, true), " ": () => open(current, true) };
    if (!actions[event.key]) return;
    event.preventDefault();
    actions[event.key]();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      if (!panel.hidden) close();
      hideTip();
    } else if (event.key === "/" && !event.target.closest("input, select, textarea")) {
      event.preventDefault();
      form.elements.q.focus();
    }
  });

  /* ---- Tooltip ---- */
  function reason(detail) {
    const told = detail.results.find((result) => result.outcome === detail.outcome) ?? detail.results[0];
    if (!told) return "";
    const text = textOf(told.message) || textOf(told.error?.message);
    const kind = told.error && !text.startsWith(told.error.type) ? `${told.error.type}: ` : "";
    const line = `${told.check}: ${kind}${text}`.replace(/\s+/g, " ").replace(/: $/, "");
    return line.length > 220 ? `${line.slice(0, 219)}…` : line;
  }
  function showTip(place) {
    const outcome = place.row.outcomes[place.column], detail = detailOf(place.row, place.column);
    const passed = detail ? detail.results.filter((result) => result.outcome === "pass").length : 0;
    const figures = !detail ? "" : detail.mock ? "nothing really ran; never counted"
      : `${passed} of ${detail.results.length} checks pass${detail.ms ? ` · ${milliseconds(detail.ms)}` : ""}`;
    tip.replaceChildren(make("b", null, nameOf(place.row, place.column)), make("span", null, `${word(outcome)}${figures && " · "}${figures}`),
      ...(detail && outcome !== "pass" ? [make("span", null, reason(detail))] : []));
    tip.hidden = false;
    const at = cellAt(place).getBoundingClientRect(), size = tip.getBoundingClientRect();
    tip.style.left = `${Math.max(6, Math.min(at.left, innerWidth - size.width - 6))}px`;
    tip.style.top = `${at.bottom + size.height + 10 < innerHeight ? at.bottom + 6 : Math.max(6, at.top - size.height - 6)}px`;
  }
  const hideTip = () => { tip.hidden = true; };
  grid.addEventListener("mouseover", (event) => {
    const place = placeOf(event.target);
    if (place) showTip(place); else hideTip();
  });
  grid.addEventListener("mouseleave", hideTip);
  document.querySelector("#matrix .scroll").addEventListener("scroll", hideTip, { passive: true });

  /* ---- Detail panel ---- */
  function number(value) {
    if (typeof value !== "number" || Number.isInteger(value)) return String(value);
    const size = Math.abs(value);
    return size < 1e-3 || size >= 1e6 ? value.toExponential(2) : String(Number(value.toPrecision(4)));
  }
  const milliseconds = (value) => (value >= 10000 ? `${(value / 1000).toFixed(1)} s` : value >= 100 ? `${Math.round(value)} ms` : `${number(value)} ms`);
  const mark = (outcome) => make("span", { class: `mark ${CLASSES[outcome]}`, "aria-hidden": "true" }, outcome === "mock" ? "~" : data.outcomes[outcome]);
  const facts = (entries) => make("dl", { class: "facts" }, entries.filter(([, value]) => value !== null && value !== undefined && value !== "")
    .map(([name, value]) => [make("dt", null, name), make("dd", null, value)]).flat());
  const fold = (title, content, isOpen) => make("details", { class: "fold", open: isOpen ? "" : null }, make("summary", null, title), content);
  const tableOf = (head, lines) => make("table", null,
    make("thead", null, make("tr", null, head.map((title) => make("th", { scope: "col", class: "soft" }, title)))),
    make("tbody", null, lines.map((line) => make("tr", null, line.map((value) => make("td", null, value))))));

  function copyable(command) {
    const status = make("button", { type: "button" }, "Copy");
    status.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(command);
        status.textContent = "Copied";
      } catch {
        const range = document.createRange();
        range.selectNodeContents(status.previousElementSibling);
        getSelection().removeAllRanges();
        getSelection().addRange(range);
        status.textContent = "Selected";
      }
    });
    return make("div", { class: "copy" }, make("code", { class: "command", id: "reproduce" }, command), status);
  }
  function sameCause(fingerprint) {
    let others = -1;
    for (const row of data.rows) for (const cell of row) if (cell?.results.some((result) => result.error?.fingerprint === fingerprint)) others += 1;
    return others;
  }
  function checkPart(result) {
    const error = result.error, said = textOf(result.message) || (error ? textOf(error.message) : "");
    const others = error?.fingerprint ? sameCause(error.fingerprint) : 0;
    return make("div", { class: "check" },
      make("p", null, mark(result.outcome), " ", make("b", null, result.check), ` ${word(result.outcome)}`,
        make("span", { class: "soft" }, [result.stage && result.outcome !== "pass" ? ` · while in ${result.stage}` : "", result.ms ? ` · ${milliseconds(result.ms)}` : "",
          result.flaky ? " · flaky" : ""].join(""))),
      data.checks[result.check] ? make("p", { class: "soft" }, data.checks[result.check]) : null,
      result.expected !== undefined ? make("p", null, `Expected: ${textOf(result.expected)}`) : null,
      said || error ? make(result.outcome === "pass" ? "p" : "pre", null, error && !said.startsWith(error.type) ? `${error.type}: ${said}` : said) : null,
      result.figures ? make("dl", { class: "figures" }, Object.entries(result.figures).map(([name, value]) =>
        make("div", null, make("dt", null, name), make("dd", null, number(value))))) : null,
      error?.traceback !== undefined ? make("details", { open: "" }, make("summary", null, "Traceback"), make("pre", null, textOf(error.traceback))) : null,
      others > 0 ? make("p", null, fingerprintLink(error.fingerprint, `${others} other ${others === 1 ? "cell fails" : "cells fail"} the same way`)) : null);
  }
  function fingerprintLink(fingerprint, text) {
    const group = [...document.querySelectorAll("#failures li")].find((item) => item.dataset.fingerprint === fingerprint);
    if (!group) return make("span", { class: "soft" }, text);
    const button = make("button", { type: "button" }, text);
    button.addEventListener("click", () => {
      document.querySelector("li.seen")?.classList.remove("seen");
      group.classList.add("seen");
      group.scrollIntoView({ block: "center" });
    });
    return button;
  }
  function evidencePart(detail) {
    const evidence = detail.evidence;
    return facts([
      ["Inference", detail.mock ? "🔷 mock: nothing really ran" : evidence ? "🚀 real" : "not shown: it stopped before a device answered"],
      ["Device read back", evidence?.device], ["Kind", evidence?.kind], ["Device asked for", detail.device],
      ["Precision", evidence?.precision], ["Route", evidence?.route], ["Weights", detail.weights],
      ["Graph nodes on target", evidence?.nodes_total === undefined ? null : `${evidence.nodes_on_target ?? "?"} of ${evidence.nodes_total}`],
      ["Ran elsewhere", evidence?.fallbacks?.join(", ")],
      ["Counted", evidence?.counts && Object.entries(evidence.counts).map(([name, count]) => `${count} ${name}`).join(", ")],
    ]);
  }
  function recipePart(recipe) {
    return make("div", null,
      facts([["Layout", recipe.layout], ["Modalities", recipe.modalities.join(", ")], ["Parameters", recipe.parameters.toLocaleString("en")],
        ["Versions", Object.entries(recipe.versions).map((pair) => pair.join(" ")).join(", ")], ["Hash", recipe.hash]]),
      tableOf(["Input", "Shape", "Type"], recipe.inputs.map(([name, shape, dtype]) => [name, shape.join(" × ") || "scalar", dtype])),
      make("details", null, make("summary", null, "Config"), make("pre", null, JSON.stringify(recipe.config, null, 1))),
      recipe.applied.length ? make("details", null, make("summary", null, `${recipe.applied.length} rules and overrides`),
        make("dl", { class: "applied" }, recipe.applied.map(([rule, field, before, after, why]) => [
          make("dt", null, make("code", null, field), ` ${JSON.stringify(before)} → ${JSON.stringify(after)} `, make("small", { class: "soft" }, rule)),
          make("dd", { class: "soft" }, why)]).flat())) : null);
  }
  function timePart(detail) {
    return make("div", null,
      facts([["Whole cell", detail.ms ? milliseconds(detail.ms) : null], ["CPU", detail.cpu_ms ? milliseconds(detail.cpu_ms) : null],
        ["Peak memory", detail.mib ? `${number(detail.mib)} MiB` : null], ["Started", detail.started], ["Worker", detail.worker]]),
      tableOf(["Stage", "Time"], Object.entries(detail.stages ?? {}).map(([stage, spent]) => [stage, milliseconds(spent)])));
  }
  function attemptsPart(attempts) {
    return tableOf(["Attempt", "Outcomes", ""], attempts.map((one) => [String(one.attempt),
      Object.entries(one.outcomes).map(([check, outcome]) => `${check} ${word(outcome)}`).join(", "),
      [one.final ? "decides" : "", one.lost ? "worker lost" : ""].filter(Boolean).join(", ")]));
  }

  function open(place, focus) {
    const detail = detailOf(place.row, place.column);
    if (!detail) return;
    document.querySelector("td.open")?.classList.remove("open");
    cellAt(place).classList.add("open");
    const shown = detail.mock ? "mock" : detail.outcome;
    const closer = make("button", { type: "button", "aria-label": "Close details" }, "Close");
    closer.addEventListener("click", () => close());
    const passed = detail.results.filter((result) => result.outcome === "pass").length;
    const environment = document.querySelector("#environment dl")?.cloneNode(true);
    panel.replaceChildren(
      make("header", null, make("h2", { id: "panel-title" }, place.row.key,
        make("small", { class: "soft" }, [detail.class, ...columns[place.column].key.split("/"), detail.checkpoint, detail.seed ? `seed ${detail.seed}` : ""].filter(Boolean).join(" · "))), closer),
      make("p", { class: "verdict" }, mark(shown), " ", make("b", null, word(shown)),
        make("span", { class: "soft" }, detail.mock ? " · nothing really ran; never counted" : ` · ${passed} of ${detail.results.length} checks pass`)),
      copyable(detail.reproduce),
      make("h3", null, "Checks"), ...detail.results.map(checkPart),
      make("h3", null, "Evidence"), evidencePart(detail),
      ...[
        detail.attempts ? fold("Attempts", attemptsPart(detail.attempts), true) : null,
        detail.log !== undefined ? fold("End of the log", make("pre", null, textOf(detail.log)), !["O", "N"].includes(CLASSES[shown])) : null,
        detail.recipe !== undefined ? fold("Recipe", recipePart(data.recipes[detail.recipe]), false) : null,
        detail.stages ? fold("Stages and durations", timePart(detail), false) : null,
        environment ? fold("Environment", environment, false) : null,
      ].filter(Boolean));
    panel.hidden = false;
    panel.scrollTop = 0;
    document.body.classList.add("with-panel");
    hideTip();
    setCurrent(place, false);
    cellAt(place).scrollIntoView({ block: "nearest", inline: "nearest" });
    state.cell = keyOf(place.row, place.column);
    writeAddress();
    if (focus) panel.focus();
  }
  function close() {
    panel.hidden = true;
    document.body.classList.remove("with-panel");
    document.querySelector("td.open")?.classList.remove("open");
    state.cell = "";
    writeAddress();
    cellAt(current)?.focus({ preventScroll: true });
  }
  function openFromAddress(key) {
    const row = rows.find((one) => key.startsWith(`${one.key}@`) && columns.some((column) => column.key === key.slice(one.key.length + 1)));
    if (!row) return;
    const column = columns.findIndex((one) => one.key === key.slice(row.key.length + 1));
    if (!row.outcomes[column]) return;
    open({ row, column }, false);
    cellAt(current).scrollIntoView({ block: "center", inline: "nearest" });
  }
  grid.addEventListener("click", (event) => {
    const place = placeOf(event.target);
    if (place) {
      setCurrent(place, true);
      open(place, false);
      return;
    }
    const button = event.target.closest("tr.g button");
    if (button) {
      const closed = new Set(list(state.closed)), family = button.closest("tbody").dataset.family;
      if (!closed.delete(family)) closed.add(family);
      change({ closed: [...closed].join(",") });
    }
  });

  /* ---- Form ---- */
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", () => {
    const { q, family, target, check, hide } = form.elements;
    change({ q: q.value, family: family.value, target: target.value, check: check.value, hide: hide.checked ? "green" : "" });
  });
  form.addEventListener("reset", (event) => {
    event.preventDefault();
    change({ ...EMPTY, cell: state.cell });
  });
  form.addEventListener("click", (event) => {
    const chip = event.target.closest(".chip");
    if (!chip) return;
    const chosen = new Set(list(state.outcome));
    if (!chosen.delete(chip.dataset.outcome)) chosen.add(chip.dataset.outcome);
    change({ outcome: [...chosen].join(",") });
  });
  addEventListener("hashchange", () => {
    if (location.hash && !location.hash.includes("=")) return;
    const fresh = readAddress();
    // A link to a cell inside the page says nothing about filters: they stay as they are.
    if (fresh.cell && Object.entries(fresh).every(([name, value]) => name === "cell" || !value)) state.cell = fresh.cell;
    else state = fresh;
    apply();
    if (state.cell) openFromAddress(state.cell); else if (!panel.hidden) close();
  });

  /** Names for screen readers: a letter alone says little. */
  function label() {
    for (const row of rows) {
      row.cells.forEach((cell, column) => {
        const outcome = row.outcomes[column];
        if (outcome) cell.setAttribute("aria-label", `${nameOf(row, column)}: ${word(outcome)}`);
        else cell.removeAttribute("aria-label");
      });
    }
  }

  grid.setAttribute("role", "grid");
  state = readAddress();
  label();
  apply();
  unpack().then(() => {
    apply();
    if (state.cell) openFromAddress(state.cell);
    document.body.dataset.ready = "yes";
  }, (problem) => {
    byId("shown").textContent = `The details of cells cannot be unpacked by this browser: ${problem.message}`;
  });
})();
