/** Who may call what. A method that is not here may be called by nobody. */
import type { Role } from "./identity.ts";

/** Whoever belongs to the cluster, whatever the role. */
const anybody: readonly Role[] = ["coordinator", "worker", "submitter", "viewer"];
const watching: readonly Role[] = ["viewer", "submitter"];

export const permissions: Readonly<Record<string, readonly Role[]>> = {
  "/limbeck.v1.Coordinator/Join": ["worker"],
  "/limbeck.v1.Coordinator/Watch": watching,
  "/limbeck.v1.Coordinator/Status": watching,
  "/limbeck.v1.Coordinator/Stop": ["submitter"],

  "/limbeck.v1.Jobs/Submit": ["submitter"],
  "/limbeck.v1.Jobs/Control": ["submitter"],
  "/limbeck.v1.Jobs/List": watching,
  "/limbeck.v1.Jobs/Artifacts": watching,
  // The models themselves: who may look on need not be given them.
  "/limbeck.v1.Jobs/Fetch": ["submitter"],

  "/limbeck.v1.Peer/Pull": ["worker"],
  "/limbeck.v1.Teacher/SoftTargets": ["worker"],

  "/grpc.health.v1.Health/Check": anybody,
  "/grpc.health.v1.Health/Watch": anybody,
  "/grpc.health.v1.Health/List": anybody,
  "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo": anybody,
  "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo": anybody,
};

/** @param method as gRPC names it: /PACKAGE.SERVICE/METHOD */
export function whoMayCall(method: string): readonly Role[] {
  return Object.hasOwn(permissions, method) ? permissions[method]! : [];
}

/** "Jobs.Submit" */
export function methodText(method: string): string {
  return method.replace(/^\/(?:.*\.)?([^./]+)\//, "$1.");
}
