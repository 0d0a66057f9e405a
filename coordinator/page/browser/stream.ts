/** The coordinator's words, for as long as the page is open: whatever breaks is tried again, from where it broke. */
import type { Delta, Snapshot } from "../../../core/live/message.ts";

export interface Listener {
  snapshot(snapshot: Snapshot): void;
  delta(delta: Delta): void;
  connected(isConnected: boolean): void;
}

const retryMs = 2_000;
/** The coordinator says something every 10 s. */
const silenceMs = 30_000;

export function listen(listener: Listener): void {
  let source: EventSource | null = null;
  let place = "";
  let heardMs = performance.now();

  const open = () => {
    if (document.hidden) return;
    source = new EventSource(`events?after=${place}`);
    heardMs = performance.now();
    const heard = (kind: "snapshot" | "delta", tell: (data: string) => void) =>
      source!.addEventListener(kind, ({ data, lastEventId }: MessageEvent<string>) => {
        heardMs = performance.now();
        place = lastEventId;
        tell(data);
        listener.connected(true);
      });
    heard("snapshot", (data) => listener.snapshot(JSON.parse(data) as Snapshot));
    heard("delta", (data) => listener.delta(JSON.parse(data) as Delta));
    source.addEventListener("alive", () => {
      heardMs = performance.now();
    });
    source.onerror = () => listener.connected(false);
  };

  open();
  // Of one server a browser keeps six connections, over all its pages: those that nobody sees leave theirs to others.
  document.addEventListener("visibilitychange", () => {
    source?.close();
    open();
  });
  // The browser itself comes back after a broken connection, but not after every answer that it did not expect.
  setInterval(() => {
    const isSilent = performance.now() - heardMs > silenceMs;
    if (source && source.readyState !== EventSource.CLOSED && !isSilent) return;
    source?.close();
    open();
  }, retryMs);
}
