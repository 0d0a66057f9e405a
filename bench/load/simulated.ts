/**
 * A worker without a device, on a real gRPC session and a connection of its own: it joins, beats as it is told, and where
 * it is given to a job it says what a member says, with steps that nobody computed.
 */

import type { FromWorker } from "../../proto/gen/limbeck/v1/FromWorker.ts";
import type { ToWorker__Output } from "../../proto/gen/limbeck/v1/ToWorker.ts";
import { packageVersion } from "../../proto/package.ts";
import { coordinatorService, peerChannel } from "../../proto/wire.ts";

export type Role = "student" | "teacher";

export interface SimulatedOptions {
  readonly address: string;
  readonly name: string;
  readonly role: Role;
  /** Between two reports of steps; 0 for none. */
  readonly progressMs: number;
  /** What the next heartbeat says that it does. */
  doing(): string;
  /** With what it was before, "" at first. */
  changed(now: Standing, before: Standing | ""): void;
}

export type Standing = "idle" | "welcome" | "ready" | "training" | "stopped" | "broken";

export const simulatedDataset = {
  trainExamples: 100_000,
  evaluationExamples: 1_000,
  classes: 10,
  shape: [4],
  digest: "d",
};
const engine = { backend: "wasm", device: "none", threads: 1, why: "simulated", fingerprint: "f" };
const usualHeartbeatMs = 250;

const { path, requestSerialize, responseDeserialize } = coordinatorService.Join;
/** From so many bytes on an order may be one to all members, who are in one process here. */
const largeBytes = 4_096;
let large: { readonly bytes: Buffer; readonly message: ToWorker__Output } | null = null;

/** Each real worker reads such an order once; for hundreds of them this process would do nothing else for seconds. */
function decode(bytes: Buffer): ToWorker__Output {
  if (bytes.length < largeBytes) return responseDeserialize(bytes);
  if (!large?.bytes.equals(bytes)) large = { bytes: Buffer.from(bytes), message: responseDeserialize(bytes) };
  return large.message;
}

const rejoinMs = 1_000;

/** Joins, and joins again where its session breaks or the coordinator has given it up. */
export function simulate(options: SimulatedOptions): void {
  const { changed } = options;
  let standing: Standing | "" = "";
  let life = 0;
  const become = (now: Standing) => {
    const before = standing;
    standing = now;
    changed(now, before);
    if (now === "broken") setTimeout(() => play(options, { life: ++life, become }), rejoinMs);
  };
  play(options, { life, become });
}

interface Life {
  readonly life: number;
  become(now: Standing): void;
}

function play({ address, name, role, progressMs, doing }: SimulatedOptions, { life, become }: Life): void {
  const client = peerChannel(address);
  const stream = client.makeBidiStreamRequest(path, requestSerialize, decode);
  let term = 0;
  let stage = "";
  let step = 0;
  let lanes = 0;
  let isStopped = false;
  let beats: NodeJS.Timeout | undefined;
  let reports: NodeJS.Timeout | undefined;
  const say = (message: FromWorker) => void stream.write({ term, ...message });
  const beat = (everyMs: number) => {
    clearInterval(beats);
    const every = everyMs || usualHeartbeatMs;
    const heartbeat = () => say({ heartbeat: { doing: doing(), step, residentBytes: 2 ** 28 } });
    // Not all at once: real workers began at different times.
    beats = setTimeout(() => {
      heartbeat();
      beats = setInterval(heartbeat, every);
    }, Math.random() * every);
  };
  const train = () => {
    clearInterval(reports);
    if (role === "teacher" || progressMs === 0) return;
    const report = () => {
      step += 1;
      const metrics = { examples: lanes, loss: 1, hardLoss: 1, softLoss: 0, correct: 1, agree: 0 };
      const phases = { data: 0.01, softTargets: 0, compute: 0.1 * lanes, exchange: 0.1, apply: 0.01 };
      const progress = { stage, step, steps: 1, examples: lanes, seconds: progressMs / 1_000, metrics, phases };
      say({ progress: { ...progress, learningRate: 0.1, gradientNorm: 1 } });
    };
    reports = setTimeout(() => {
      report();
      reports = setInterval(report, progressMs);
    }, Math.random() * progressMs);
  };
  const over = (how: Standing) => {
    clearInterval(beats);
    clearInterval(reports);
    become(how);
    client.close();
  };
  stream.on("data", (message: ToWorker__Output) => {
    switch (message.body) {
      case "idle":
        beat(message.idle!.heartbeatMs);
        return become("idle");
      case "welcome":
        beat(message.welcome!.heartbeatMs);
        say({ prepared: { engine, dataset: simulatedDataset } });
        return become("welcome");
      case "assign": {
        clearInterval(reports);
        term = message.term;
        stage = message.assign!.stage;
        lanes = message.assign!.students.find(({ worker }) => worker === name)?.lanes ?? 0;
        say({ ready: { parameters: 9, weightsSha256: step === 0 ? "initial" : `after-${step}`, step } });
        return become("ready");
      }
      case "begin":
        train();
        return become("training");
      case "stop":
        isStopped = true;
        stream.end();
        return over("stopped");
      default:
        return;
    }
  });
  stream.on("error", (error) => {
    if (isStopped) return;
    process.stderr.write(`${name}: ${error.message}\n`);
    over("broken");
  });
  const instance = `${name} ${life}`;
  const hello = { worker: name, role, address: "127.0.0.1:1", http: "", host: "simulated", build: packageVersion };
  say({ hello: { ...hello, pid: process.pid, instance, holds: [], job: "", life: instance } });
}
