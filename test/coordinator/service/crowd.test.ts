/** What becomes of a worker that a job of a service refuses: it is the refusal's kind that says so, not the error's code. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { RpcPort } from "../../../coordinator/rpc.ts";
import { Crowd } from "../../../coordinator/service/crowd.ts";
import type { Happening } from "../../../coordinator/service/vocabulary.ts";
import type { Refusal } from "../../../coordinator/state.ts";
import { LimbeckError, type LimbeckErrorCode } from "../../../core/errors.ts";
import type { ToWorker } from "../../../proto/gen/limbeck/v1/ToWorker.ts";

const session = 1;

/** One worker, which is in the job, is refused by it. */
function refusedAs(as: Refusal, code: LimbeckErrorCode) {
  const happened: string[] = [];
  const sent: ToWorker[] = [];
  const refused: string[] = [];
  const rpc: RpcPort = {
    address: "",
    send: (_, message) => void sent.push(message),
    refuse: (_, error) => void refused.push(error.code),
    dismiss() {},
    async close() {},
  };
  const happen = ({ kind }: Happening) => void happened.push(kind);
  const run = () => ({ happen() {} }) as never;
  const crowd = new Crowd({ rpc: () => rpc, run, happen, heartbeatMs: 1_000, now: () => 0 });
  const life = { build: "b", pid: 1, instance: "i", life: "l", holds: [], job: "" };
  crowd.heard(session, {
    kind: "hello",
    term: 0,
    worker: "w",
    role: "student",
    address: "",
    host: "",
    http: "",
    ...life,
  });
  crowd.give(session, "a");
  happened.length = 0;
  crowd.wireOf("a").refuse(session, new LimbeckError(code, "it is so"), as);
  return { happened, stops: sent.flatMap(({ stop }) => stop ?? []), refused, isPresent: crowd.present.has(session) };
}

test("one that comes too late joins again, for another job", () => {
  const { happened, stops, refused } = refusedAs("late", "unavailable");
  assert.deepEqual([happened, stops, refused], [["workerReleased"], [{ why: "it is so", again: true }], []]);
});

test("one that does not fit is told why, and is not given to this job again", () => {
  for (const code of ["bad_data", "unavailable"] as const) {
    const { happened, stops, refused, isPresent } = refusedAs("misfit", code);
    assert.deepEqual([happened, stops], [["workerRefused", "workerGone"], []]);
    assert.deepEqual([refused, isPresent], [[code], false]);
  }
});

test("one that was given up may come back to the same job as new", () => {
  const { happened, stops, refused } = refusedAs("fenced", "stale_term");
  assert.deepEqual([happened, stops, refused], [["workerGone"], [], ["stale_term"]]);
});
