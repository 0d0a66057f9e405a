/** A client of gRPC's health service, as a kubelet's probe is one. */
import { Client, credentials, type MethodDefinition } from "@grpc/grpc-js";
import { service as healthService } from "grpc-health-check";

export interface HealthClient {
  /** SERVING, or what else it says now. Rejects where nobody answers. */
  check(): Promise<string>;
  /** What it says now, and each change; ends with the server. @param service of the server; all of it, if none is named */
  watch(service?: string): AsyncGenerator<string>;
  close(): void;
}

type Method = MethodDefinition<object, { readonly status: string }>;

/** @param address host:port */
export function healthOf(address: string): HealthClient {
  const client = new Client(address, credentials.createInsecure());
  const [check, watch] = [healthService["Check"], healthService["Watch"]] as [Method, Method];
  return {
    check: () =>
      new Promise((resolve, reject) =>
        client.makeUnaryRequest(check.path, check.requestSerialize, check.responseDeserialize, {}, (error, reply) =>
          error ? reject(error) : resolve(reply!.status),
        ),
      ),
    async *watch(service = "") {
      const call = client.makeServerStreamRequest(watch.path, watch.requestSerialize, watch.responseDeserialize, {
        service,
      });
      call.on("error", () => {}); // Thrown below; and said once more of a stream that nobody reads any longer.
      try {
        for await (const { status } of call as AsyncIterable<{ readonly status: string }>) yield status;
      } catch {
        // The server has gone.
      } finally {
        call.cancel();
      }
    },
    close: () => client.close(),
  };
}
