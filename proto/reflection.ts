/** gRPC's reflection: tools ask a port what it serves, and how that is spoken. */
import type { Server, ServiceDefinition } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { ReflectionService } from "@grpc/reflection";
import { protoPath as healthProto, service as healthService } from "grpc-health-check";
import { loading, wireDefinition } from "./wire.ts";

/** @param served beside the health service: limbeck.proto has more services than any process serves */
export function addReflection(server: Server, served: readonly ServiceDefinition[]): void {
  const known = { ...wireDefinition, ...loadSync(healthProto, loading) };
  const services = [...served, healthService].map(nameOf);
  new ReflectionService(known, { services }).addToServer(server);
}

/** Methods have it in their paths: /PACKAGE.SERVICE/METHOD. */
function nameOf(definition: ServiceDefinition): string {
  return Object.values(definition)[0]!.path.split("/")[1]!;
}
