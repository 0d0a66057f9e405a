/** A registry as the page that Prometheus reads, in its own format or in OpenMetrics, whichever is asked for. */
import { Registry } from "prom-client";
import type { Page } from "./http.ts";

/**
 * @param refresh called before each scrape: what is known elsewhere, or changes by itself, is set there
 * @returns the page for an Accept header
 */
export function exposition(registry: Registry, refresh: () => void): (accept: string) => Promise<Page> {
  return async (accept) => {
    refresh();
    const text = await registry.metrics();
    const isOpen = accept.includes("application/openmetrics-text");
    return isOpen ? [Registry.OPENMETRICS_CONTENT_TYPE, openMetrics(text)] : [Registry.PROMETHEUS_CONTENT_TYPE, text];
  };
}

/**
 * prom-client writes one format per registry: asked for the other, it renames the counters for good, and then writes
 * both wrongly. The formats differ in three things here: a counter's family has no `_total`, no line is empty, and the
 * end is marked.
 */
function openMetrics(text: string): string {
  const families = text.replace(/^(# (?:HELP|TYPE) \S+)_total /gm, "$1 ");
  return `${families.replace(/\n{2,}/g, "\n").trimEnd()}\n# EOF\n`;
}
