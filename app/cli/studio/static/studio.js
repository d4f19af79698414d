"use strict";

const $ = (id) => document.getElementById(id);
const text = $("text"), video = $("video");
const LINE = 20, TOP = 8; // pixels, as in studio.css

let base = { text: "", version: "" }; // what the page's text comes from
let server = null; // newest state of the studio
let steps = [], errors = []; // of the text in the page
let shownFilm = "", offered = ""; // film that plays; version that the author was asked about
let stillKey = "", stillUrl = "", checking = 0, drawing = 0;
let unchecked = false; // whether the text has changed since its last check

const dirty = () => text.value !== base.text;
const name = () => (server ? server.file : "The file");

async function ask(path, options = {}) {
  const answer = await fetch(path, options);
  if (answer.ok) return answer;
  const problem = await answer.json().catch(() => ({}));
  const error = new Error(problem.detail || problem.description || `HTTP ${answer.status}`);
  error.status = answer.status;
  throw error;
}

function element(tag, className, content) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...[].concat(content));
  return made;
}

function debounced(milliseconds, act) {
  let timer = 0;
  return () => { clearTimeout(timer); timer = setTimeout(act, milliseconds); };
}

// --- the text -------------------------------------------------------------------------------

const cursorLine = () => text.value.slice(0, text.selectionStart).split("\n").length;
const stepHere = () => {
  const line = cursorLine();
  return steps.find((step) => step.first <= line && line <= step.last);
};

function drawLines() {
  const lines = text.value.split("\n"), here = stepHere(), said = new Map();
  for (const error of errors) said.set(error.line, [...(said.get(error.line) || []), error.detail]);
  const numbers = $("numbers"), marks = [];
  while (numbers.childElementCount > lines.length) numbers.lastChild.remove();
  while (numbers.childElementCount < lines.length) {
    numbers.append(element("div", "", String(numbers.childElementCount + 1)));
  }
  lines.forEach((line, index) => {
    const number = index + 1, inStep = here && here.first <= number && number <= here.last;
    const kind = said.has(number) ? "bad" : inStep ? "here" : "";
    const cell = numbers.children[index];
    if (cell.className !== kind) cell.className = kind;
    cell.title = said.has(number) ? said.get(number).join("\n") : "";
    if (!kind) return;
    const mark = element("div", kind, "");
    mark.style.top = `${TOP + index * LINE}px`;
    if (said.has(number)) {
      mark.append(element("span", "ghost", line), element("span", "said", said.get(number).join(" · ")));
    }
    marks.push(mark);
  });
  $("marks").replaceChildren(...marks);
  scrollLines();
}

function scrollLines() {
  $("numbers").style.transform = `translateY(${-text.scrollTop}px)`;
  $("marks").style.transform = `translate(${-text.scrollLeft}px, ${-text.scrollTop}px)`;
}

function goTo(line) {
  const lines = text.value.split("\n");
  const start = lines.slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0);
  text.focus();
  text.setSelectionRange(start, start + lines[line - 1].length);
  text.scrollTop = Math.max(0, (line - 4) * LINE);
  text.scrollLeft = 0;
  cursorMoved();
}

function showErrors(found) {
  errors = found;
  $("problems").hidden = !errors.length;
  $("errors-title").textContent = errors.length === 1 ? "1 error" : `${errors.length} errors`;
  $("errors").replaceChildren(...errors.map((error) => {
    const button = element("button", "", [
      element("b", "", `Line ${error.line}`), `  ${error.detail} `, element("code", "", error.pointer),
    ]);
    button.type = "button";
    button.addEventListener("click", () => goTo(error.line));
    return element("li", "", button);
  }));
}

function showSaved() {
  const saved = $("saved");
  saved.className = dirty() ? "dirty" : "";
  saved.textContent = server && server.missing ? "The file is missing" : dirty() ? "Not saved" : "Saved";
  $("save").disabled = text.disabled || !(dirty() || (server && server.missing));
  document.title = `${dirty() ? "• " : ""}${name()} – Preview studio`;
}

