/** Requests that wait for the teacher: whose student runs dry first comes first, and students that are alike take turns. */

export interface Waiting<Asker> {
  readonly asker: Asker;
  readonly request: number;
  readonly examples: number;
  readonly view: number;
  /** When its student needs it, by the clock `take` is given. */
  readonly dueMs: number;
  readonly arrivedMs: number;
}

export class RequestQueue<Asker, Entry extends Waiting<Asker>> {
  /** In each the order of arrival, which is the order of the ledger; who was served last comes last. */
  readonly #queues = new Map<Asker, Entry[]>();
  #examples = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** In all that waits. */
  get examples(): number {
    return this.#examples;
  }

  /** Of the request that has waited longest; null where none waits. */
  get oldestMs(): number | null {
    const heads = [...this.#queues.values()].map(([head]) => head!.arrivedMs);
    return heads.length === 0 ? null : Math.min(...heads);
  }

  of(asker: Asker): number {
    return this.#queues.get(asker)?.length ?? 0;
  }

  add(entry: Entry): void {
    const queue = this.#queues.get(entry.asker);
    if (queue) queue.push(entry);
    else this.#queues.set(entry.asker, [entry]);
    this.#count(entry, 1);
  }

  /** Its stream has ended. */
  drop(asker: Asker): void {
    for (const entry of this.#queues.get(asker) ?? []) this.#count(entry, -1);
    this.#queues.delete(asker);
  }

  cancel(asker: Asker, request: number): void {
    const queue = this.#queues.get(asker);
    const at = queue?.findIndex((entry) => entry.request === request) ?? -1;
    if (at < 0) return;
    this.#remove(asker, queue!, at);
  }

  /**
   * What is evaluated next: the most urgent request, and with it others of the same view as long as all are no more
   * than so many examples. Empty where nothing waits.
   */
  take(nowMs: number, mostExamples: number): Entry[] {
    const taken: Entry[] = [];
    let examples = 0;
    for (;;) {
      const next = this.#mostUrgent(nowMs, taken[0]?.view ?? null);
      if (!next || (taken.length > 0 && examples + next.examples > mostExamples)) return taken;
      taken.push(next);
      examples += next.examples;
      const queue = this.#queues.get(next.asker)!;
      this.#remove(next.asker, queue, 0);
      // The others have their turn first.
      if (queue.length > 0 && this.#queues.delete(next.asker)) this.#queues.set(next.asker, queue);
    }
  }

  /** Who is late is as late as any other that is: the order among them is whose turn it is. */
  #mostUrgent(nowMs: number, view: number | null): Entry | null {
    let most: Entry | null = null;
    for (const [head] of this.#queues.values()) {
      if (!head || (view !== null && head.view !== view)) continue;
      if (!most || Math.max(head.dueMs, nowMs) < Math.max(most.dueMs, nowMs)) most = head;
    }
    return most;
  }

  #remove(asker: Asker, queue: Entry[], at: number): void {
    const [entry] = queue.splice(at, 1);
    this.#count(entry!, -1);
    if (queue.length === 0) this.#queues.delete(asker);
  }

  #count({ examples }: Entry, sign: 1 | -1): void {
    this.#length += sign;
    this.#examples += sign * examples;
  }
}
