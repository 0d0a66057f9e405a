/**
 * What must be true of all that a cluster's coordinators ever decided. The acts come from a simulation, or, of a real run,
 * from its journal and from the logs of coordinators and workers; checks for which there are no acts find nothing.
 */

/** One fact of a decision. */
export interface Decision {
  readonly kind: string;
  readonly term: number | null;
  /** Equal for equal decisions. */
  readonly what: string;
}

interface By {
  /** One life of one coordinator, as a leader. */
  readonly coordinator: string;
  readonly fence: number;
}

interface At {
  /** On one clock for all acts, in ms. */
  readonly atMs: number;
}

interface Entry extends By, At {
  /** Place in the journal. */
  readonly sequence: number;
}

/** The journal's entry that fences. */
export type Led = Entry & { readonly kind: "led" };

export type Written = Entry & {
  readonly kind: "written";
  /** Of the message, given by who wrote it. */
  readonly id: string;
  readonly decisions: readonly Decision[];
};

/** Went on from the journal up to this entry; 0: there was none. */
export type Opened = Entry & { readonly kind: "opened" };

/** No other may decide between these times; the first of several of a leader is when it began. */
export type May = By & { readonly kind: "may"; readonly fromMs: number; readonly toMs: number };

export type Act =
  | Led
  | Written
  | Opened
  | May
  /** It found that it may decide, and did. */
  | (By & At & { readonly kind: "decided" })
  /** It knows that it leads no more. */
  | (By & At & { readonly kind: "left" })
  /** One life of a worker did as it was told. */
  | (At & {
      readonly kind: "heard";
      readonly worker: string;
      readonly fence: number;
      readonly decision: Decision | null;
    });

type Of<K extends Act["kind"]> = Extract<Act, { readonly kind: K }>;

/** In words, each that is wrong; acts come in any order, but those of one worker in its own. */
export function wrongIn(acts: readonly Act[]): string[] {
  const of = <K extends Act["kind"]>(...kinds: readonly K[]) =>
    acts.filter((act): act is Of<K> => (kinds as readonly string[]).includes(act.kind));
  const journal = of("led", "written").sort((a, b) => a.sequence - b.sequence);
  const written = journal.filter((entry): entry is Written => entry.kind === "written");
  const windows = windowsOf(of("may"), of("left"));
  return [
    ...leaders(of("led", "written", "opened", "may", "decided", "left")),
    ...entries(journal),
    ...terms(written),
    ...of("opened").flatMap((opened) => passedOver(opened, journal)),
    ...overlaps(windows),
    ...of("decided").flatMap((act) => late(act, windows)),
    ...orders(of("heard"), written),
  ];
}

/** A fence is one leader's. */
function leaders(acts: readonly By[]): string[] {
  const names = new Map<number, Set<string>>();
  for (const { fence, coordinator } of acts) names.set(fence, (names.get(fence) ?? new Set()).add(coordinator));
  return [...names].flatMap(([fence, those]) =>
    those.size > 1 ? [`fence ${fence} was given to several: ${[...those].join(", ")}`] : [],
  );
}

function entries(journal: readonly (Led | Written)[]): string[] {
  const wrong: string[] = [];
  const ids = new Map<string, number>();
  let before: Led | Written | null = null;
  let led: Led | null = null;
  for (const entry of journal) {
    const { sequence, fence } = entry;
    if (before && sequence === before.sequence) wrong.push(`entry ${sequence} is there twice`);
    if (before && fence < before.fence)
      wrong.push(`fences go back: entry ${sequence} is of leader ${fence}, the one before of ${before.fence}`);
    if (entry.kind === "led") led = entry;
    else {
      if (led && led.fence !== fence)
        wrong.push(`entry ${sequence} of leader ${fence} stands where leader ${led.fence} had the journal`);
      const first = ids.get(entry.id);
      if (first !== undefined) wrong.push(`written twice: entries ${first} and ${sequence} are ${entry.id}`);
      ids.set(entry.id, sequence);
    }
    before = entry;
  }
  return wrong;
}

