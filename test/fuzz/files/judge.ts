/** One input, read: what came of it, and whether that is how it must be. */
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { LimbeckError } from "../../../core/errors.ts";
import type { Input } from "./generate.ts";
import { BrokenPromise, type Folder, type Opened } from "./target.ts";
import { trespass, watched } from "./watch.ts";

export interface Verdict {
  readonly kind: "accepted" | "refused" | "fault";
  /** The refusal, or what is wrong. */
  readonly what: string;
}

export interface Judged {
  readonly verdict: Verdict;
  /** Of processors, all threads of the process together. */
  readonly ms: number;
}

/** Generous: an input has a quarter of a MiB, and most take a few milliseconds. */
const mostMs = 5_000;
const mostMiB = 256;
/** A sentence that a person can act on. */
const longestMessage = 4_000;
const noCanary = Buffer.from("nobody may read this");

export function layOut(folder: string, { files, links = {} }: Folder): void {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  for (const [name, to] of Object.entries(links)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    rmSync(join(folder, name), { force: true });
    symlinkSync(to, join(folder, name));
  }
}

/** @param place a folder of this process's own */
export async function judged(opened: Opened, input: Input, place: string): Promise<Judged> {
  const canary = opened.canary ?? noCanary;
  layOut(join(place, "in"), input);
  layOut(join(place, "out"), { files: {} });
  writeFileSync(join(place, "canary"), canary);
  const [before, peak] = [process.cpuUsage(), peakMiB()];
  const { thrown, opened: paths } = await watched(() => opened.read(join(place, "in")));
  const { user, system } = process.cpuUsage(before);
  const [ms, grownMiB] = [(user + system) / 1_000, peakMiB() - peak];
  const escaped = trespass(paths, place);
  const wrong =
    (escaped !== null && `${escaped} was opened, which is outside of the folder`) ||
    (!readFileSync(join(place, "canary")).equals(canary) && "the file beside the folder was written") ||
    (isPolluted() && "Object.prototype has something that it had not") ||
    (ms > mostMs && `it took ${Math.round(ms)} ms`) ||
    (grownMiB > mostMiB && `memory grew by ${Math.round(grownMiB)} MiB`);
  return {
    ms,
    verdict: wrong === false ? verdictOn(thrown, { opened, input, place }) : { kind: "fault", what: wrong },
  };
}

/** The most that the process ever had. */
export function peakMiB(): number {
  return process.resourceUsage().maxRSS / 1024;
}

/** Told once: what was put there is taken away. */
function isPolluted(): boolean {
  const own = Object.keys(Object.prototype);
  for (const key of own) delete (Object.prototype as Record<string, unknown>)[key];
  return own.length > 0;
}

function verdictOn(
  thrown: unknown,
  { opened, input, place }: { readonly opened: Opened; readonly input: Input; readonly place: string },
): Verdict {
  const fault = (what: string): Verdict => ({ kind: "fault", what });
  if (thrown === null) return input.must === "be refused" ? fault("it was taken") : { kind: "accepted", what: "" };
  if (thrown instanceof BrokenPromise) return fault(`it was taken, and ${thrown.message}`);
  if (!(thrown instanceof LimbeckError)) return fault(thrown instanceof Error ? String(thrown.stack) : String(thrown));
  const { code, message } = thrown;
  const { stack } = thrown.cause instanceof Error ? thrown.cause : thrown;
  if (code === "internal") return fault(`an internal error: ${message}\n${stack}`);
  if (message.length > longestMessage)
    return fault(`a message of ${message.length} characters: ${message.slice(0, 200)}\n${stack}`);
  const names = [...Object.keys(input.files), ...Object.keys(input.links ?? {})].map((name) => basename(name));
  const isNamed = [place, ...names].some((name) => message.includes(name)) || opened.names?.test(message);
  if (!isNamed) return fault(`a refusal that names no file: ${message}\n${stack}`);
  return input.must === "be taken" ? fault(`it was refused: ${message}`) : { kind: "refused", what: message };
}
