/**
 * A process's log: a line per decision, with its reason and, where there are, job, term and step; never one per batch.
 * JSON on stdout, by pino; on a terminal for people.
 */
import { type Bindings, destination, type Logger, pino } from "pino";
import pretty from "pino-pretty";

export type Log = Logger;

/** @param name of the process: "coordinator", or the worker's */
export function openLog(name: string, bindings: Bindings = {}): Log {
  const options = {
    base: { name, ...bindings },
    messageKey: "why",
    formatters: { level: (level: string) => ({ level }) },
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
  };
  // Written at once: what a process said last is what one wants to know when it has died.
  const out = { sync: true } as const;
  if (!process.stdout.isTTY) return pino(options, destination({ ...out, dest: 1 }));
  return pino(options, pretty({ ...out, messageKey: "why", translateTime: "SYS:HH:MM:ss", singleLine: true }));
}

/** Of what is asked for by hand, and says itself what it finds. */
export const silent: Log = pino({ enabled: false });
