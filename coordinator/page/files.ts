/** The live pages' files, from this package: the browser's modules as tsc made them, uPlot, styles. Nothing comes from elsewhere. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { posix } from "node:path";
import { gzipSync } from "node:zlib";
import { packagePath } from "../../proto/package.ts";
import type { Handler, Handlers } from "../../proto/telemetry/http.ts";
import { livePage } from "./document.ts";
import { listPage } from "./listdocument.ts";

const jobEntry = "coordinator/page/browser/main.js";
const listEntry = "coordinator/page/browser/list.js";
/** Only what this server has, and nothing that is written into the page. */
const policy =
  "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; connect-src 'self'; img-src data:; script-src 'self'; style-src 'self'";

/** By path: of one job, whose page is at /. */
export function pageFiles(): Handlers {
  const modules = modulesFrom(jobEntry);
  return {
    "/": file("text/html", livePage([...modules.keys()].map(pathOf), pathOf(jobEntry))),
    ...sharedFiles(modules),
  };
}

/** Of a service: the list of its jobs is at /, and each job has its page. */
export function servicePageFiles(): { readonly files: Handlers; readonly jobPage: Handler } {
  const { "/": jobPage, ...files } = pageFiles();
  const modules = modulesFrom(listEntry);
  const list = file("text/html", listPage([...modules.keys()].map(pathOf), pathOf(listEntry)));
  return { files: { ...files, "/": list, ...sharedFiles(modules) }, jobPage: jobPage! };
}

function sharedFiles(modules: ReadonlyMap<string, string>): Handlers {
  const require = createRequire(import.meta.url);
  const own = ["report/page", "page/live", "page/list"].map((name) => packagePath(`coordinator/${name}.css`));
  const style = [require.resolve("uplot/dist/uPlot.min.css"), ...own].map(textOf).join("\n");
  const files: [string, Handler][] = [
    ["/page/live.css", file("text/css", style)],
    ["/page/uplot.js", file("text/javascript", textOf(require.resolve("uplot/dist/uPlot.iife.min.js")))],
  ];
  for (const [path, text] of modules) files.push([pathOf(path), file("text/javascript", text)]);
  return Object.fromEntries(files);
}

function pathOf(module: string): string {
  return `/page/${module}`;
}

/** A module and all that it imports, by path in dist/. */
function modulesFrom(first: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const waiting = [first];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (found.has(path)) continue;
    const text = textOf(packagePath(`dist/${path}`)).replace(/^\/\/# sourceMappingURL.*$/m, "");
    found.set(path, text);
    for (const [, from] of text.matchAll(/^(?:import|export) [^"]*"(\.[^"]+)";$/gm)) {
      waiting.push(posix.join(posix.dirname(path), from!));
    }
  }
  return found;
}

function textOf(path: string): string {
  return readFileSync(path, "utf8");
}

/** Asked for again each time, and sent again only when it is another. */
function file(type: string, text: string): Handler {
  const etag = `"${createHash("sha256").update(text).digest("base64url").slice(0, 22)}"`;
  const packed = gzipSync(text);
  const headers = {
    "content-type": `${type}; charset=utf-8`,
    "cache-control": "no-cache",
    "content-security-policy": policy,
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    vary: "accept-encoding",
    etag,
  };
  return (request, response) => {
    if (request.headers["if-none-match"] === etag) {
      response.writeHead(304, headers).end();
    } else if (/\bgzip\b/.test(String(request.headers["accept-encoding"] ?? ""))) {
      response.writeHead(200, { ...headers, "content-encoding": "gzip" }).end(packed);
    } else {
      response.writeHead(200, headers).end(text);
    }
  };
}
