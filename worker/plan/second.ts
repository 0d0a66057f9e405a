/** The second process of a calibration: two at once tell how much they disturb each other. */
import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { LimbeckError } from "../../core/errors.ts";
import type { Job } from "../../core/job.ts";

/** What secondprocess.ts is told. */
export type SecondOrder =
  | { readonly kind: "prepare"; readonly job: Job; readonly jobFolder: string; readonly scratchFolder: string }
  | { readonly kind: "measure"; readonly forMs: number };
/** What it says; the figure is in seconds. */
export type SecondAnswer = { readonly kind: "ready" } | { readonly kind: "step"; readonly seconds: number };

export interface Second {
  /** Engine and dataset are loaded. */
  readonly ready: Promise<void>;
  /** Seconds of a step of the student, over so long a time. */
  measure(forMs: number): Promise<number>;
  end(): void;
}

const answerMs = 120_000;

export function startSecond(order: Omit<Extract<SecondOrder, { kind: "prepare" }>, "kind">): Second {
  const program = fileURLToPath(new URL("./secondprocess.js", import.meta.url));
  const child = fork(program, { stdio: ["ignore", "ignore", "ignore", "ipc"] });
  const tell = (told: SecondOrder) => void child.send(told);
  tell({ kind: "prepare", ...order });
  const ready = answerOf(child, "ready").then(() => {});
  ready.catch(() => {}); // Thrown to who waits for it.
  return {
    ready,
    async measure(forMs) {
      const answer = answerOf(child, "step");
      tell({ kind: "measure", forMs });
      return (await answer).seconds;
    },
    end: () => void child.kill(),
  };
}

function answerOf<K extends SecondAnswer["kind"]>(
  child: ChildProcess,
  kind: K,
): Promise<Extract<SecondAnswer, { kind: K }>> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => {
      reject(new LimbeckError("timeout", `the second process did not answer within ${answerMs / 1000} s`));
    }, answerMs);
    child.on("message", (answer: SecondAnswer) => {
      if (answer.kind !== kind) return;
      clearTimeout(late);
      resolve(answer as Extract<SecondAnswer, { kind: K }>);
    });
    child.once("exit", (code, signal) => {
      clearTimeout(late);
      reject(
        new LimbeckError("unavailable", `the second process of the calibration ended with ${signal ?? `code ${code}`}`),
      );
    });
  });
}
