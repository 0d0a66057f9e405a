/** Real teachers on loopback, whose networks are a formula, for the tests of soft targets. */
import type { TestContext } from "node:test";
import { Server } from "@grpc/grpc-js";
import type { SoftTargetRequest__Output } from "../../../proto/gen/limbeck/v1/SoftTargetRequest.ts";
import type { SoftTargets } from "../../../proto/gen/limbeck/v1/SoftTargets.ts";
import type { TeacherHandlers } from "../../../proto/gen/limbeck/v1/Teacher.ts";
import { serverOptions, teacherClient, teacherService } from "../../../proto/wire.ts";
import { SoftTargetClient, type SoftTargetSettings } from "../../../worker/softtargets/client.ts";
import { type Serving, SoftTargetServer } from "../../../worker/softtargets/server.ts";
import { listen } from "../exchange/cluster.ts";

export const classes = 3;
/** Logits that tell what they were made for; exact in float16 for small ids. */
export const logitsOf = (examples: Uint32Array, view: number) =>
  Float32Array.from(
    { length: examples.length * classes },
    (_, at) => (examples[Math.floor(at / classes)]! % 100) + (at % classes) / 4 - view,
  );

export interface TestTeacher {
  readonly member: { readonly worker: string; readonly address: string };
  readonly server: SoftTargetServer;
  readonly passes: Uint32Array[];
  close(): void;
}

export async function openTeacher(
  t: TestContext,
  worker: string,
  changes: Partial<Serving> = {},
  port = 0,
): Promise<TestTeacher> {
  const server = new SoftTargetServer({ served: () => {}, passed: () => {} });
  const passes: Uint32Array[] = [];
  const answer = async (examples: Uint32Array, view: number) => {
    passes.push(examples);
    return logitsOf(examples, view);
  };
  server.serve({
    ...{ term: 1, teacher: "t1", dataset: "d1", classes, inputFloats: 0, temperature: 1, mergesUpTo: 0 },
    ...{ trainExamples: 2 ** 32, mostExamples: 2 ** 20 },
    answer,
    ...changes,
  });
  const grpc = new Server(serverOptions);
  server.addTo(grpc);
  const member = { worker, address: await listen(grpc, port) };
  const close = () => grpc.forceShutdown();
  t.after(close);
  return { member, server, passes, close };
}

export function ask(
  t: TestContext,
  teachers: SoftTargetSettings["teachers"],
  changes: Partial<SoftTargetSettings> = {},
): SoftTargetClient {
  const usual = {
    field: "teacher",
    format: { kind: "float16" },
    inputs: null,
    deadlineMs: 5_000,
    onNoTeacher: "wait",
    random: () => 0.5,
  } as const;
  const client = new SoftTargetClient({ ...usual, term: 1, teachers, classes, ...changes });
  t.after(() => client.close());
  return client;
}

/** The real teacher behind something that changes its answers, or what it is asked, counted from 1. */
export async function spoiled(
  t: TestContext,
  teacher: TestTeacher,
  spoil: (reply: SoftTargets, count: number) => SoftTargets | null,
  spoilRequest: (request: SoftTargetRequest__Output, count: number) => SoftTargetRequest__Output = (request) => request,
) {
  const client = teacherClient(teacher.member.address);
  const handlers: TeacherHandlers = {
    SoftTargets(stream) {
      const inner = client.softTargets();
      let [requests, count] = [0, 0];
      stream.on("data", (request) => inner.write(spoilRequest(request, ++requests)));
      inner.on("error", () => {});
      inner.on("data", (reply) => {
        const passed = spoil(reply, ++count);
        if (passed) stream.write(passed);
      });
    },
  };
  const grpc = new Server(serverOptions);
  grpc.addService(teacherService, handlers);
  const address = await listen(grpc);
  t.after(() => {
    client.close();
    grpc.forceShutdown();
  });
  return { worker: teacher.member.worker, address };
}
