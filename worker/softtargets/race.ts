/** A request on its way: one teacher is asked, another one, too, where the first is late; whoever answers first has won. */
import type { SoftTargets__Output } from "../../proto/gen/limbeck/v1/SoftTargets.ts";
import { type Answer, LostTeacher, type TeacherLink } from "./link.ts";

export interface RaceRules {
  ask(link: TeacherLink): Answer;
  /** Whom to ask, too; null where nobody is there, or it would not help. */
  second(first: TeacherLink): TeacherLink | null;
  /** Until a second is asked. */
  readonly hedgeMs: number;
  /** Until whoever was asked has answered (L7). */
  readonly deadlineMs: number;
  /** For messages: what was asked for. */
  readonly what: string;
  readonly signal: AbortSignal;
}

export interface Won {
  readonly reply: SoftTargets__Output;
  readonly from: TeacherLink;
}

/** @throws LostTeacher where all that were asked are lost or late, and the signal's reason */
export function race(first: TeacherLink, rules: RaceRules): Promise<Won> {
  const { signal, deadlineMs, what } = rules;
  return new Promise((resolve, reject) => {
    const open = new Map<TeacherLink, Answer>();
    const over = () => {
      clearTimeout(hedge);
      clearTimeout(deadline);
      signal.removeEventListener("abort", onAbort);
      for (const { cancel } of open.values()) cancel();
    };
    const enter = (link: TeacherLink) => {
      const answer = rules.ask(link);
      open.set(link, answer);
      answer.reply.then(
        (reply) => {
          open.delete(link);
          over();
          resolve({ reply, from: link });
        },
        (thrown) => {
          open.delete(link);
          if (open.size > 0) return;
          over();
          reject(thrown);
        },
      );
    };
    const hedge = setTimeout(() => {
      const other = rules.second(first);
      if (other) enter(other);
    }, rules.hedgeMs);
    const deadline = setTimeout(() => {
      // Rejects what it owes, this with it.
      for (const link of [...open.keys()]) {
        link.fail(new LostTeacher("timeout", `${link.worker} did not answer for ${what} within ${deadlineMs} ms`));
      }
    }, deadlineMs);
    const onAbort = () => {
      over();
      reject(signal.reason);
    };
    signal.addEventListener("abort", onAbort);
    if (signal.aborted) onAbort();
    else enter(first);
  });
}
