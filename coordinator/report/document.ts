/** A page of its own: styles, script and pictures are in it, and its policy allows nothing else. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { packagePath } from "../../proto/package.ts";
import type { ChartData } from "./chart.ts";
import { html, jsonMarkup, Markup } from "./html.ts";

/** @param charts of the figures in the body */
export function htmlDocument(title: string, body: Markup, charts: ChartData): string {
  const require = createRequire(import.meta.url);
  const text = (path: string) => readFileSync(path, "utf8");
  const style = `${text(require.resolve("uplot/dist/uPlot.min.css"))}\n${text(packagePath("coordinator/report/page.css"))}`;
  const own = ["plot", "browser"].map((name) => inOneScript(text(packagePath(`dist/coordinator/report/${name}.js`))));
  const script = [text(require.resolve("uplot/dist/uPlot.iife.min.js")), ...own].join("\n");
  const policy = `default-src 'none'; base-uri 'none'; form-action 'none'; img-src data:; style-src '${hash(style)}'; script-src '${hash(script)}'`;
  return `<!doctype html>\n${
    html`<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<style>${new Markup(style)}</style>
</head>
<body>
${body}
<script type="application/json" id="charts">${jsonMarkup(charts)}</script>
<script type="module">${new Markup(script)}</script>
</body>
</html>
`.text
  }`;
}

/** Modules that stand one after the other need neither import nor export. */
function inOneScript(module: string): string {
  return module.replace(/^import .*;$|^\/\/# sourceMappingURL.*$/gm, "").replace(/^export (?=const|function)/gm, "");
}

function hash(text: string): string {
  return `sha256-${createHash("sha256").update(text).digest("base64")}`;
}
