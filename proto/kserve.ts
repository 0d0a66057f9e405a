/** The client side of kserve.proto, and its service for whoever serves it in a test. */
import { type ChannelCredentials, type ChannelOptions, loadPackageDefinition } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import type { GRPCInferenceServiceClient } from "./gen/inference/GRPCInferenceService.ts";
import type { ProtoGrpcType } from "./gen/kserve.ts";
import { packagePath } from "./package.ts";
import { channelOptions, loading } from "./wire.ts";

const { GRPCInferenceService } = (
  loadPackageDefinition(loadSync(packagePath("proto/kserve.proto"), loading)) as unknown as ProtoGrpcType
).inference;

export const inferenceService = GRPCInferenceService.service;

/** @param address host:port */
export function inferenceClient(
  address: string,
  credentials: ChannelCredentials,
  options: ChannelOptions,
): GRPCInferenceServiceClient {
  return new GRPCInferenceService(address, credentials, { ...channelOptions, ...options });
}
