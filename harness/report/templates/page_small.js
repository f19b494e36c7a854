// A page without cells: its language, which lives in the fragment (#lang=zh), and the words inside its drawings.
const told = JSON.parse(document.getElementById("words").textContent);

function speak() {
  const asked = new URLSearchParams(location.hash.slice(1)).get("lang") || (navigator.language || "").slice(0, 2);
  const lang = told.languages.includes(asked) ? asked : told.languages[0];
  document.documentElement.lang = lang;
  for (const button of document.querySelectorAll("[data-language]")) button.setAttribute("aria-pressed", String(button.dataset.language === lang));
  for (const element of document.querySelectorAll(".plot text")) {
    element.dataset.word ??= element.textContent;
    const word = told.words[element.dataset.word];
    if (word) element.textContent = word[told.languages.indexOf(lang)];
  }
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-language]");
  if (button) location.hash = `lang=${button.dataset.language}`;
});
addEventListener("hashchange", speak);
speak();
performance.mark("drawn");
