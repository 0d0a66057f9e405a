/** What the service says of its jobs, asked for again and again while the page is seen: whoever answers then, leads or knows who does. */
import type { ClusterView } from "../../../core/live/cluster.ts";

const everyMs = 1_000;
/** While nobody sees it. */
const rarelyMs = 15_000;
const patienceMs = 5_000;

export interface ClusterListener {
  view(view: ClusterView): void;
  connected(isConnected: boolean): void;
}

/** @param query what is asked for, at the moment. @returns asks now */
export function follow(query: () => Record<string, string>, listener: ClusterListener): () => void {
  let timer: ReturnType<typeof setTimeout>;
  let asked = 0;

  const ask = async (): Promise<void> => {
    clearTimeout(timer);
    const own = ++asked;
    try {
      const signal = AbortSignal.timeout(patienceMs);
      const response = await fetch(`/cluster?${new URLSearchParams(query())}`, { cache: "no-cache", signal });
      if (!response.ok) throw new Error(response.statusText);
      const view = (await response.json()) as ClusterView;
      if (own !== asked) return;
      listener.view(view);
      listener.connected(true);
    } catch {
      if (own !== asked) return;
      listener.connected(false);
    }
    timer = setTimeout(ask, document.hidden ? rarelyMs : everyMs);
  };

  document.addEventListener("visibilitychange", () => document.hidden || void ask());
  void ask();
  return () => void ask();
}
