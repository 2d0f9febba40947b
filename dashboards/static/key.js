// Security keys: a form marked `data-key` asks the server for options, the browser for an answer, and then sends
// itself with that answer. Without this script the other ways of a page still work.
"use strict";

(() => {
  function say(form, words) {
    const place = form.querySelector(".problem[hidden], .problem[data-said]");
    place.textContent = words;
    place.dataset.said = "";
    place.hidden = words === "";
  }

  async function answer(form) {
    const asked = await fetch(`${form.getAttribute("action")}/options`, {
      method: "POST",
      body: new URLSearchParams(new FormData(form)),
    });
    const told = await asked.json();
    if (!asked.ok) {
      throw new Error(told.text);
    }
    const enrols = form.dataset.key === "create";
    const publicKey = enrols
      ? PublicKeyCredential.parseCreationOptionsFromJSON(told)
      : PublicKeyCredential.parseRequestOptionsFromJSON(told);
    try {
      const credential = await navigator.credentials[enrols ? "create" : "get"]({ publicKey });
      return JSON.stringify(credential.toJSON());
    } catch {
      throw new Error(form.dataset.failed);
    }
  }

  async function go(form, button) {
    say(form, "");
    if (!window.PublicKeyCredential || !PublicKeyCredential.parseRequestOptionsFromJSON) {
      say(form, form.dataset.unsupported);
      return;
    }
    button.disabled = true;
    try {
      form.elements.response.value = await answer(form);
      form.submit();
    } catch (error) {
      say(form, error.message || form.dataset.failed);
      button.disabled = false;
      button.focus();
    }
  }

  for (const form of document.querySelectorAll("form[data-key]")) {
    form.addEventListener("submit", (event) => {
      const button = event.submitter || form.querySelector("button");
      if (button.value !== "app") {
        event.preventDefault();
        go(form, button);
      }
    });
    form.querySelector("button[data-with]")?.addEventListener("click", (event) => {
      if (form.reportValidity()) {
        go(form, event.currentTarget);
      }
    });
  }
})();
