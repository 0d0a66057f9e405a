/** Events that wait for the server: in order, and bounded where it is away for long. */
import type { ProgressEvent } from "../../core/events.ts";

export interface EventQueue {
  readonly length: number;
  push(event: ProgressEvent): void;
  /** The oldest; it stays until `shift`. */
  first(): ProgressEvent | undefined;
  shift(): void;
}

export interface EventQueueOptions {
  /** Above it the oldest steps go; what is decided or found never does. */
  readonly most: number;
  /** Told once for every time that it overflows. */
  overflowed(): void;
}

export function newEventQueue({ most, overflowed }: EventQueueOptions): EventQueue {
  const events: ProgressEvent[] = [];
  let isOverflowing = false;
  return {
    get length() {
      return events.length;
    },
    push(event) {
      events.push(event);
      if (events.length <= most) return;
      // Not the first: it is on its way.
      const step = events.findIndex(({ kind }, at) => at > 0 && kind === "stepped");
      if (step < 0) return;
      events.splice(step, 1);
      if (!isOverflowing) overflowed();
      isOverflowing = true;
    },
    first: () => events[0],
    shift() {
      events.shift();
      if (events.length < most / 2) isOverflowing = false;
    },
  };
}
