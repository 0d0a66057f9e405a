/** The whole of it: each target is attacked for a while, by every method, while somebody who means well is to be served. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { undisturbed, until } from "../../chaos/chaos.ts";
import { Draw } from "../draw.ts";
import { Attacker, type Tally } from "./attacker.ts";
import { floods } from "./floods.ts";
import { type Aim, type Attack, messageAttacks } from "./messages.ts";
import { methodsOf } from "./methods.ts";
import { type Door, fuzzJob, oneJob, type Setting, secured, service, stepsPerSecond, type Target } from "./targets.ts";
import { Witness, type Witnessed } from "./witness.ts";

export const attacks: Readonly<Record<string, Attack>> = { ...messageAttacks, ...floods };

export interface FuzzOptions {
  /** Empty. */
  readonly folder: string;
  readonly seed: number;
  /** Of all targets together. */
  readonly seconds: number;
  /** Only this one, for its share of the time. */
  readonly target?: keyof typeof targets;
  /** Only methods whose name has this in it. */
  readonly method?: string;
  /** Only this one. */
  readonly attack?: string;
  readonly note: (line: string) => void;
}

export interface Attacked extends Witnessed {
  /** By door and method. */
  readonly methods: Readonly<Record<string, Tally>>;
  /** By attack, how often. */
  readonly attacks: Readonly<Record<string, number>>;
  /** Open files of each process before the attack, and some seconds after it. */
  readonly files: Readonly<Record<string, readonly [before: number, after: number]>>;
}

export interface FuzzResult {
  readonly targets: Readonly<Record<string, Attacked>>;
  readonly wrong: readonly string[];
}

/** How the time is shared. */
export const targets = { "one job": [oneJob, 0.4], service: [service, 0.4], "by mTLS": [secured, 0.2] } as const;
/** What a process may grow by. */
const mostMegabytes = 300;
/** Connections that are kept, and files of the job's own that come and go. */
const mostFiles = 15;
const calmMs = 20_000;
const [messageLoops, floodLoops] = [8, 2];
/** Calls with messages that a loop makes at once. */
const atOnce = 4;

export async function fuzz(options: FuzzOptions): Promise<FuzzResult> {
  const { folder, seconds, note } = options;
  const longest = Math.max(...Object.values(targets).map(([, share]) => share * seconds));
  const steps = Math.ceil(stepsPerSecond * longest);
  await mkdir(folder, { recursive: true });
  const expected = await undisturbed(join(folder, "undisturbed"), fuzzJob(steps));
  note(`undisturbed: weights ${expected.student.weightsSha256.slice(0, 12)} of ${steps} steps`);
  const results: Record<string, Attacked> = {};
  const wrong: string[] = [];
  for (const [name, [begin, share]] of Object.entries(targets)) {
    if (options.target !== undefined && name !== options.target) continue;
    const setting: Setting = { folder: join(folder, name.replaceAll(" ", "-")), steps, expected };
    const target = await begin(setting);
    try {
      const [attacked, faults] = await against(name, target, { ...options, seconds: share * seconds });
      results[name] = attacked;
      wrong.push(...faults.map((fault) => `${name}: ${fault}`));
      for (const fault of faults) note(`${name}: ${fault}`);
    } finally {
      await target.processes.close();
    }
  }
  return { targets: results, wrong };
}

