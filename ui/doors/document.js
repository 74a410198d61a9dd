// Streamlit writes a switch to a page with filters into the history as two steps: first the page that
// is left, with the filters of the next one, then the next one. The first never was on the screen,
// so the second takes its place, and Back is one step. A gesture between them makes them two.
(() => {
  const push = history.pushState.bind(history);
  let written = null;
  const forget = () => { written = null; };
  for (const gesture of ["pointerdown", "keydown", "popstate"]) addEventListener(gesture, forget, true);
  history.pushState = (state, title, url) => {
    const next = new URL(url ?? "", location.href);
    const stays = next.pathname === location.pathname;
    if (!stays && next.search === written) history.replaceState(state, title, url);
    else push(state, title, url);
    written = stays ? next.search : null;
  };
})();
// A proxy that does not pass websockets on, or a refusal, would leave the page grey without a word.
(() => {
  const WORDS = __BLOCKED__;
  const PATIENCE = 8000;
  let opened = false, failed = 0, shown = null;
  const show = () => {
    if (opened || shown) return;
    shown = document.createElement("div");
    shown.setAttribute("role", "alert");
    shown.style.cssText = "position:fixed;inset:0 0 auto 0;z-index:2147483647;padding:1rem 1.25rem;" +
      "background:#401A18;color:#fff;font:15px/1.5 system-ui,sans-serif";
    for (const language of [0, 1]) {
      const title = document.createElement("strong"), body = document.createElement("p");
      title.textContent = WORDS[0][language];
      body.textContent = WORDS[1][language];
      title.lang = body.lang = ["es", "en"][language];
      body.style.cssText = `margin:0 0 ${language ? 0 : ".75rem"};max-width:60rem`;
      shown.append(title, body);
    }
    document.body.append(shown);
  };
  window.WebSocket = class extends WebSocket {
    constructor(...given) {
      super(...given);
      this.addEventListener("open", () => { opened = true; shown?.remove(); });
      this.addEventListener("close", () => { failed += 1; if (failed > 1) show(); });
      setTimeout(show, PATIENCE);
    }
  };
})();
