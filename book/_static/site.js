// A click on a figure shows it at full size. Without this script the link opens the picture itself.
(() => {
  const full = document.createElement("dialog");
  full.className = "full-size";
  full.setAttribute("aria-label", "Figure at full size");
  full.innerHTML = '<form method="dialog"><button>Close</button></form>'
    + '<div tabindex="0" role="group" aria-label="Figure, scrolls"></div>';
  const place = full.querySelector("div");
  full.addEventListener("click", (event) => { if (event.target === full) full.close(); });
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a.enlarge");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    const picture = link.querySelector("img, svg").cloneNode(true);
    picture.removeAttribute("loading");
    place.replaceChildren(picture);
    if (!full.isConnected) document.body.append(full);
    full.showModal();
  });
  // A link into folded code, or into anything folded, opens the fold.
  const open = () => {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    for (let fold = target?.closest?.("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
  };
  addEventListener("hashchange", open);
  open();
})();
