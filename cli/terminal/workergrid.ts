/** The workers of a job as rows, sorted as one likes. */
import type { WorkerStatus } from "../../coordinator/status.ts";
import { bytesText, duration, whole } from "../../core/words.ts";
import type { Column } from "./grid.ts";

const number = (value: number | null, text: (value: number) => string) => (value === null ? "–" : text(value));

/** What it waits for, or does. */
export function doingOf({ doing, waitingFor }: WorkerStatus): string {
  return waitingFor ? `waits for ${waitingFor}` : doing;
}

export const workerColumns: readonly Column<WorkerStatus>[] = [
  { title: "worker", rank: 11, of: ({ worker }) => worker },
  { title: "role", rank: 9, of: ({ role, auto }) => (auto ? `${role}*` : role) },
  { title: "state", rank: 10, of: ({ state }) => state },
  { title: "lanes", rank: 6, align: "right", of: ({ lanes }) => (lanes === 0 ? "–" : String(lanes)) },
  { title: "step", rank: 7, align: "right", of: ({ step }) => whole.format(step) },
  {
    title: "ms/lane",
    rank: 5,
    align: "right",
    of: ({ secondsPerLane }) => number(secondsPerLane, (seconds) => (1_000 * seconds).toFixed(1)),
  },
  {
    title: "serves/s",
    rank: 4,
    align: "right",
    of: ({ servesPerSecond }) => number(servesPerSecond, whole.format),
  },
  { title: "memory", rank: 3, align: "right", of: ({ residentBytes }) => bytesText(residentBytes) },
  {
    title: "heard",
    rank: 2,
    align: "right",
    of: ({ lastHeartbeatMs }) => duration(Math.max(0, lastHeartbeatMs) / 1_000),
  },
  { title: "doing", rank: 8, least: 16, of: doingOf },
  { title: "address", rank: 1, of: ({ address }) => address },
];

export const sortKeys = ["role", "name", "state", "step", "speed", "memory", "heard"] as const;
export type SortKey = (typeof sortKeys)[number];

/** student-2 before student-10. */
const names = new Intl.Collator("en", { numeric: true });

const orders: Readonly<Record<SortKey, (a: WorkerStatus, b: WorkerStatus) => number>> = {
  role: (a, b) => names.compare(a.role, b.role),
  name: () => 0,
  state: (a, b) => names.compare(a.state, b.state),
  // What one looks for comes first: who is behind, slow, large, silent.
  step: (a, b) => a.step - b.step,
  speed: (a, b) => (b.secondsPerLane ?? 0) - (a.secondsPerLane ?? 0),
  memory: (a, b) => b.residentBytes - a.residentBytes,
  heard: (a, b) => b.lastHeartbeatMs - a.lastHeartbeatMs,
};

export function sorted(workers: readonly WorkerStatus[], key: SortKey): readonly WorkerStatus[] {
  return [...workers].sort((a, b) => orders[key](a, b) || names.compare(a.worker, b.worker));
}
