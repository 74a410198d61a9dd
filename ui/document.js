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
