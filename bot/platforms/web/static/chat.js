// What the page does beyond forms and links: it posts without reloading, and draws what the stream brings.
"use strict";

const log = document.getElementById("log");
const form = document.getElementById("say");
const field = document.getElementById("field");
const status = document.getElementById("status");
const commands = document.getElementById("commands");
const { base, you, shared, share, reconnecting, connected } = log.dataset;

let broken = false;

function say(words) {
  status.textContent = words;
}

function showMine(words) {
  const article = document.createElement("article");
  article.className = "mine fresh";
  article.dir = "auto";
  const label = document.createElement("span");
  label.className = "unseen";
  label.textContent = you + ": ";
  article.append(label, words);
  log.append(article);
  article.scrollIntoView({ block: "end" });
}

function nearEnd() {
  return window.innerHeight + window.scrollY > document.body.scrollHeight - 400;
}

function draw(html) {
  const holder = document.createElement("template");
  holder.innerHTML = html;
  for (const article of holder.content.querySelectorAll("article")) {
    if (article.lang !== document.documentElement.lang) {
      location.reload();
      return;
    }
    document.getElementById(article.id)?.remove();
    const slot = article.dataset.slot;
    const older = slot && log.querySelector(`[data-slot="${CSS.escape(slot)}"]`);
    const follow = nearEnd();
    article.classList.add("fresh");
    if (older) older.replaceWith(article);
    else log.append(article);
    if (follow) article.scrollIntoView({ block: "nearest" });
  }
  say("");
}

function leave() {
  location.assign(`${base}/forgotten?lang=${document.documentElement.lang}`);
}

function listen() {
  const stream = new EventSource(`${base}/events?after=${log.dataset.last}`);
  stream.addEventListener("bubble", (event) => {
    log.dataset.last = event.lastEventId;
    draw(event.data);
  });
  stream.addEventListener("gone", leave);
  stream.addEventListener("open", () => {
    if (broken) say(connected);
    broken = false;
  });
  stream.addEventListener("error", () => {
    broken = true;
    say(reconnecting);
    if (stream.readyState === EventSource.CLOSED) {
      setTimeout(listen, 3000);
    }
  });
}

const pause = (seconds) => new Promise((done) => setTimeout(done, seconds * 1000));

function randomKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(9));
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_");
}

// The same key at every try: what arrived once is not said twice.
async function post(body) {
  for (let attempt = 0; attempt < 8; attempt++) {
    let answer;
    try {
      answer = await fetch(form.action, { method: "POST", body, headers: { Accept: "application/json" } });
    } catch {
      say(reconnecting);
      await pause(2);
      continue;
    }
    if (answer.status === 205) return leave();
    if (answer.ok) return true;
    say(await answer.text());
    if (answer.status !== 429) return false;
    await pause(Number(answer.headers.get("Retry-After")) || 3);
  }
  return false;
}

// The second click of a double click may land on another button, because the page has moved meanwhile.
let last = { timeStamp: -Infinity, clientX: 0, clientY: 0 };
document.addEventListener(
  "click",
  (event) => {
    const apart = Math.hypot(event.clientX - last.clientX, event.clientY - last.clientY);
    const soon = event.timeStamp - last.timeStamp < 400;
    if (event.detail && soon && apart < 6 && event.target.closest(".bubble")) {
      event.preventDefault();
      event.stopPropagation();
    }
    last = event;
  },
  { capture: true },
);

document.addEventListener("submit", async (event) => {
  if (!event.target.matches("#say, .bubble form, .languages")) return;
  event.preventDefault();
  const pressed = event.submitter;
  const body = new URLSearchParams(new FormData(event.target, pressed?.name ? pressed : undefined));
  body.set("key", randomKey());
  const typed = event.target === form;
  const words = typed ? field.value.trim() : pressed.textContent.trim();
  if (typed && !words) return field.focus();
  if (!event.target.matches(".languages")) showMine(words);
  if (typed) field.value = "";
  if (!(await post(body)) && typed && !field.value) field.value = words;
  if (event.target.matches(".languages")) location.reload();
  else if (typed) field.focus();
});

field.addEventListener("input", async () => {
  if (!field.value.startsWith("/")) return;
  const typed = field.value;
  const query = new URLSearchParams({ text: typed, lang: document.documentElement.lang });
  let values;
  try {
    values = await (await fetch(`${base}/suggest?${query}`)).json();
  } catch {
    return; // completion is a comfort; without a connection there is none
  }
  if (typed !== field.value) return;
  commands.replaceChildren(
    ...values.map((value) => {
      const option = document.createElement("option");
      option.value = value;
      return option;
    }),
  );
});

log.addEventListener("click", async (event) => {
  const link = event.target.closest(".share");
  if (!link || !navigator.clipboard) return;
  event.preventDefault();
  await navigator.clipboard.writeText(link.href);
  say(shared);
});

if (navigator.clipboard) {
  const label = () => log.querySelectorAll(".share").forEach((link) => (link.textContent = share));
  new MutationObserver(label).observe(log, { childList: true });
  label();
}

listen();
if (matchMedia("(hover: hover)").matches) field.focus({ preventScroll: true }); // on a phone it would raise the keyboard
log.lastElementChild?.scrollIntoView({ block: "nearest" });
