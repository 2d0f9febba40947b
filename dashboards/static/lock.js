// Locks the screen when nobody has touched it for a while, and tells the server while somebody works on a long form.
// All windows of one browser count together: who works in one is not locked out of it by another.
"use strict";

(() => {
  const form = document.getElementById("lock");
  const life = Number(form.dataset.after) * 1000;
  const beat = Math.min(60000, life / 5);
  const others = new BroadcastChannel("mimamori-active");
  let last = Date.now();
  let told = last;

  function active() {
    const now = Date.now();
    if (now - last >= 1000) {
      others.postMessage(now);
    }
    last = now;
    if (now - told >= beat) {
      told = now;
      fetch("/active", { method: "POST", body: new URLSearchParams(new FormData(form)) }).catch(() => {});
    }
  }

  function check() {
    if (Date.now() - last >= life) {
      clearInterval(watch);
      document.documentElement.classList.add("blank");
      form.elements.next.value = location.pathname + location.search;
      form.submit();
    }
  }

  others.addEventListener("message", (event) => {
    last = Math.max(last, event.data);
  });
  for (const kind of ["pointerdown", "pointermove", "keydown", "wheel", "touchstart"]) {
    document.addEventListener(kind, active, { passive: true });
  }
  const watch = setInterval(check, 1000);
  document.addEventListener("visibilitychange", check);
})();