async function checkText() {
  const mine = ++checking, value = text.value;
  if (!dirty() && server && server.version === base.version) {
    adoptCheck(server);
    return;
  }
  try {
    const found = await (await ask("/check", { method: "POST", body: value })).json();
    if (mine === checking) adoptCheck(found);
  } catch (error) {
    if (mine === checking && error.status) adoptCheck({ steps, errors: [{ line: 1, pointer: "", detail: error.message }] });
  }
}

function adoptCheck(found) {
  unchecked = false;
  // Without a tree, a text that is being typed keeps its last steps.
  if (found.steps.length || !found.errors.length) steps = found.steps;
  const failure = server && server.failure && !dirty() && server.version === base.version ? server.failure.errors : [];
  showErrors([...found.errors, ...failure]);
  drawLines();
  drawStill();
  showPlay();
}

const checkSoon = debounced(120, checkText);
const drawSoon = debounced(60, () => { drawLines(); drawStill(); showPlay(); });

function cursorMoved() {
  drawSoon();
}

// --- the still --------------------------------------------------------------------------------

async function drawStill() {
  const step = stepHere(), image = $("still"), note = $("still-note");
  if (!step || unchecked) return;
  const value = text.value, assets = server && server.assets;
  const key = JSON.stringify([step.id, value, assets, errors.length > 0]);
  if (key === stillKey) return;
  stillKey = key;
  const mine = ++drawing;
  $("still-title").textContent = `Step “${step.id}”`;
  image.classList.add("stale");
  if (errors.length && !(server && server.failure)) {
    note.textContent = "The still follows when the errors are gone.";
    note.hidden = false;
    return;
  }
  try {
    const width = Math.min(1920, Math.ceil(image.parentElement.clientWidth * devicePixelRatio));
    const query = new URLSearchParams({ step: step.id, width });
    const answer = await ask(`/still?${query}`, { method: "POST", body: value });
    if (mine !== drawing || answer.status === 204) return;
    const url = URL.createObjectURL(await answer.blob());
    if (mine !== drawing) { URL.revokeObjectURL(url); return; }
    image.src = url;
    await image.decode().catch(() => {});
    if (stillUrl) URL.revokeObjectURL(stillUrl);
    stillUrl = url;
    image.alt = `Still of step ${step.id}`;
    image.hidden = false;
    image.classList.remove("stale");
    note.hidden = true;
  } catch (error) {
    if (mine !== drawing) return;
    note.textContent = error.message;
    note.hidden = false;
  }
}

// --- the file ---------------------------------------------------------------------------------

async function load() {
  const found = await (await ask("/document")).json();
  const line = text.disabled ? 1 : cursorLine(), column = text.selectionStart, scroll = text.scrollTop;
  base = found;
  text.disabled = false;
  text.value = found.text;
  text.setSelectionRange(column, column);
  if (cursorLine() !== line && line <= found.text.split("\n").length) {
    const start = found.text.split("\n").slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0);
    text.setSelectionRange(start, start);
  }
  text.scrollTop = scroll;
  $("conflict").hidden = true;
  showSaved();
  await checkText();
}

async function save() {
  if ($("save").disabled) return;
  const value = text.value;
  try {
    const answer = await ask("/document", { method: "PUT", headers: { "If-Match": `"${base.version}"` }, body: value });
    base = { text: value, version: (await answer.json()).version };
    $("conflict").hidden = true;
    showSaved();
  } catch (error) {
    if (error.status === 409) {
      offered = "";
      reconcile((await (await ask("/document")).json()).version);
    } else {
      $("saved").className = "lost";
      $("saved").textContent = `Not saved: ${error.message}`;
    }
  }
}

// Something else has written the file: load it, unless the page holds what would be lost.
function reconcile(version) {
  if (text.disabled || (version !== base.version && !dirty())) { load(); return; }
  if (version === base.version) { $("conflict").hidden = true; return; }
  if (version === offered) return;
  offered = version;
  $("conflict-text").textContent = `${name()} was changed by another program, and your text here is not saved.`;
  $("conflict").hidden = false;
}

