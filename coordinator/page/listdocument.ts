/** The list of a service's jobs as it is before the first word of the coordinator. */
import { html, type Markup } from "../report/html.ts";
import { liveDocument, section, table, withoutScripts } from "./livedocument.ts";

export function listPage(modules: readonly string[], entry: string): string {
  const content = html`<main id="content" tabindex="-1">
${withoutScripts}
<h1>Jobs</h1>
<p class="verdict" id="standing"><span class="badge" id="state">waiting for the coordinator</span> <span id="leader"></span> <a id="leaderLink" hidden></a></p>
<p class="unseen" role="status" id="announced"></p>
<div id="lists" hidden>
<div class="tools"><label>Find <input type="search" id="find" placeholder="id, state or user" autocomplete="off"></label><span class="soft" id="counts"></span></div>
${section("running", "Running", jobs("running"))}
${section("waiting", "Waiting, the next first", jobs("waiting"))}
${section("over", "Over, the newest first", jobs("over"))}
${section(
  "workers",
  "Workers",
  html`<div class="tools"><label>Find <input type="search" id="findWorker" placeholder="name, role, place or job" autocomplete="off"></label><span class="soft" id="workersMore"></span></div>
${table("workerRows", "Workers", "worker", "role", "where", "why")}`,
)}
</div>
</main>`;
  const skip = html`<a class="skip" href="#content">Skip to the jobs</a>`;
  return liveDocument({ modules, entry, scripts: null, skip, content });
}

function jobs(id: string): Markup {
  return html`<ol class="jobs" id="${id}"></ol><p class="soft" id="${id}More"></p>`;
}
