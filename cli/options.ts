/** Options that several commands share, and how what is given to an option is read. */
import { type Command, InvalidArgumentError, Option } from "commander";
import { isProcessName, neededName } from "../core/processname.ts";
import type { Endpoint } from "../proto/endpoint.ts";
import type { EngineChoice } from "../worker/engine/engine.ts";

export function positive(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError("a whole number of 1 or more is needed.");
  return value;
}

export function exitCode(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value > 255) throw new InvalidArgumentError("a number from 0 to 255 is needed.");
  return value;
}

/** HOST:PORT; port 0 lets the system choose one. */
export function endpoint(text: string): Endpoint {
  const [, host, port] = /^\[?([^\]]+?)\]?:(\d{1,5})$/.exec(text) ?? [];
  if (host === undefined || Number(port) > 65535)
    throw new InvalidArgumentError("HOST:PORT is needed, such as 127.0.0.1:7070.");
  return { host, port: Number(port) };
}

export function engineChoice(text: string): EngineChoice {
  const choices: readonly string[] = ["auto", "tensorflow", "gpu", "wasm"];
  if (!choices.includes(text)) throw new InvalidArgumentError(`one of ${choices.join(", ")} is needed.`);
  return text as EngineChoice;
}

export function interval(text: string): number {
  const seconds = Number(text);
  // Longer ones wrap around in timers.
  if (!(seconds >= 0.1 && seconds <= 86_400)) throw new InvalidArgumentError("0.1 to 86400 seconds are needed.");
  return seconds;
}

const unitMs: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A length of time before now, such as 90s, 10m, 2h or 1d, or a date and time. @returns Unix time in milliseconds */
export function since(text: string): number {
  const [, count, unit] = /^(\d+(?:\.\d+)?)([smhd])$/.exec(text) ?? [];
  const atMs = count !== undefined ? Date.now() - Number(count) * unitMs[unit!]! : Date.parse(text);
  if (Number.isNaN(atMs) || /^\d+$/.test(text))
    throw new InvalidArgumentError("90s, 10m, 2h, 1d or a time such as 2026-03-01T12:00 is needed.");
  return atMs;
}

/** 90s, 10m, 2h or 1d. @returns milliseconds */
export function lasting(text: string): number {
  const [, count, unit] = /^(\d+(?:\.\d+)?)([smhd])$/.exec(text) ?? [];
  const ms = Number(count) * (unitMs[unit ?? ""] ?? Number.NaN);
  if (!(ms >= 1_000 && ms <= 366 * 86_400_000))
    throw new InvalidArgumentError("90s, 10m, 2h or 30d is needed, a year at the most.");
  return ms;
}

export const collect = (value: string, before: readonly string[]): readonly string[] => [...before, value];

export const collectCounts = (value: string, before: readonly number[]): readonly number[] => [
  ...before,
  positive(value),
];

/** HOST:PORT[,HOST:PORT…] */
export function endpoints(text: string): readonly Endpoint[] {
  return text.split(",").map(endpoint);
}

export function commaSeparated(text: string): readonly string[] {
  return text.split(",").filter((each) => each !== "");
}

export function processName(text: string): string {
  if (!isProcessName(text)) throw new InvalidArgumentError(`${neededName}.`);
  return text;
}

export function priority(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isInteger(value) || Math.abs(value) > 100)
    throw new InvalidArgumentError("a whole number from -100 to 100 is needed; higher is first.");
  return value;
}

/** Every command that prints has it. */
export function printing(command: Command, what: string): Command {
  return command
    .addOption(new Option("-o, --output <format>", what).choices(["text", "json"]).default("text"))
    .addOption(new Option("--json", "what -o json was called").implies({ output: "json" }).hideHelp());
}

/** Of a command whose log is text on a terminal and JSON elsewhere, if it is not told. */
export function logFormat(): Option {
  return new Option(
    "-o, --output <format>",
    "of the log, instead of text on a terminal and JSON lines elsewhere",
  ).choices(["text", "json"]);
}