/** Terms increase, and who opens one begins it. */
function terms(written: readonly Written[]): string[] {
  const wrong: string[] = [];
  let open: { readonly term: number; readonly fence: number; hasBegun: boolean } | null = null;
  for (const { sequence, fence, decisions } of written) {
    for (const { kind, term } of decisions) {
      if (kind === "term") {
        if (open && term! <= open.term) wrong.push(`entry ${sequence} opens term ${term} after term ${open.term}`);
        open = { term: term!, fence, hasBegun: false };
      }
      // What came after a copy that was gone on from is lost: terms go on above it.
      if (kind === "recovered") open = { term: term!, fence, hasBegun: true };
      if (kind !== "begun") continue;
      if (open?.term !== term) wrong.push(`entry ${sequence} begins term ${term} in term ${open?.term ?? 0}`);
      else if (open.fence !== fence)
        wrong.push(`term ${term} has two writers: leader ${open.fence} opened it, ${fence} began it`);
      else if (open.hasBegun) wrong.push(`term ${term} begins twice`);
      else open.hasBegun = true;
    }
  }
  return wrong;
}

/** What older leaders wrote after a newer one had read the journal is in no state. */
function passedOver(opened: Opened, journal: readonly (Led | Written)[]): string[] {
  const { coordinator, fence } = opened;
  return journal.flatMap((entry) =>
    entry.kind === "written" && entry.fence < fence && entry.sequence > opened.sequence
      ? [`${coordinator} (leader ${fence}) went on without entry ${entry.sequence} of leader ${entry.fence}`]
      : [],
  );
}

/** Until the leader knew that it was over. */
function windowsOf(mays: readonly May[], lefts: readonly (By & At)[]): May[] {
  const ends = new Map(lefts.map(({ fence, atMs }) => [fence, atMs]));
  return mays
    .map((may) => ({ ...may, toMs: Math.min(may.toMs, ends.get(may.fence) ?? Number.POSITIVE_INFINITY) }))
    .sort((a, b) => a.fromMs - b.fromMs);
}

function overlaps(windows: readonly May[]): string[] {
  const wrong: string[] = [];
  let longest: May | null = null;
  for (const may of windows) {
    if (longest && longest.fence !== may.fence && may.fromMs < longest.toMs)
      wrong.push(
        `two may decide at once: ${longest.coordinator} until ${longest.toMs.toFixed(1)}, ${may.coordinator} from ${may.fromMs.toFixed(1)}`,
      );
    if (!longest || may.toMs > longest.toMs) longest = may;
  }
  return wrong;
}

function late({ coordinator, fence, atMs }: By & At, windows: readonly May[]): string[] {
  const isIn = windows.some((may) => may.fence === fence && may.fromMs <= atMs && atMs <= may.toMs);
  return isIn ? [] : [`${coordinator} (leader ${fence}) decided at ${atMs.toFixed(1)}, when it might not`];
}

/** Workers obey nobody who was replaced, and nothing that had not been written before. */
function orders(heard: readonly Of<"heard">[], written: readonly Written[]): string[] {
  const wrong: string[] = [];
  const first = new Map<string, Written>();
  for (const entry of written)
    for (const decision of entry.decisions) if (!first.has(nameOf(decision))) first.set(nameOf(decision), entry);
  const highest = new Map<string, number>();
  for (const { worker, fence, atMs, decision } of heard) {
    const before = highest.get(worker) ?? 0;
    if (fence < before) wrong.push(`${worker} obeyed leader ${fence} after leader ${before}`);
    highest.set(worker, fence);
    if (!decision) continue;
    const entry = first.get(nameOf(decision));
    const said = `${worker} heard of leader ${fence}: ${nameOf(decision)}`;
    if (!entry) wrong.push(`never written: ${said}`);
    else if (entry.atMs > atMs) wrong.push(`heard before it was written: ${said}`);
    else if (entry.fence > fence) wrong.push(`written by leader ${entry.fence}: ${said}`);
    else if (decision.kind === "term" && entry.fence !== fence)
      wrong.push(`term ${decision.term} has two leaders: ${entry.fence} opened it, and ${said}`);
  }
  return wrong;
}

function nameOf({ kind, term, what }: Decision): string {
  return [kind, term ?? "", what].join(" ");
}
