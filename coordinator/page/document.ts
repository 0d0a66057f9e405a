/** The live page of a job as it is before the first word of the coordinator: its parts, and what each is called. */
import { html } from "../report/html.ts";
import { heads, liveDocument, section, table, withoutScripts } from "./livedocument.ts";

/** @param modules what `entry` imports, too, so that nothing is found late */
export function livePage(modules: readonly string[], entry: string): string {
  const content = html`<main>
${withoutScripts}
<nav aria-label="Jobs"><div class="wide" tabindex="0" role="group" aria-label="Jobs"><table class="full"><caption>Jobs</caption><thead><tr>${heads("job", "state", "stage", "progress", "time left")}</tr></thead><tbody id="jobs"></tbody></table></div><p class="soft" id="allJobs" hidden><a href="/">All jobs</a><span></span></p></nav>
<article class="unheard" id="job" aria-labelledby="name" tabindex="-1">
<h1 id="name">No job yet</h1>
<p class="verdict" id="standing"><span class="badge" id="state">waiting for the coordinator</span> <span id="why"></span></p>
<p id="elsewhere" hidden><span></span> <a></a></p>
<p class="soft" id="facts"></p>
<p class="unseen" role="status" id="announced"></p>
${section("progress", "Progress", html`<div id="stages"></div><dl class="figures" id="figures"></dl>`)}
${section(
  "curves",
  "Curves",
  html`<p>By epoch. Where many steps share a point, the band shows their extremes.</p><div class="charts" id="charts"></div>
<details><summary>The newest values as a table</summary>${table("values", "The newest values of each stage", "stage", "step", "loss", "to the labels", "to the teacher", "training accuracy", "agreement", "test errors", "test accuracy", "examples/s")}</details>`,
)}
${section("time", "Where the step time goes", html`<div class="stack" id="phases" aria-hidden="true"></div><p class="legend" id="phaseLegend"></p><div class="charts" id="timeCharts"></div>`)}
${section(
  "workers",
  "Workers",
  html`<p id="crew"></p><canvas id="picture" role="img" aria-label="Who holds which lanes"></canvas><p class="soft" id="picked">Students by the lanes they hold, teachers below; point at one to see who it is.</p>
<div class="tools"><label>Find <input type="search" id="workerFilter" placeholder="name, role or state" autocomplete="off"></label>
<span class="pager"><button type="button" id="workersBack">Previous</button> <span id="workersShown"></span> <button type="button" id="workersOn">Next</button></span></div>
${table("workerRows", "Workers", "worker", "role", "state", "doing", "step", "lanes", "ms per lane", "examples/s", "queue", "memory")}`,
)}
${section("softTargets", "Soft targets", html`<p id="cache"></p><dl class="figures" id="targets"></dl>`)}
${section("timeline", "Terms and faults", html`<p id="faults"></p><div class="strip" id="strip" aria-hidden="true"></div><ol class="box marks" id="marks" tabindex="0" aria-label="Terms and faults, newest first"></ol>`)}
${section("checkpoints", "Checkpoints", table("checkpointRows", "Checkpoints, newest first", "stage", "step", "written", "size", "folder"))}
${section(
  "log",
  "Log",
  html`<div class="tools"><label>Find <input type="search" id="logFilter" autocomplete="off"></label><label><input type="checkbox" id="logFaults"> only what went wrong</label></div>
<ol class="box lines" id="lines" tabindex="0" aria-label="What the coordinator decided, newest last"></ol>`,
)}
</article>
</main>`;
  const scripts = html`<script defer src="/page/uplot.js"></script>\n`;
  return liveDocument({
    modules,
    entry,
    scripts,
    skip: html`<a class="skip" href="#job">Skip to the job</a>`,
    content,
  });
}
