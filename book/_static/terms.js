// Escape hides the note of a term; the next visit shows it again. Without this file notes work, too.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const use of document.querySelectorAll(".term-use:is(:hover, :focus-within)")) {
    const back = () => use.classList.remove("hushed");
    use.classList.add("hushed");
    use.addEventListener("mouseleave", back, { once: true });
    use.addEventListener("focusout", back, { once: true });
  }
});
