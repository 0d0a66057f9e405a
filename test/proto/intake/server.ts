/** A server of ours on loopback, whose one method answers each message with as many bytes as it asks for. */
import type { TestContext } from "node:test";
import { Server, type ServerDuplexStream, type ServerInterceptor, type ServiceDefinition } from "@grpc/grpc-js";
import { loopbackOnly } from "../../../proto/security/security.ts";
import { serverOptions } from "../../../proto/wire.ts";
import { Attacker } from "../../fuzz/wire/attacker.ts";

export const path = "/test.Echo/Say";
const bytes = (value: Buffer) => value;
const say = { path, requestStream: true, responseStream: true };
const service = {
  say: {
    ...say,
    ...{ requestSerialize: bytes, requestDeserialize: bytes, responseSerialize: bytes, responseDeserialize: bytes },
  },
} as unknown as ServiceDefinition;

export interface Echo {
  readonly attacker: Attacker;
  /** Messages that were heard. */
  heard(): number;
}

/** @param answerBytes of each answer */
export async function echo(
  t: TestContext,
  { interceptors = [], answerBytes = 1 }: { interceptors?: readonly ServerInterceptor[]; answerBytes?: number } = {},
): Promise<Echo> {
  const server = new Server({ ...serverOptions, interceptors: [...interceptors] });
  let heard = 0;
  server.addService(service, {
    say(call: ServerDuplexStream<Buffer, Buffer>) {
      call.on("data", () => {
        heard += 1;
        call.write(Buffer.alloc(answerBytes));
      });
      call.on("end", () => call.end());
    },
  });
  const port = await loopbackOnly.listen(server, { host: "127.0.0.1", port: 0 });
  const attacker = new Attacker(`127.0.0.1:${port.port}`, undefined);
  t.after(async () => {
    await attacker.close();
    port.close();
    server.forceShutdown();
  });
  return { attacker, heard: () => heard };
}
