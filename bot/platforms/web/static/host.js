// The panel without reloading: it posts in the background and takes over what the stream brings, region by region, so
// that nobody who is typing or about to press loses their place.
"use strict";

const panel = document.getElementById("panel");
const status = document.getElementById("status");
let ends = null;

function wind() {
  const time = panel.querySelector("time[data-seconds]");
  ends = time && performance.now() + Number(time.dataset.seconds) * 1000;
}

function tick() {
  const time = panel.querySelector("time[data-seconds]");
  if (!time || ends === null) return;
  const left = Math.max(0, Math.round((ends - performance.now()) / 1000));
  time.textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
}

// Form keys and the clock differ each time and are no news; everything else is.
const FLEETING = /name="key" value="[^"]*"|<time[^>]*>[^<]*<\/time>| open=""/g;
const bare = (region) => region.outerHTML.replace(FLEETING, "");
const seen = new Map();

function keep(region) {
  const typed = [...region.querySelectorAll("input[type=text][id]")].map((each) => [each.id, each.value]);
  const open = [...region.querySelectorAll("details[id]")].filter((each) => each.open).map((each) => each.id);
  const active = region.contains(document.activeElement) ? document.activeElement : null;
  const place = active?.id || active?.closest("details")?.id;
  const marks = active?.matches("input[type=text]") ? [active.selectionStart, active.selectionEnd] : null;
  return (fresh) => {
    for (const [id, value] of typed) {
      const field = fresh.querySelector(`#${CSS.escape(id)}`);
      if (field) field.value = value;
    }
    for (const id of open) fresh.querySelector(`#${CSS.escape(id)}`)?.setAttribute("open", "");
    const back = place && fresh.querySelector(`#${CSS.escape(place)}`);
    (back?.matches("details") ? back.querySelector("summary") : back)?.focus({ preventScroll: true });
    if (back && marks) back.setSelectionRange(...marks);
  };
}

function draw(html) {
  const holder = document.createElement("template");
  holder.innerHTML = html;
  const regions = [...holder.content.querySelectorAll("[data-region]")];
  const wanted = new Set(regions.map((each) => each.dataset.region));
  for (const old of panel.querySelectorAll("[data-region]")) if (!wanted.has(old.dataset.region)) old.remove();
  let before = null;
  for (const region of regions) {
    const name = region.dataset.region;
    const text = bare(region);
    let here = panel.querySelector(`[data-region="${name}"]`);
    if (!here || seen.get(name) !== text) {
      seen.set(name, text);
      const restore = here ? keep(here) : () => {};
      if (here) here.replaceWith(region);
      else if (before) before.after(region);
      else panel.prepend(region);
      restore(region);
      here = region;
    } else {
      const time = region.querySelector("time");
      if (time) here.querySelector("time").replaceWith(time);
    }
    before = here;
  }
  wind();
  tick();
}

for (const region of panel.querySelectorAll("[data-region]")) seen.set(region.dataset.region, bare(region));

function listen() {
  const stream = new EventSource(panel.dataset.events);
  stream.addEventListener("panel", (event) => draw(event.data));
  stream.addEventListener("gone", () => location.reload());
  stream.addEventListener("open", () => (status.textContent = ""));
  stream.addEventListener("error", () => {
    status.textContent = panel.dataset.reconnecting;
    if (stream.readyState === EventSource.CLOSED) setTimeout(listen, 3000);
  });
}

function randomKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(9));
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_");
}

document.addEventListener("submit", async (event) => {
  if (!panel.contains(event.target)) return;
  event.preventDefault();
  const pressed = event.submitter;
  const body = new URLSearchParams(new FormData(event.target, pressed?.name ? pressed : undefined));
  body.set("key", randomKey());
  if (pressed) pressed.disabled = true; // until the answer is there: a second press would be a second command
  try {
    const answer = await fetch(event.target.action, { method: "POST", body, headers: { Accept: "application/json" } });
    status.textContent = answer.ok ? "" : await answer.text();
    if (answer.ok) for (const field of event.target.querySelectorAll("input[type=text]")) field.value = "";
  } catch {
    status.textContent = panel.dataset.reconnecting;
  }
  if (pressed) pressed.disabled = false;
  if (pressed?.isConnected && document.activeElement === document.body) pressed.focus({ preventScroll: true });
});

listen();
wind();
setInterval(tick, 500);
