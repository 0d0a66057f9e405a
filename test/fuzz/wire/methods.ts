/** Every method that a process of ours serves, found in the descriptors, so that none can be forgotten. */
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { MethodDefinition, ServiceDefinition } from "@grpc/grpc-js";
import { loadSync, type PackageDefinition } from "@grpc/proto-loader";
import { service as healthService } from "grpc-health-check";
import { coordinatorService, jobsService, peerService, teacherService, wireDefinition } from "../../../proto/wire.ts";

export type Served = "coordinator" | "service" | "worker";

export interface Method {
  /** As gRPC names it: /PACKAGE.SERVICE/METHOD */
  readonly path: string;
  /** "Coordinator.Join" */
  readonly name: string;
  readonly requestStream: boolean;
  encode(message: object): Buffer;
  /** Throws where the bytes are no such message. */
  decode(bytes: Buffer): object;
}

const reflections = ["reflection/v1/reflection.proto", "reflection/v1alpha/reflection.proto"].flatMap((file) => {
  const folder = dirname(createRequire(import.meta.url).resolve("@grpc/reflection/package.json"));
  return servicesIn(loadSync(join(folder, "build/proto/grpc", file), { defaults: true, oneofs: true }));
});

const common = [healthService, ...reflections];
/** By what serves it. */
const services: Readonly<Record<Served, readonly ServiceDefinition[]>> = {
  coordinator: [coordinatorService as unknown as ServiceDefinition, ...common],
  service: [coordinatorService, jobsService, ...common] as unknown as readonly ServiceDefinition[],
  worker: [peerService, teacherService] as unknown as readonly ServiceDefinition[],
};

export function methodsOf(served: Served): Method[] {
  return services[served].flatMap((service) => Object.values(service).map(methodOf));
}

/** Paths of all that limbeck.proto has. */
export function pathsOnTheWire(): string[] {
  return servicesIn(wireDefinition).flatMap((service) => Object.values(service).map(({ path }) => path));
}

function servicesIn(definition: PackageDefinition): ServiceDefinition[] {
  return Object.values(definition).filter((each) => !("format" in each)) as unknown as ServiceDefinition[];
}

function methodOf(definition: MethodDefinition<unknown, unknown>): Method {
  const { path, requestStream, requestSerialize, requestDeserialize } = definition;
  const name = path.replace(/^\/(?:.*\.)?([^./]+)\/(.*)$/, "$1.$2");
  const [encode, decode] = [requestSerialize, (bytes: Buffer) => requestDeserialize(bytes) as object];
  return { path, name: path.includes("v1alpha") ? `${name}.v1alpha` : name, requestStream, encode, decode };
}
