#include "train/report_page.hpp"

#include <array>

namespace ponder {

std::string_view run_colour(size_t run) {
  // Distinct for most kinds of colour vision (Okabe & Ito).
  static constexpr std::array<std::string_view, 7> kColours = {
      "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c6bb1"};
  return kColours[run % kColours.size()];
}

std::string_view report_head() {
  return R"(<!doctype html>
<html lang=en><head><meta charset=utf-8><meta name=viewport content="width=device-width">
<title>Ponder: training</title>
<style>
:root{color-scheme:light dark;--ink:#1d2430;--dim:#6b7482;--line:#dfe3e8;--page:#fafbfc;--card:#fff}
@media(prefers-color-scheme:dark){:root{--ink:#e3e7ee;--dim:#98a2b0;--line:#333b47;--page:#14181e;--card:#1b2129}}
body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--page);margin:2rem auto;
max-width:1200px;padding:0 1rem}
h1{font-weight:600}h2{margin-top:2.5rem;font-weight:600}h4{margin:.8rem 0 .2rem;color:var(--dim);font-weight:500}
.scroll{overflow-x:auto}table{border-collapse:collapse;font-variant-numeric:tabular-nums}
th,td{padding:.3rem .8rem;text-align:right;border-bottom:1px solid var(--line);white-space:nowrap}
th:first-child,td:first-child{text-align:left}th{color:var(--dim);font-weight:500}
.key{display:inline-block;width:.8em;height:.8em;border-radius:50%;margin-right:.5em}
.charts{display:grid;grid-template-columns:repeat(auto-fill,minmax(340px,1fr));gap:1rem;margin-top:2rem}
figure{margin:0;background:var(--card);border:1px solid var(--line);border-radius:8px;padding:.8rem}
figcaption{font-weight:600;margin-bottom:.3rem}
svg{width:100%;height:auto;display:block}svg text{fill:var(--dim);font-size:11px}
.grid{stroke:var(--line)}.cross{stroke:var(--dim);stroke-dasharray:3 3}
details{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:.5rem 1rem;margin:.5rem 0}
summary{cursor:pointer}pre{white-space:pre-wrap;overflow-wrap:anywhere;margin:.2rem 0 .5rem}
#tip{position:fixed;pointer-events:none;background:var(--ink);color:var(--page);padding:.2rem .5rem;
border-radius:4px;font-size:13px;display:none;white-space:pre}
</style></head><body>
)";
}

std::string_view report_script() {
  return R"(<div id=tip></div>
<script>
const tip = document.getElementById("tip");
for (const svg of document.querySelectorAll("svg[data-curves]")) {
  const {curves, left, right, first, last} = JSON.parse(svg.dataset.curves);
  const cross = svg.querySelector(".cross");
  svg.addEventListener("mousemove", event => {
    const box = svg.getBoundingClientRect();
    const x = (event.clientX - box.left) * svg.viewBox.baseVal.width / box.width;
    const step = first + (x - left) / (right - left) * (last - first);
    const lines = curves.map(({name, points}) => {
      let best = points[0];
      for (const point of points) if (Math.abs(point[0] - step) < Math.abs(best[0] - step)) best = point;
      return {at: best[0], text: name + "  " + best[1].toPrecision(5)};
    });
    tip.textContent = "step " + Math.round(lines[0].at) + "\n" + lines.map(l => l.text).join("\n");
    tip.style.display = "block";
    tip.style.left = Math.min(event.clientX + 14, innerWidth - tip.offsetWidth - 8) + "px";
    tip.style.top = event.clientY + 14 + "px";
    const at = left + (lines[0].at - first) / (last - first || 1) * (right - left);
    cross.setAttribute("x1", at);
    cross.setAttribute("x2", at);
    cross.style.display = "inline";
  });
  svg.addEventListener("mouseleave", () => { tip.style.display = cross.style.display = "none"; });
}
</script></body>)";
}

}  // namespace ponder
