/** Tells of those that were turned away; of one that tries again and again, only now and then. */
export interface Refusals {
  /** @param peer host:port @param why a sentence */
  told(peer: string, why: string): void;
}

const quietMs = 30_000;
const mostKept = 256;

export function openRefusals(log: (why: string) => void, nowMs: () => number = () => performance.now()): Refusals {
  const known = new Map<string, { sinceMs: number; times: number }>();
  return {
    told(peer, why) {
      const host = peer.replace(/:\d+$/, "");
      const key = `${host} ${why}`;
      const before = known.get(key);
      if (before && nowMs() - before.sinceMs < quietMs) {
        before.times += 1;
        return;
      }
      if (known.size >= mostKept) known.clear();
      known.set(key, { sinceMs: nowMs(), times: 0 });
      const again = before && before.times > 0 ? ` (and ${before.times} times more since it was last told)` : "";
      log(`${peer}: ${why}${again}`);
    },
  };
}
