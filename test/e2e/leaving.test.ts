/** How a worker's process ends when it is told to leave, which whoever started it goes by. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { freeAddress } from "../freeport.ts";
import { start } from "./limbeck.ts";

const bounded = { timeout: 60_000 };

/** It has handlers for signals when its port answers. */
async function toldToLeave(...args: string[]): Promise<number | null> {
  const http = await freeAddress();
  const worker = start(["worker", "--coordinator=127.0.0.1:1", `--http=${http}`, ...args]);
  const answers = () =>
    fetch(`http://${http}/healthz`).then(
      ({ ok }) => ok,
      () => false,
    );
  while (!(await answers())) await setTimeout(50);
  worker.process.kill("SIGTERM");
  return (await worker.outcome).code;
}

test("a worker that is told to leave ends with 0, or with the code of --leave-code", bounded, async () => {
  const codes = [toldToLeave(), toldToLeave("--leave-code=143"), toldToLeave("--leave-code=143", "--devices=cpu")];
  assert.deepEqual(await Promise.all(codes), [0, 143, 143]);
});