async function against(
  name: string,
  target: Target,
  options: FuzzOptions,
): Promise<readonly [Attacked, readonly string[]]> {
  const { seed, seconds, note } = options;
  const { processes } = target;
  const before = processes.files();
  const witness = new Witness(processes, target.asks);
  const streams = (loop: number) => new Draw(seed, name.length, loop);
  const isLost = () => Object.keys(before).some((each) => !processes.isAlive(each));
  const [methods, counts] = await attackFor(target.doors, options, { streams, isLost });
  const isOver = target.isOver();
  const gone = Object.keys(before).filter((each) => !processes.isAlive(each));
  const witnessed = await witness.end();
  note(`${name}: attacked for ${seconds.toFixed(0)} s, others served in ${witnessed.maxMs} ms at the most`);
  const isCalm = () =>
    Object.entries(processes.files()).every(([each, count]) => count <= (before[each] ?? 0) + mostFiles);
  const isBack = await until(isCalm, calmMs);
  const after = processes.files();
  const files = Object.fromEntries(
    Object.entries(before).map(([each, count]) => [each, [count, after[each] ?? 0] as const]),
  );
  const wrong = [
    ...gone.map((each) => `${each} is gone`),
    ...(isOver ? ["the job was over before the attack was: it needs more steps"] : []),
    ...witnessed.unanswered,
    ...Object.entries(witnessed.memory).flatMap(([each, [from, most]]) =>
      most - from > mostMegabytes ? [`${each} grew from ${from} to ${most} MB`] : [],
    ),
    ...(isBack ? [] : [`files are still open ${calmMs / 1_000} s after the attack: ${JSON.stringify(files)}`]),
    ...trespasses(target.doors, methods),
    ...(await target.finish()),
    ...processes.surprises,
    ...processes.losses,
  ];
  return [{ ...witnessed, methods, attacks: counts, files }, wrong];
}

/** Whoever may not call a method is never answered with anything but that. */
function trespasses(doors: readonly Door[], methods: Readonly<Record<string, Tally>>): string[] {
  return doors.flatMap(({ name, forbidden }) =>
    forbidden.flatMap((method) => {
      const { "0": well = 0 } = methods[`${name} ${method}`]?.statuses ?? {};
      return well > 0 ? [`${name} could call ${method} ${well} times`] : [];
    }),
  );
}

interface Chosen extends Aim {
  readonly attack: string;
}

/** @returns what came of the calls, and how often there was which attack */
async function attackFor(
  doors: readonly Door[],
  { seconds, method: only = "", attack: one }: FuzzOptions,
  { streams, isLost }: { readonly streams: (loop: number) => Draw; readonly isLost: () => boolean },
): Promise<readonly [Record<string, Tally>, Record<string, number>]> {
  const tallies: Record<string, Tally> = {};
  const counts: Record<string, number> = {};
  const attackers = doors.map(({ address, shown }) => new Attacker(address, shown));
  const aims = doors.flatMap(({ name, serves, known, isLegal }, at) =>
    methodsOf(serves)
      .filter((method) => `${name} ${method.name}`.includes(only))
      .map((method): Omit<Aim, "draw"> => {
        const tally: Tally = { calls: 0, messages: 0, statuses: {} };
        tallies[`${name} ${method.name}`] = tally;
        return { attacker: attackers[at]!, method, known, isLegal, tally };
      }),
  );
  const until = performance.now() + 1_000 * seconds;
  // However little there is time for, each method is called.
  if (one === undefined) await Promise.all(aims.map((aim) => attacks["mutated"]!({ ...aim, draw: streams(-1) })));
  /** Each has draws of its own, so that what it does one after another does not depend on the others. */
  const loop = async (names: readonly string[], number: number) => {
    const draw = streams(number);
    const chosen = names.filter((name) => one === undefined || name === one);
    const cards = aims.flatMap((aim) => chosen.map((attack): Chosen => ({ ...aim, draw, attack })));
    const deck = shuffled(cards, draw);
    if (cards.length === 0) return;
    while (performance.now() < until && !isLost()) {
      const { attack, ...aim } = deck.next().value;
      const times = attack in messageAttacks ? atOnce : 1;
      counts[attack] = (counts[attack] ?? 0) + times;
      await Promise.all(Array.from({ length: times }, () => attacks[attack]!(aim)));
    }
  };
  const loops = [
    ...Array.from({ length: messageLoops }, () => Object.keys(messageAttacks)),
    ...Array.from({ length: floodLoops }, () => Object.keys(floods)),
  ];
  await Promise.all(loops.map(loop));
  for (const attacker of attackers) await attacker.close();
  return [tallies, counts];
}

/** All of them in some order, then in another, and so on. */
function* shuffled<T>(cards: readonly T[], draw: Draw): Generator<T, never> {
  for (;;) {
    const left = [...cards];
    while (left.length > 0) {
      const at = draw.below(left.length);
      yield left[at]!;
      left[at] = left.at(-1)!;
      left.pop();
    }
  }
}
