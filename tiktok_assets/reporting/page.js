// Draws every chart in the colours of the scheme, and again when the scheme changes.
const specs = JSON.parse(document.getElementById("specs").textContent);
const themes = JSON.parse(document.getElementById("themes").textContent);
const scheme = matchMedia("(prefers-color-scheme: dark)");

async function draw() {
  const mode = scheme.matches ? "dark" : "light";
  for (const [id, spec] of Object.entries(specs)) {
    await vegaEmbed(document.getElementById(id), structuredClone(spec), {
      mode: "vega-lite",
      renderer: "svg",
      actions: false,
      ast: true, // expressions are interpreted: the page's policy forbids eval
      config: themes[mode],
      tooltip: { theme: mode },
    });
  }
  document.documentElement.dataset.drawn = mode;
}

let drawing = draw();
scheme.addEventListener("change", () => {
  drawing = drawing.then(draw);
});
