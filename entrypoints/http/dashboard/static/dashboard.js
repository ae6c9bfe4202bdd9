// Asks for the part of the page that changes, `[data-poll]`, from time to time: one request at a time, and none while
// nobody sees the page. Without this script the page is as it was when it was loaded.
(() => {
  "use strict";
  const part = document.querySelector("[data-poll]");
  const status = document.getElementById("imports-status");
  if (!part || !status) return;
  let timer = 0;
  let asking = false;

  function plan() {
    clearTimeout(timer);
    const shown = part.querySelector("[data-next-seconds]");
    timer = setTimeout(ask, 1000 * Number(shown ? shown.dataset.nextSeconds : 15));
  }

  function ask() {
    if (asking || document.hidden) return;
    asking = true;
    htmx.trigger(part, "poll");
  }

  part.addEventListener("htmx:afterRequest", () => {
    asking = false;
    plan();
  });
  part.addEventListener("htmx:afterSwap", () => {
    const shown = part.querySelector("[data-sentence]");
    // Screen readers say what is written into it, also where it is the same again.
    if (shown && shown.dataset.sentence !== status.textContent) status.textContent = shown.dataset.sentence;
  });
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) clearTimeout(timer);
    else ask();
  });
  plan();
})();

// On the first visit, the day is that of the browser's time zone, if the page knows it; after that the chosen one counts.
(() => {
  "use strict";
  const form = document.querySelector("form[data-offer-zone]");
  if (!form) return;
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const select = form.elements.namedItem("tz");
  if (zone === select.value || !Array.from(select.options).some((option) => option.text === zone)) return;
  const query = new URLSearchParams(location.search);
  query.set("tz", zone);
  location.replace(`${location.pathname}?${query}`);
})();
