/** What the live pages have in common: the head, the line at the top, sections and tables. */
import { html, type Markup } from "../report/html.ts";

export interface LiveDocument {
  /** What `entry` imports, too, so that nothing is found late. */
  readonly modules: readonly string[];
  readonly entry: string;
  readonly scripts: Markup | null;
  readonly skip: Markup;
  readonly content: Markup;
}

export function liveDocument({ modules, entry, scripts, skip, content }: LiveDocument): string {
  return `<!doctype html>\n${
    html`<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Limbeck</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/page/live.css">
${modules.map((path) => html`<link rel="modulepreload" href="${path}">\n`)}${scripts}<script type="module" src="${entry}"></script>
</head>
<body>
${skip}
<header class="top"><p class="kicker"><a href="/">Limbeck</a></p><p class="connection" id="connection" data-is="lost">connecting</p></header>
${content}
</body>
</html>
`.text
  }`;
}

export const withoutScripts = html`<noscript><p>This page needs scripts. <a href="/state">/state</a> has the figures without.</p></noscript>`;

export function section(id: string, title: string, content: Markup): Markup {
  return html`<section aria-labelledby="${id}Title" id="${id}Section"><h2 id="${id}Title">${title}</h2>${content}</section>`;
}

/** Wide tables are scrolled, with the keyboard, too. */
export function table(id: string, caption: string, ...names: readonly string[]): Markup {
  return html`<div class="wide" tabindex="0" role="group" aria-label="${caption}"><table class="full"><caption>${caption}</caption><thead><tr>${heads(...names)}</tr></thead><tbody id="${id}"></tbody></table></div>`;
}

export function heads(...names: readonly string[]): Markup {
  return html`${names.map((name) => html`<th scope="col">${name}</th>`)}`;
}