$("load").addEventListener("click", load);
$("keep").addEventListener("click", () => {
  base = { ...base, version: offered || server.version };
  $("conflict").hidden = true;
  showSaved();
  text.focus();
});

// --- the film ---------------------------------------------------------------------------------

const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;

function showRender(render) {
  $("bar").hidden = !render;
  $("phase").textContent = "";
  if (!render) return;
  if (render.total) $("bar").value = render.done / render.total;
  else $("bar").removeAttribute("value");
  $("phase").textContent = render.phase === "rendering" ? `rendering ${Math.floor(100 * render.done / render.total)} %` : render.phase;
}

function showFilm(film) {
  if (!film || film.name === shownFilm) return;
  const languages = new Intl.DisplayNames(["en"], { type: "language" });
  const at = video.currentTime, playing = !video.paused && !video.ended;
  const captions = [...video.textTracks].some((track) => track.mode === "showing");
  shownFilm = film.name;
  video.replaceChildren(...film.captions.map((one) => {
    const track = element("track", "", "");
    track.kind = "captions";
    track.src = one.url;
    track.srclang = one.language;
    track.label = languages.of(one.language);
    return track;
  }));
  if (captions && video.textTracks.length) video.textTracks[0].mode = "showing";
  video.poster = film.poster;
  video.src = film.video;
  if (at) video.addEventListener("loadedmetadata", () => {
    video.currentTime = Math.min(at, video.duration);
    if (playing) video.play().catch(() => {});
  }, { once: true });
  video.hidden = false;
  $("video-note").hidden = true;
  const cached = film.cached ? `, ${film.cached} ${film.cached === 1 ? "step" : "steps"} kept` : "";
  $("film-note").textContent = `${film.seconds.toFixed(1)} s, rendered in ${film.took.toFixed(1)} s${cached}`;
  $("warnings").replaceChildren(...film.warnings.map((warning) => element("li", "", warning)));
  $("chapters").replaceChildren(...film.chapters.map((chapter) => {
    const button = element("button", "", [element("small", "", clock(chapter.start)), ` ${chapter.title}`]);
    button.type = "button";
    button.addEventListener("click", () => playFrom(chapter.start));
    return element("li", "", button);
  }));
}

function playFrom(seconds) {
  video.currentTime = seconds;
  video.play().catch(() => {});
}

const filmStep = () => {
  const here = stepHere();
  return here && server && server.film && server.film.steps.find((step) => step.id === here.id);
};
const showPlay = () => { $("play").disabled = !filmStep(); };
$("play").addEventListener("click", () => { const step = filmStep(); if (step) playFrom(step.start); });

// --- news ---------------------------------------------------------------------------------------

function take(state) {
  const before = server;
  server = state;
  $("name").textContent = state.file;
  showRender(state.render);
  $("failure").hidden = !state.failure;
  $("failure").textContent = state.failure ? state.failure.detail : "";
  showFilm(state.film);
  if (!before || before.version !== state.version || text.disabled) reconcile(state.version);
  if (before && JSON.stringify([before.errors, before.failure, before.assets, before.version])
    !== JSON.stringify([state.errors, state.failure, state.assets, state.version])) checkSoon();
  showPlay();
  showSaved();
}

const news = new EventSource("/events");
news.addEventListener("message", (event) => take(JSON.parse(event.data)));
news.addEventListener("open", showSaved);
news.addEventListener("error", () => {
  $("saved").className = "lost";
  $("saved").textContent = "The studio has ended. Start it again; your text stays here.";
});

text.addEventListener("input", () => { unchecked = true; drawLines(); showSaved(); checkSoon(); });
text.addEventListener("scroll", scrollLines);
document.addEventListener("selectionchange", () => { if (document.activeElement === text) cursorMoved(); });
$("save").addEventListener("click", save);
document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "s") {
    event.preventDefault();
    save();
  }
});
addEventListener("beforeunload", (event) => { if (dirty()) event.preventDefault(); });
