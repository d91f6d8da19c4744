// Takes over what the stream brings, and lets the clock go on between two of its events.
"use strict";

const wall = document.getElementById("wall");
const status = document.getElementById("status");
let drawn = wall.innerHTML.trim();
let ends = null;

function wind() {
  const time = wall.querySelector("time[data-seconds]");
  ends = time && performance.now() + Number(time.dataset.seconds) * 1000;
}

function tick() {
  const time = wall.querySelector("time[data-seconds]");
  if (!time || ends === null) return;
  const left = Math.max(0, Math.round((ends - performance.now()) / 1000));
  const shown = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
  if (time.textContent !== shown) time.textContent = shown;
}

const stream = new EventSource(wall.dataset.events);
stream.addEventListener("board", (event) => {
  if (event.data.trim() !== drawn) {
    drawn = event.data.trim();
    wall.innerHTML = event.data;
  }
  wind();
  tick();
});
stream.addEventListener("gone", () => location.reload());
stream.addEventListener("open", () => (status.textContent = ""));
stream.addEventListener("error", () => {
  status.textContent = wall.dataset.reconnecting;
  if (stream.readyState === EventSource.CLOSED) setTimeout(() => location.reload(), 5000);
});

wind();
setInterval(tick, 250);
