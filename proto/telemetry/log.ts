/**
 * A process's log: a line per decision, with its reason and, where there are, job, term and step; never one per batch.
 * On stdout by pino: JSON lines, or text for people.
 */
import { type Bindings, destination, type LogFn, type Logger, pino } from "pino";
import pretty from "pino-pretty";
import { plain } from "../../core/plaintext.ts";

export type Log = Logger;

export interface LogOptions {
  readonly bindings?: Bindings;
  /** By default text on a terminal, JSON elsewhere. */
  readonly output?: "text" | "json" | undefined;
}

/** @param name of the process: "coordinator", or the worker's */
export function openLog(name: string, { bindings = {}, output }: LogOptions = {}): Log {
  const options = {
    base: { name, ...bindings },
    messageKey: "why",
    formatters: { level: (level: string) => ({ level }) },
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
  };
  // Written at once: what a process said last is what one wants to know when it has died.
  const out = { sync: true } as const;
  if ((output ?? (process.stdout.isTTY ? "text" : "json")) === "json")
    return pino(options, destination({ ...out, dest: 1 }));
  const shown = pretty({ ...out, messageKey: "why", translateTime: "SYS:HH:MM:ss", singleLine: true });
  return pino({ ...options, ...plainly, formatters: { ...options.formatters, ...plainly.formatters } }, shown);
}

/** For a terminal, which obeys what others wrote, such as why a job is cancelled. JSON escapes it. */
const plainly = {
  hooks: {
    logMethod(args: Parameters<LogFn>, log: LogFn) {
      log.apply(this as unknown as Logger, args.map((each) => plainValue(each)) as Parameters<LogFn>);
    },
  },
  formatters: {
    log: (fields: Record<string, unknown>) =>
      Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, plainValue(value)])),
  },
};

function plainValue<T>(value: T): T {
  return typeof value === "string" ? (plain(value) as T) : value;
}

/** Of what is asked for by hand, and says itself what it finds. */
export const silent: Log = pino({ enabled: false });
