"use strict";
// The question shaded by attention: shows one model and one noise at a time.
(() => {
  const form = document.getElementById("look");
  if (!form) return;
  const texts = [...document.querySelectorAll(".shaded")];
  function choose() {
    const [model, noise] = ["model", "noise"].map((name) => form.elements.namedItem(name).value);
    for (const text of texts) text.hidden = text.dataset.model !== model || text.dataset.noise !== noise;
    document.getElementById("look-none").hidden = texts.some((text) => !text.hidden);
  }
  const noisy = [...form.elements.namedItem("noise").options].find((option) => option.value !== "clean");
  if (noisy) noisy.selected = true;
  form.addEventListener("input", choose);
  form.addEventListener("submit", (event) => event.preventDefault());
  choose();
})();

// The examples: filtered, searched and paged here. Text is inserted as text nodes, never as markup.
(async () => {
  const PAGE = matchMedia("(max-width: 40rem)").matches ? 4 : 20;
  const form = document.getElementById("filters");
  const list = document.getElementById("examples-list");
  const status = document.getElementById("examples-status");
  if (!form) return;
  if (!("DecompressionStream" in window)) {
    status.textContent = "This browser is too old to show the examples: they are in predictions/ as well.";
    return;
  }
  const packed = atob(document.getElementById("examples-data").textContent);
  const bytes = Uint8Array.from(packed, (letter) => letter.charCodeAt(0));
  const opened = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  const data = await new Response(opened).json();
  const field = (name) => form.elements.namedItem(name);
  const rows = data.rows.map((row) => ({ ...row, text: `${row.id}\n${row.question}`.toLowerCase() }));
  const clean = data.noises.indexOf("clean");
  const cleanOf = new Map(); // several rows if models were asked different texts under one name
  for (const row of rows.filter((row) => row.noise === clean)) {
    cleanOf.set(row.problem, [...(cleanOf.get(row.problem) ?? []), row]);
  }
  const RIGHT = data.outcomes.indexOf("correct");
  let shown = rows;
  let page = 0;

  const columns = (value) => (value === "" ? data.columns.map((_, index) => index) : [Number(value)]);
  const flipped = (row, column) => {
    const before = cleanOf.get(row.problem)?.map((cleanRow) => cleanRow.answers[column]).find(Boolean);
    const after = row.answers[column];
    return row.noise !== clean && before && after && before[0] === RIGHT && after[0] !== RIGHT;
  };

  function filter() {
    const noise = field("noise").value;
    const outcome = field("outcome").value;
    const chosen = columns(field("model").value);
    const words = field("search").value.toLowerCase().trim();
    const only = field("flipped").checked;
    shown = rows.filter(
      (row) =>
        (noise === "" || row.noise === Number(noise)) &&
        chosen.some((column) => {
          const answer = row.answers[column];
          return answer && (outcome === "" || answer[0] === Number(outcome)) && (!only || flipped(row, column));
        }) &&
        (words === "" || row.text.includes(words)),
    );
    page = 0;
    draw();
  }

  function element(tag, text, name) {
    const node = document.createElement(tag);
    if (text !== undefined) node.textContent = text;
    if (name) node.className = name;
    return node;
  }

  function question(row) {
    const node = element("p");
    let end = 0;
    const letters = Array.from(row.question); // spans count code points, JavaScript strings UTF-16 units
    for (const [start, stop] of row.spans) {
      node.append(letters.slice(end, start).join(""));
      node.append(element("mark", letters.slice(start, stop).join("")));
      end = stop;
    }
    node.append(letters.slice(end).join(""));
    return node;
  }

  function card(row) {
    const node = element("article");
    node.tabIndex = 0;
    const link = element("a", `${row.id}, ${data.noises[row.noise]}`);
    link.href = `#example=${encodeURIComponent(row.id)}&noise=${encodeURIComponent(data.noises[row.noise])}`;
    const head = element("h3");
    head.append(link);
    const gold = element("details");
    gold.append(element("summary", "the worked answer"), element("pre", row.gold));
    const answers = element("div", undefined, "answers");
    data.columns.forEach((column, index) => {
      const answer = row.answers[index];
      if (!answer) return;
      const box = element("div");
      box.style.borderColor = data.colours[index];
      const outcome = data.outcomes[answer[0]];
      const line = element("p", `${column}: `);
      line.append(element("span", outcome.replace("_", " "), `outcome ${outcome}`));
      if (flipped(row, index)) line.append(" (right when clean)");
      box.append(line, element("pre", answer[2].replace(/^ /, "")));
      answers.append(box);
    });
    node.append(head, question(row), gold, answers);
    return node;
  }

  function draw() {
    const last = Math.max(0, Math.ceil(shown.length / PAGE) - 1);
    page = Math.min(Math.max(page, 0), last);
    list.replaceChildren(...shown.slice(page * PAGE, (page + 1) * PAGE).map(card));
    status.textContent = shown.length
      ? `${shown.length.toLocaleString("en")} example${shown.length === 1 ? "" : "s"}, page ${page + 1} of ${last + 1}`
      : "no example matches; widen the filters";
    for (const [name, end] of [["back", page === 0], ["on", page === last]]) {
      document.getElementById(name).setAttribute("aria-disabled", String(end)); // unlike `disabled`, keeps the focus
    }
  }

  function turn(by) {
    const before = page;
    page += by;
    draw();
    if (page === before) return;
    document.getElementById("examples").scrollIntoView();
  }

  function follow(hash) {
    const parameters = new URLSearchParams(hash.slice(1));
    if (!parameters.has("example")) return;
    const noise = data.noises.indexOf(parameters.get("noise"));
    shown = rows.filter((row) => row.id === parameters.get("example") && (noise < 0 || row.noise === noise));
    page = 0;
    draw();
    document.getElementById("examples").scrollIntoView();
  }

  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(filter));
  document.getElementById("back").addEventListener("click", () => turn(-1));
  document.getElementById("on").addEventListener("click", () => turn(1));
  document.getElementById("examples").addEventListener("keydown", (event) => {
    if (event.target.closest("input, select, textarea") || event.ctrlKey || event.metaKey || event.altKey) return;
    const cards = [...list.children];
    const current = cards.indexOf(document.activeElement);
    if (event.key === "/") field("search").focus();
    else if (event.key === "j") cards[Math.min(current + 1, cards.length - 1)]?.focus();
    else if (event.key === "k") cards[Math.max(current - 1, 0)]?.focus();
    else if (event.key === "n") turn(1);
    else if (event.key === "p") turn(-1);
    else return;
    event.preventDefault();
  });
  addEventListener("hashchange", () => follow(location.hash));
  list.addEventListener("click", (event) => {
    const link = event.target.closest("h3 a");
    if (link) follow(link.getAttribute("href")); // even if the address already has this hash
  });
  draw();
  follow(location.hash);
})();

// Inside a notebook the page has no address of its own, so a link to a section would load the notebook.
if (location.href === "about:srcdoc") {
  document.addEventListener("click", (event) => {
    const link = event.target.closest('a[href^="#"]');
    if (!link) return;
    event.preventDefault();
    document.getElementById(link.getAttribute("href").slice(1))?.scrollIntoView();
  });
}
